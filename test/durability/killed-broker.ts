/** A broker process on one store that is killed and started again, with callers that only notice another port. */
import { closeAll } from '../support/close-all.ts'
import { type ApiClient, createApiClient, tokenFor } from '../support/api-client.ts'
import { adjusted } from '../support/broker.ts'
import { type DatabasePlace, type Engine, newDatabasePlace } from '../support/database.ts'
import { type BrokerFiles, brokerFiles, type BrokerProcess, startBrokerProcess } from './broker-process.ts'
import type { Operators } from './operators.ts'

export interface KilledBroker {
  /** What every start of it is given. */
  readonly env: Readonly<Record<string, string>>
  readonly platform: ApiClient
  start(): Promise<void>
  kill(): Promise<void>
  terminate(): Promise<number | null>
  /** SIGHUP. */
  hangUp(): void
  /** Kills what runs, and removes its store and files. */
  remove(): Promise<void>
}

/** Lists do not lag in the sandbox, so a short delay tells as much as a long one, sooner. */
const VISIBILITY_DELAY_MS = 400

/** Not started yet. */
export async function aKilledBroker(engine: Engine, operators: Operators): Promise<KilledBroker> {
  const place: DatabasePlace = await newDatabasePlace(engine)
  const files: BrokerFiles = await brokerFiles(adjusted(operators.settings, { visibilityDelayMs: VISIBILITY_DELAY_MS }))
  const env = { ...files.env, DATA_DIR: place.folder, ...(place.url === null ? {} : { DATABASE_URL: place.url }) }
  const token = await tokenFor(operators.identityUrl, 'platform')
  let running: BrokerProcess | null = null
  const ended = (): BrokerProcess => {
    if (running === null) throw new Error('it does not run')
    const one = running
    running = null
    return one
  }
  return {
    env,
    platform: createApiClient({ url: () => running?.url ?? 'http://127.0.0.1:1', authorization: `Bearer ${token}` }),
    async start() {
      running = await startBrokerProcess(env)
    },
    kill: () => ended().kill(),
    terminate: () => ended().terminate(),
    hangUp() {
      if (running !== null) process.kill(running.pid, 'SIGHUP')
    },
    async remove() {
      await closeAll(
        () => running?.kill(),
        () => place.remove(),
        () => files.remove(),
      )
    },
  }
}
