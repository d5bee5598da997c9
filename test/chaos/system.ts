/**
 * All that a run can hurt: the operators, the broker's replicas as processes of their own, and the PostgreSQL behind them.
 * What is killed is started again, as whoever runs a broker would have it.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrokerFiles, brokerFiles, type BrokerProcess, startBrokerProcess } from '../durability/broker-process.ts'
import { type Operators, startOperators } from '../durability/operators.ts'
import { closeAll } from '../support/close-all.ts'
import { type ApiClient, createApiClient, tokenFor } from '../support/api-client.ts'
import { adjusted } from '../support/broker.ts'
import type { Engine } from '../support/database.ts'
import { type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { VISIBILITY_DELAY_MS } from './weather.ts'

export interface ChaosSystem {
  readonly operators: Operators
  readonly replicas: number
  /** Whose answers come from each replica in turn. */
  readonly platform: ApiClient
  killReplica(index: number): Promise<void>
  /** Only on PostgreSQL. */
  killDatabase(): Promise<void>
  /** What the replicas logged as errors so far, by their first words, and how often. */
  errors(): ReadonlyMap<string, number>
  /** Replicas that ended without being killed. */
  deaths(): number
  close(): Promise<void>
}

export interface SystemOptions {
  readonly engine: Engine
  readonly replicas: number
  /** Cluster id → its size from the start of time. */
  readonly nodes: Readonly<Record<string, number>>
}

/** Tokens live an hour; a run may take longer. */
const TOKEN_LIFE_MS = 10 * 60_000
const REQUEST_TIMEOUT_MS = 10_000

export async function startSystem({ engine, replicas, nodes }: SystemOptions): Promise<ChaosSystem> {
  const operators = await startOperators()
  const place = await placeOf(engine)
  const files: BrokerFiles = await brokerFiles(
    adjusted(operators.settings, { visibilityDelayMs: VISIBILITY_DELAY_MS, nodes }),
  )
  const errors = new Map<string, number>()
  let deaths = 0
  const running: (BrokerProcess | null)[] = []

  const start = async (index: number): Promise<void> => {
    const broker = await startBrokerProcess({ ...files.env, ...SETTINGS, ...place.env }, (line) => note(errors, line))
    running[index] = broker
    void broker.ended.then(async () => {
      if (running[index] !== broker) return
      deaths += 1
      await start(index)
    })
  }
  await Promise.all(Array.from({ length: replicas }, (_, index) => start(index)))

  let turn = 0
  const url = (): string => {
    turn += 1
    return running[turn % replicas]?.url ?? NOBODY
  }
  let token = { text: '', since: Number.NEGATIVE_INFINITY }
  const fresh = async (): Promise<string> => {
    if (performance.now() - token.since > TOKEN_LIFE_MS)
      token = { text: await tokenFor(operators.identityUrl, 'platform'), since: performance.now() }
    return `Bearer ${token.text}`
  }
  return {
    operators,
    replicas,
    platform: createApiClient({ url, authorization: fresh, timeoutMs: REQUEST_TIMEOUT_MS }),
    async killReplica(index) {
      const broker = running[index] ?? null
      running[index] = null
      await broker?.kill()
      await start(index)
    },
    async killDatabase() {
      if (place.server === null) throw new Error('PGlite ends with its process')
      await place.server.crash()
    },
    errors: () => errors,
    deaths: () => deaths,
    async close() {
      await closeAll(
        ...running.splice(0).map((broker) => () => broker?.kill()),
        () => place.remove(),
        () => files.remove(),
        () => operators.close(),
      )
    },
  }
}

/** Nobody listens there. */
const NOBODY = 'http://127.0.0.1:1'

/** A broker whose regular rounds come as often as a short run needs them. */
const SETTINGS = {
  SWEEP_INTERVAL_SECONDS: '2',
  SWEEP_MAX_DELETES_PER_HOUR: '10000', // nobody is there to approve
  NODE_HEALTH_SECONDS: '2',
  RATE_LIMIT_PER_SECOND: '100000',
}

interface Place {
  readonly env: Readonly<Record<string, string>>
  readonly server: PostgresServer | null
  remove(): Promise<void>
}

async function placeOf(engine: Engine): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-chaos-'))
  const server = engine === 'postgres' ? await startPostgres() : null
  const url = (await server?.createDatabase())?.url
  return {
    env: { DATA_DIR: folder, ...(url === undefined ? {} : { DATABASE_URL: url }) },
    server,
    async remove() {
      await server?.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function note(errors: Map<string, number>, line: string): void {
  const words = wordsOf(line)
  errors.set(words, (errors.get(words) ?? 0) + 1)
}

function wordsOf(line: string): string {
  if (!line.startsWith('{')) return line.trim().slice(0, 200)
  const { msg, worker, err } = JSON.parse(line) as { msg: string; worker?: string; err?: { message: string } } // pino's
  return [msg, worker, err?.message.slice(0, 120)].filter((part) => part !== undefined).join(': ')
}
