/**
 * The composition root: reads the configuration, builds everything once, listens, and stops in order. The only file that
 * imports adapters.
 */
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import { ZodError } from 'zod'
import { createProvider } from '../adapters/registry.ts'
import type { Inventory } from '../shared/inventory.ts'
import type { InventoryReload } from '../shared/operation.ts'
import { Refusal } from '../shared/refusal.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../shared/time.ts'
import type { App } from './app/app.ts'
import { createCalendarCache } from './app/calendar-cache.ts'
import { install } from './app/install.ts'
import { changeCatalogue } from './app/reload-inventory.ts'
import { createWriter } from './app/writer.ts'
import { type Config, ConfigError, oneLine, readConfig, readJsonFile } from './config.ts'
import { clustersIn } from './core/calendar-reads.ts'
import { catalogueChanges } from './core/catalogue-change.ts'
import { type Cluster, clustersOf } from './core/cluster.ts'
import { DEFAULT_POLICY } from './core/placement/policy.ts'
import type { Examined } from './doctor/check.ts'
import { examine, type ExamineOptions } from './doctor/examine.ts'
import { createAuthenticator } from './http/auth.ts'
import { metricsListener } from './http/metrics.ts'
import { closeNodeServer, createNodeServer, drainNodeServer } from './http/node-server.ts'
import { CONTRACT_VERSION } from './http/openapi.ts'
import { createServer } from './http/server.ts'
import { createLogger, setLogLevel, toggleDebug } from './log.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { observeCommit } from './observe/commit.ts'
import { prepareScrapes } from './observe/scrape.ts'
import { createPoster } from './outbound/post.ts'
import { createDirectory, type ProviderDirectory } from './providers/directory.ts'
import { adoptedLister } from './providers/list-adopted.ts'
import { guardProvider } from './providers/guard.ts'
import { type Settings, settingsFrom, settingsFromFiles } from './settings.ts'
import { serveUntilSignalled } from './signals.ts'
import { isDatabaseAway, whyNoDatabase } from './store/away.ts'
import { findAllocations } from './store/allocations.ts'
import { pingDatabase } from './store/head.ts'
import { openDatabase } from './store/database.ts'
import { shareByKey } from './store/shared-read.ts'
import { FolderInUse } from './store/folder-lock.ts'
import { SchemaMismatch } from './store/migrate.ts'
import { bindUseCases } from './use-cases.ts'
import { BROKER_VERSION } from './version.ts'
import { adoptCircuits, CIRCUIT_RESET_MS } from './workers/circuits.ts'
import { startEventFeed } from './workers/events.ts'
import { holdOverdue } from './workers/quarantine.ts'
import { dueSoon } from './workers/reconcile.ts'
import { startWorkers, type Workers } from './workers/workers.ts'
import { startWakeUps } from './workers/wake.ts'

export interface RunningBroker {
  readonly url: string
  readonly metricsUrl: string
  /** Puts the inventory in force as its file says now. @throws ConfigError, and then nothing has changed */
  reloadInventory(): Promise<InventoryReload>
  /** Says that it is leaving, and goes on answering: load balancers send their requests elsewhere from then on. */
  drain(): void
  /** Refuses new requests, finishes what is in flight, gives claims and locks back; within 10 s. */
  stop(): Promise<void>
}

export interface BrokerOptions {
  readonly config: Config
  readonly settings: Settings
  readonly logger: Logger
  /** The database was lost for good: somebody else has its folder. */
  readonly onLost: (error: Error) => void
}

const STOP_WITHIN_MS = 10 * SECOND_MS

export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { config, settings, logger } = options
  const now = Date.now
  const metrics = createMetrics()
  metrics.buildInfo.set({ version: BROKER_VERSION, node: process.versions.node, contract: CONTRACT_VERSION }, 1)
  const workers: Pick<Workers, 'poke' | 'changed' | 'mayTry'> = {
    poke: () => undefined,
    changed: () => undefined,
    mayTry: async () => false, // nothing is called before they run
  }
  const directory = directoryOf({ settings, logger, metrics, workers })
  const database = await openDatabase({
    url: config.DATABASE_URL ?? null,
    folder: config.DATA_DIR,
    onLost: options.onLost,
    onBroken: (error) => logger.warn({ err: error }, 'a connection to the database broke'),
    onTransaction: (kind, seconds) => metrics.transactionSeconds.observe({ kind }, seconds),
  })
  const mappings = new Map(
    directory.entries.flatMap((entry) => entry.served.map((one) => [one.clusterId, { images: one.images }] as const)),
  )
  const rules = {
    idleNoticeMs: Math.round(config.IDLE_NOTICE_MINUTES * MINUTE_MS),
    maxSharePerOrganization: config.MAX_SHARE_PER_ORGANIZATION,
  }
  const catalogueOf = (inventory: Inventory): readonly Cluster[] => clustersOf(inventory, mappings, rules)
  const catalogue = catalogueOf(settings.inventory)
  const installationId = await install(database, catalogue, now())
  const wakeUps = await startWakeUps(database, {
    onWake: () => workers.poke(),
    onError: (error) => logger.error({ err: error }, 'the queue of wake-ups failed'),
  })
  const cache = createCalendarCache(database, now)
  const calendar = await database.transaction((trx) => cache.lead(trx))
  const writer = createWriter({
    database,
    cache,
    policy: DEFAULT_POLICY,
    now,
    beforeCommit: async (trx, changes) => {
      if (dueSoon(changes, now()).length > 0) await wakeUps.send(trx)
    },
    observe: observeCommit(metrics),
  })
  const findAllocation = shareByKey((ids: readonly string[]) => findAllocations(database.queries, ids))
  const app: App = { database, writer, cache, findAllocation, policy: DEFAULT_POLICY, installationId, now }
  // Mostly nothing differs, and who waits or is scheduled, some thousand rows, need not be read for that.
  if (catalogueChanges(clustersIn(calendar), catalogue).length > 0) {
    await writer.run(changeCatalogue({ catalogue, apply: true }))
  }
  const targets = { allowPrivate: config.WEBHOOK_ALLOW_PRIVATE === 'true' }
  const releaseConfirmMs = Math.round(config.RELEASE_CONFIRM_MINUTES * MINUTE_MS)
  await holdOverdue(app, releaseConfirmMs)
  await adoptCircuits(database.queries, directory)
  const running = startWorkers({
    app,
    directory,
    installationId,
    metrics,
    logger,
    releaseConfirmMs,
    providerDownMs: Math.round(config.PROVIDER_DOWN_MINUTES * MINUTE_MS),
    post: createPoster(targets),
    sweeps: {
      intervalMs: config.SWEEP_INTERVAL_SECONDS * SECOND_MS,
      maxDeletesPerHour: config.SWEEP_MAX_DELETES_PER_HOUR,
    },
    retention: {
      eventsMs: config.RETENTION_EVENTS_DAYS * DAY_MS,
      auditMs: config.RETENTION_AUDIT_DAYS * DAY_MS,
      idempotencyKeysMs: config.RETENTION_IDEMPOTENCY_HOURS * HOUR_MS,
      deliveriesMs: config.RETENTION_DELIVERIES_DAYS * DAY_MS,
    },
    nodeHealthMs: Math.round(config.NODE_HEALTH_SECONDS * SECOND_MS),
  })
  Object.assign(workers, running)
  const feed = startEventFeed({
    app,
    metrics,
    onError: (error) => logger.error({ err: error }, 'new events could not be read'),
  })

  let isLeaving = false
  const authenticate = createAuthenticator({
    ...settings.oidc,
    allowInsecureLoopback: settings.oidc.issuer.startsWith('http:'), // the configuration lets only loopback through
    now,
    onFailure: (error) => logger.warn({ err: error }, 'the issuer of tokens did not answer'),
  })
  const api = createServer({
    useCases: bindUseCases(app, {
      providers: providerFacts(directory, settings),
      feed,
      targets,
      listAdopted: adoptedLister(directory, installationId, now),
      setLogLevel: (level) => setLogLevel(logger, level),
      readCatalogue: () => refusingBadInventory(() => catalogueOf(settings.readInventory())),
    }),
    authenticate,
    ready: async () => {
      if (isLeaving) return { ok: false, checks: { shutdown: 'leaving' } }
      await pingDatabase(database.queries)
      // Tokens are verified with known keys while it is away: told, and no reason to be sent nothing.
      return { ok: true, checks: { database: 'ok', migrations: 'applied', issuer: authenticate.issuer() } }
    },
    logger,
    now,
    isPassing: isDatabaseAway,
    limits: { maxInFlight: config.MAX_IN_FLIGHT, ratePerSecond: config.RATE_LIMIT_PER_SECOND },
    onAnswered: ({ route, method, status, durationMs, traceId }) =>
      metrics.requestSeconds.observe({ route: route ?? 'none', method, status }, durationMs / SECOND_MS, traceId),
    onRejected: (reason) => metrics.requestsRejected.inc({ reason }),
  })
  const apiServer = await listen(createNodeServer(api), { port: config.PORT, host: config.HOST, member: 'PORT' })
  const scrapes = prepareScrapes({
    app,
    directory,
    metrics,
    eventStreams: () => feed.readers(),
    onError: (error) => logger.warn({ err: error }, 'the store could not be read for a scrape'),
  })
  const metricsServer = await listen(createNodeServer(metricsListener(metrics, scrapes.refresh)), {
    port: config.METRICS_PORT,
    host: config.HOST,
    member: 'METRICS_PORT',
  })

  const stop = async (): Promise<void> => {
    await Promise.all([feed.stop(), closeNodeServer(apiServer), closeNodeServer(metricsServer)])
    scrapes.stop()
    await running.stop()
    await writer.close()
    await wakeUps.stop()
    directory.close()
    await database.close()
  }
  return {
    url: urlOf(apiServer),
    metricsUrl: urlOf(metricsServer),
    reloadInventory: async () =>
      writer.run(changeCatalogue({ catalogue: catalogueOf(settings.readInventory()), apply: true })),
    drain() {
      isLeaving = true
      drainNodeServer(apiServer)
    },
    stop: () => withinTime(stop()),
  }
}

/** What is wrong with a file of ours is told to whoever asked for it to be read. */
function refusingBadInventory<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof ConfigError ? new Refusal('invalid-inventory', `${error.message}.`) : error
  }
}

interface Surroundings {
  readonly settings: Settings
  readonly logger: Logger
  readonly metrics: Metrics
  readonly workers: Pick<Workers, 'changed' | 'mayTry'>
}

function directoryOf(of: Surroundings): ProviderDirectory {
  const entries = of.settings.providers.map(({ id, kind, served, raw }, index) => {
    const adapter = adapterOf(kind, raw, `PROVIDERS.${index}`)
    const guarded = guardProvider(adapter, {
      now: Date.now,
      metrics: of.metrics,
      circuitResetMs: CIRCUIT_RESET_MS,
      mayTry: (circuit) => of.workers.mayTry(circuit),
      onCircuit(change) {
        of.logger.warn(change, 'a provider’s circuit changed')
        of.workers.changed(change)
      },
      onPage: (page) => of.logger.error(page, 'a provider refuses what no waiting mends'),
    })
    const close = (): void => {
      guarded.close()
      adapter.close()
    }
    return { id, ...guarded, served, traffic: () => adapter.traffic(), close }
  })
  return createDirectory(entries)
}

function adapterOf(kind: string, raw: unknown, member: string): ReturnType<typeof createProvider> {
  try {
    return createProvider(kind, raw, { now: Date.now })
  } catch (error) {
    throw error instanceof ZodError ? new ConfigError(oneLine(member, error)) : error
  }
}

const providerFacts = (directory: ProviderDirectory, { inventory }: Settings) =>
  directory.entries.map(({ id, health }) => ({
    id,
    health,
    name: inventory.operators.find((operator) => operator.id === id)?.name ?? id,
  }))

/**
 * Connections that wait to be taken. Node takes one in each turn of its loop, and on a crowded machine turns are long: what
 * does not fit is not refused but cut off, after it seemed to be open. The system's own limit, mostly 4096, holds as well.
 */
const BACKLOG = 4_096

function listen(server: Server, at: { port: number; host: string; member: string }): Promise<Server> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new ConfigError(`${at.member}: ${at.host}:${at.port} cannot be listened on (${error.code ?? error.message})`),
      ),
    )
    server.listen({ port: at.port, host: at.host, backlog: BACKLOG }, () => resolve(server))
  })
}

function urlOf(server: Server): string {
  const { address, port, family } = server.address() as AddressInfo // it listens on a port, not on a pipe
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** What does not end in time is left to the next start: every step of it can be taken up again. */
function withinTime(stopping: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, STOP_WITHIN_MS)
  return Promise.race([stopping, promise]).finally(() => clearTimeout(timer))
}

/** With neither providers nor an issuer configured, the sandbox's data stand in for the files. */
export async function readSettings(config: Config): Promise<Settings> {
  if (config.PROVIDERS !== undefined || config.SANDBOX_PORT === undefined) return settingsFromFiles(config)
  const { sandboxSettings, urlsAt, withQuickTurnover } = await import('../deploy/sandbox/for-broker.ts')
  const settings = sandboxSettings(urlsAt(config.SANDBOX_PORT))
  const { INVENTORY } = config
  if (INVENTORY === undefined) return settingsFrom(settings)
  return settingsFrom({
    ...settings,
    readInventory: () => withQuickTurnover(readJsonFile('INVENTORY', INVENTORY)),
  })
}

/** For `doctor`: everything that the environment configures, looked at as it is. */
export const examineAll = (options: Pick<ExamineOptions, 'env' | 'signal'>): Promise<readonly Examined[]> =>
  examine({
    ...options,
    now: Date.now,
    readSettings,
    openProvider({ kind, raw }, index) {
      const provider = adapterOf(kind, raw, `PROVIDERS.${index}`)
      return { provider, clockSkewMs: () => provider.traffic().clockSkewMs, close: () => provider.close() }
    },
  })

/** Starts a broker from the environment and runs until SIGTERM or SIGINT. */
export async function serve(): Promise<void> {
  const config = readConfig()
  const logger = createLogger(config.LOG_LEVEL)
  const settings = await readSettings(config)
  if (config.PROVIDERS === undefined)
    logger.info({ port: config.SANDBOX_PORT }, 'the sandbox stands in for the operators')
  const broker = await startBroker({ config, settings, logger, onLost: (error) => leave(1, error.message) })
  if (config.DATABASE_URL === undefined) {
    logger.warn(
      { folder: config.DATA_DIR },
      'the embedded database survives a kill of the process, not a loss of power',
    )
  }
  logger.info({ url: broker.url, metricsUrl: broker.metricsUrl }, 'the broker is ready')
  serveUntilSignalled(broker, {
    logger,
    drainMs: config.SHUTDOWN_DELAY_SECONDS * SECOND_MS,
    onDetails: () => toggleDebug(logger, config.LOG_LEVEL),
    onStopped: () => process.exit(0),
    onFailed: (error) => leave(1, error instanceof Error ? error.message : String(error)),
  })
}

function leave(status: number, line: string): void {
  process.stderr.write(`gpu-broker: ${line}\n`)
  process.exit(status)
}

/** One clear line for what somebody configured, the whole error for what we did wrong. */
export function reportStartFailure(error: unknown): void {
  const isTheirs = [ConfigError, FolderInUse, SchemaMismatch].some((known) => error instanceof known)
  if (isTheirs && error instanceof Error) return leave(1, error.message)
  const noDatabase = whyNoDatabase(error)
  if (noDatabase !== null) return leave(1, noDatabase)
  process.stderr.write(
    `gpu-broker: could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  )
  process.exit(1)
}

if (import.meta.main) serve().catch(reportStartFailure)
