/** One running broker: everything built once and bound together, and stopped in order. */
import type { Server } from 'node:http'
import type { Logger } from 'pino'
import type { Inventory } from '../../shared/inventory.ts'
import type { InventoryReload } from '../../shared/operation.ts'
import { Refusal } from '../../shared/refusal.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { changeCatalogue } from '../app/reload-inventory.ts'
import { type Config, ConfigError } from '../config.ts'
import { type Cluster, clustersOf } from '../core/cluster.ts'
import { closeNodeServer, drainNodeServer } from '../http/node-server.ts'
import { CONTRACT_VERSION } from '../http/openapi.ts'
import { setLogLevel } from '../log.ts'
import { createMetrics, type Metrics } from '../metrics.ts'
import { prepareScrapes } from '../observe/scrape.ts'
import { createPoster } from '../outbound/post.ts'
import type { ProviderDirectory } from '../providers/directory.ts'
import { adoptedLister } from '../providers/list-adopted.ts'
import type { Settings } from '../settings.ts'
import { type Database, openDatabase } from '../store/database.ts'
import { bindUseCases } from '../use-cases.ts'
import { BROKER_VERSION } from '../version.ts'
import { adoptCircuits } from '../workers/circuits.ts'
import { startEventFeed } from '../workers/events.ts'
import { holdOverdue } from '../workers/quarantine.ts'
import { startWorkers, type Workers } from '../workers/workers.ts'
import { startApplication } from './application.ts'
import { listenForApi, listenForScrapes, urlOf } from './listeners.ts'
import { directoryOf, providerFacts } from './operators.ts'

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

/** What every part of it is built with. */
interface Parts extends BrokerOptions {
  readonly metrics: Metrics
  readonly directory: ProviderDirectory
  readonly database: Database
  readonly catalogueOf: (inventory: Inventory) => readonly Cluster[]
}

const STOP_WITHIN_MS = 10 * SECOND_MS

export async function startBroker(options: BrokerOptions): Promise<RunningBroker> {
  const { config, settings, logger } = options
  const metrics = createMetrics()
  metrics.buildInfo.set({ version: BROKER_VERSION, node: process.versions.node, contract: CONTRACT_VERSION }, 1)
  const workers = notYetRunning()
  const directory = directoryOf({ settings, logger, metrics, workers })
  const database = await openStore(options, metrics)
  const parts = { ...options, metrics, directory, database, catalogueOf: catalogues(config, directory) }
  const { app, wakeUps } = await startApplication({
    database,
    catalogue: parts.catalogueOf(settings.inventory),
    metrics,
    logger,
    onWake: () => workers.poke(),
    now: Date.now,
  })
  const running = await startAllWorkers(app, parts)
  Object.assign(workers, running)
  const listening = await listenOnBoth(app, parts)
  const stop = async (): Promise<void> => {
    await listening.close()
    await running.stop()
    await app.writer.close()
    await wakeUps.stop()
    directory.close()
    await database.close()
  }
  return {
    url: urlOf(listening.api),
    metricsUrl: urlOf(listening.metrics),
    reloadInventory: async () =>
      app.writer.run(changeCatalogue({ catalogue: parts.catalogueOf(settings.readInventory()), apply: true })),
    drain: listening.drain,
    stop: () => withinTime(stop()),
  }
}

type WorkersInUse = Pick<Workers, 'poke' | 'changed' | 'mayTry'>

/** In their place until they run: what they are built of already speaks to them. */
const notYetRunning = (): WorkersInUse => ({
  poke: () => undefined,
  changed: () => undefined,
  mayTry: async () => false, // nothing is called before they run
})

const openStore = ({ config, logger, onLost }: BrokerOptions, metrics: Metrics): Promise<Database> =>
  openDatabase({
    url: config.DATABASE_URL ?? null,
    folder: config.DATA_DIR,
    onLost,
    onBroken: (error) => logger.warn({ err: error }, 'a connection to the database broke'),
    onTransaction: (kind, seconds) => metrics.transactionSeconds.observe({ kind }, seconds),
  })

/** The clusters of an inventory with what is configured of them. */
function catalogues(config: Config, directory: ProviderDirectory): Parts['catalogueOf'] {
  const mappings = new Map(
    directory.entries.flatMap((entry) => entry.served.map((one) => [one.clusterId, { images: one.images }] as const)),
  )
  const rules = {
    idleNoticeMs: Math.round(config.IDLE_NOTICE_MINUTES * MINUTE_MS),
    maxSharePerOrganization: config.MAX_SHARE_PER_ORGANIZATION,
  }
  return (inventory) => clustersOf(inventory, mappings, rules)
}

async function startAllWorkers(app: App, { config, directory, metrics, logger }: Parts): Promise<Workers> {
  const releaseConfirmMs = Math.round(config.RELEASE_CONFIRM_MINUTES * MINUTE_MS)
  await holdOverdue(app, releaseConfirmMs)
  await adoptCircuits(app.database.queries, directory)
  return startWorkers({
    app,
    directory,
    installationId: app.installationId,
    metrics,
    logger,
    releaseConfirmMs,
    providerDownMs: Math.round(config.PROVIDER_DOWN_MINUTES * MINUTE_MS),
    post: createPoster(targetsOf(config)),
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
}

/** Which endpoints of others may be sent to. */
const targetsOf = ({ WEBHOOK_ALLOW_PRIVATE }: Config) => ({ allowPrivate: WEBHOOK_ALLOW_PRIVATE === 'true' })

interface Listening {
  readonly api: Server
  readonly metrics: Server
  drain(): void
  close(): Promise<void>
}

async function listenOnBoth(app: App, parts: Parts): Promise<Listening> {
  const { config, settings, logger, metrics, directory, database, catalogueOf } = parts
  const feed = startEventFeed({
    app,
    metrics,
    onError: (error) => logger.error({ err: error }, 'new events could not be read'),
  })
  let isLeaving = false
  const useCases = bindUseCases(app, {
    providers: providerFacts(directory, settings),
    feed,
    targets: targetsOf(config),
    listAdopted: adoptedLister(directory, app.installationId, app.now),
    setLogLevel: (level) => setLogLevel(logger, level),
    readCatalogue: () => refusingBadInventory(() => catalogueOf(settings.readInventory())),
  })
  const isLeavingNow = (): boolean => isLeaving
  const api = await listenForApi({ config, settings, logger, metrics, database, useCases, isLeaving: isLeavingNow })
  const scrapes = prepareScrapes({
    app,
    directory,
    metrics,
    eventStreams: () => feed.readers(),
    onError: (error) => logger.warn({ err: error }, 'the store could not be read for a scrape'),
  })
  const metricsServer = await listenForScrapes(config, metrics, scrapes.refresh)
  return {
    api,
    metrics: metricsServer,
    drain() {
      isLeaving = true
      drainNodeServer(api)
    },
    async close() {
      await Promise.all([feed.stop(), closeNodeServer(api), closeNodeServer(metricsServer)])
      scrapes.stop()
    },
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

/** What does not end in time is left to the next start: every step of it can be taken up again. */
function withinTime(stopping: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, STOP_WITHIN_MS)
  return Promise.race([stopping, promise]).finally(() => clearTimeout(timer))
}
