/**
 * A whole broker in this process, started as `npm run serve` does it, against a sandbox of its own: real sockets, real
 * tokens, the engine of this run. What it logs as an error fails the test that stops it.
 */
import { readConfig } from '../../broker/config.ts'
import { createLogger } from '../../broker/log.ts'
import { type RunningBroker, startBroker } from '../../broker/start/broker.ts'
import { type Settings, settingsFrom } from '../../broker/settings.ts'
import type { Inventory } from '../../shared/inventory.ts'
import type { SandboxSettings } from '../../deploy/sandbox/for-broker.ts'
import type { Queries } from '../../broker/store/database.ts'
import { closeAll } from './close-all.ts'
import { type ApiClient, createApiClient, tokenFor } from './api-client.ts'
import { type DatabasePlace, type Engine, engineOfThisRun, newDatabasePlace, openAt } from './database.ts'
import { startTestSandbox, type TestSandbox } from './sandbox.ts'

export interface TestBrokerOptions {
  /** Default: `STORE`, or PGlite. */
  readonly engine?: Engine
  /** Shared with another broker; whoever made it closes it. Default: one of its own. */
  readonly sandbox?: TestSandbox
  /** As one more replica of whoever made it. Default: a place of its own. */
  readonly place?: DatabasePlace
  /** For how long a list may lag, as every cluster is configured; default 50 ms, so that releases are quick. */
  readonly visibilityDelayMs?: number
  /** Settings of the environment beside those of a test: `RELEASE_CONFIRM_MINUTES` and the like. */
  readonly env?: Readonly<Record<string, string>>
  /** What it may log as an error: the test makes it happen. */
  readonly mayPage?: RegExp
  /** Cluster id → how many nodes it has from 2025-12-31 on, where the inventory's phases are in the way of a test. */
  readonly nodes?: Readonly<Record<string, number>>
  /** Cluster id → members of its provider's configuration that differ from the sandbox's. */
  readonly clusters?: Readonly<Record<string, object>>
}

export interface TestBroker {
  readonly engine: Engine
  readonly sandbox: TestSandbox
  readonly place: DatabasePlace
  /** Without a slash at the end; another one after `restart`. */
  readonly url: string
  /** The same of the listener that `/metrics` is on. */
  readonly metricsUrl: string
  /** One sample of `/metrics`, by its name with its labels as they are written there; 0 where there is none. */
  scrape(sample: string): Promise<number>
  /** All of `/metrics`. @param accept default: whatever comes */
  exposition(accept?: string): Promise<{ readonly contentType: string; readonly lines: readonly string[] }>
  /** One of the sandbox's clients, such as `platform`. */
  as(clientId: string): Promise<ApiClient>
  /** Without a token, or with one made up. */
  withToken(token: string | null): ApiClient
  /** What the inventory's file says from now on, made from what it said at first; the broker learns of it when it is told to look, or starts again. */
  setInventory(change: (inventory: Inventory) => unknown): void
  /** Every line that it has logged: nothing below an error, unless `LOG_LEVEL` or the API says so. */
  logged(): readonly string[]
  /** Stops it in order and starts it again on the same store. */
  restart(): Promise<void>
  /** Reads the store itself, with the broker stopped meanwhile: PGlite belongs to one process at a time. */
  inStore<T>(read: (queries: Queries) => Promise<T>): Promise<T>
  /** @throws Error when the broker has logged an error since it was started */
  stop(): Promise<void>
}

/** For the hook that starts one: a new folder of PGlite takes seconds of a processor, and others may be making theirs. */
export const START_WITHIN_MS = 120_000

const VISIBILITY_DELAY_MS = 50

export async function startTestBroker(options: TestBrokerOptions = {}): Promise<TestBroker> {
  const { engine = engineOfThisRun(), visibilityDelayMs = VISIBILITY_DELAY_MS } = options
  const sandbox = options.sandbox ?? (await startTestSandbox())
  const place = options.place ?? (await newDatabasePlace(engine))
  const source = adjusted(sandbox.settings, { ...options, visibilityDelayMs })
  let inventory = source.readInventory()
  const errors = createErrorLog(options.mayPage)
  const starting = (): Starting => ({
    settings: settingsFrom({ ...source, readInventory: () => inventory }),
    place,
    errors,
    env: options.env ?? {},
  })
  let running = await start(starting())
  const exposition = async (accept = '*/*') => {
    const answer = await fetch(`${running.metricsUrl}/metrics`, { headers: { accept } })
    return { contentType: answer.headers.get('content-type') ?? '', lines: (await answer.text()).split('\n') }
  }
  const tokens = new Map<string, Promise<string>>()
  const withToken = (token: string | null): ApiClient =>
    createApiClient({ url: () => running.url, authorization: token === null ? null : `Bearer ${token}` })
  const startAgain = async (): Promise<void> => {
    running = await start(starting())
  }
  return {
    engine,
    sandbox,
    place,
    get url() {
      return running.url
    },
    get metricsUrl() {
      return running.metricsUrl
    },
    async scrape(sample) {
      const { lines } = await exposition()
      const found = lines.find((line) => line.startsWith(`${sample} `))
      return found === undefined ? 0 : Number(found.slice(sample.length + 1))
    },
    exposition,
    async as(clientId) {
      const token = tokens.get(clientId) ?? tokenFor(sandbox.identityUrl, clientId)
      tokens.set(clientId, token)
      return withToken(await token)
    },
    withToken,
    setInventory(change) {
      inventory = change(source.readInventory() as Inventory) // for-broker.ts makes it
    },
    logged: () => errors.all,
    async restart() {
      await running.stop()
      await startAgain()
    },
    async inStore(read) {
      await running.stop()
      const database = await openAt(place)
      try {
        return await read(database.queries)
      } finally {
        await database.close()
        await startAgain()
      }
    },
    async stop() {
      await closeAll(
        () => running.stop(),
        () => options.place ?? place.remove(),
        () => options.sandbox ?? sandbox.close(),
        () => errors.assertNone(),
      )
    },
  }
}

interface ErrorLog {
  readonly all: readonly string[]
  /** @param line as pino writes it, or the words of a loss */
  add(line: string): void
  assertNone(): void
}

const BELOW_ERROR = /^\{"level":[1-4]0,/

function createErrorLog(expected: RegExp | undefined): ErrorLog {
  const all: string[] = []
  const lines: string[] = []
  return {
    all,
    add(line) {
      all.push(line)
      if (!BELOW_ERROR.test(line) && expected?.test(line) !== true) lines.push(line)
    },
    assertNone() {
      if (lines.length > 0) throw new Error(`the broker logged errors:\n${lines.join('')}`)
    },
  }
}

interface Starting {
  readonly settings: Settings
  readonly place: DatabasePlace
  readonly errors: ErrorLog
  readonly env: Readonly<Record<string, string>>
}

function start({ settings, place, errors, env }: Starting): Promise<RunningBroker> {
  const config = readConfig({
    PORT: '0',
    METRICS_PORT: '0',
    DATA_DIR: place.folder,
    SANDBOX_PORT: '0', // the settings are handed in; it only says that no files are meant
    ...(place.url === null ? {} : { DATABASE_URL: place.url }),
    RATE_LIMIT_PER_SECOND: '100000', // one client asks for all of a suite
    LOG_LEVEL: 'error',
    ...env,
  })
  return startBroker({
    config,
    settings,
    logger: createLogger(config.LOG_LEVEL, { write: (line: string) => errors.add(line) }),
    onLost: (error) => errors.add(`${error.message}\n`),
  })
}

interface Clusters {
  readonly clusters: Readonly<Record<string, object>>
}

/** The sandbox's settings with lists that lag as little as a test wants, and clusters of the size that it wants. */
export function adjusted(
  settings: SandboxSettings,
  {
    visibilityDelayMs,
    nodes = {},
    clusters: changed = {},
  }: { readonly visibilityDelayMs: number } & Pick<TestBrokerOptions, 'nodes' | 'clusters'>,
): SandboxSettings {
  const inventory = settings.readInventory() as { readonly clusters: readonly { readonly id: string }[] } // for-broker.ts makes it
  return {
    ...settings,
    providers: (settings.providers as readonly Clusters[]).map((provider) => ({
      ...provider,
      clusters: Object.fromEntries(
        Object.entries(provider.clusters).map(([id, cluster]) => [
          id,
          { ...cluster, visibilityDelayMs, ...changed[id] },
        ]),
      ),
    })),
    readInventory: () => ({
      ...inventory,
      clusters: inventory.clusters.map((cluster) => withNodes(cluster, nodes[cluster.id])),
    }),
  }
}

const withNodes = (cluster: object, nodes: number | undefined): object =>
  nodes === undefined
    ? cluster
    : { ...cluster, phases: [{ from: '2025-12-31T00:00:00Z', nodes, stage: 'general', basis: 'assumed' }] }
