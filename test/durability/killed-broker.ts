/** A broker process on one store that is killed and started again, with callers that only notice another port. */
import type { SandboxSettings } from '../../deploy/sandbox/for-broker.ts'
import { type ApiClient, createApiClient, tokenFor } from '../support/api-client.ts'
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
  /** Kills what runs, and removes its store and files. */
  remove(): Promise<void>
}

interface Clusters {
  readonly clusters: Readonly<Record<string, object>>
}

/** Lists do not lag in the sandbox, so a short delay tells as much as a long one, sooner. */
const withVisibilityDelay = (settings: SandboxSettings, visibilityDelayMs: number): SandboxSettings => ({
  ...settings,
  providers: (settings.providers as readonly Clusters[]).map((provider) => ({
    ...provider,
    clusters: Object.fromEntries(
      Object.entries(provider.clusters).map(([id, cluster]) => [id, { ...cluster, visibilityDelayMs }]),
    ),
  })),
})

/** Not started yet. */
export async function aKilledBroker(engine: Engine, operators: Operators): Promise<KilledBroker> {
  const place: DatabasePlace = await newDatabasePlace(engine)
  const files: BrokerFiles = await brokerFiles(withVisibilityDelay(operators.settings, 400))
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
    async remove() {
      await running?.kill()
      await place.remove()
      await files.remove()
    },
  }
}

/** Instants in a random order that a failed test can be given again. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}
