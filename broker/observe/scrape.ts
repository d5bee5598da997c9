/** Brings the gauges up to date for a scrape, in time whatever the database does. */
import { DECISION_KINDS } from '../../shared/decision.ts'
import { SECOND_MS } from '../../shared/time.ts'
import type { Metrics } from '../metrics.ts'
import { showClusters, showWaitlist } from './calendar.ts'
import { showConnections, showTraffic, type Watched, watchEventLoop } from './replica.ts'
import { type Figures, hideFigures, type Read, readFigures, showFigures } from './store.ts'

export interface Scraping {
  /** Resolves when the gauges are as they are now, or when the store was waited for in vain; it never rejects. */
  refresh(): Promise<void>
  stop(): void
}

export interface ScrapeOptions {
  readonly app: Read
  readonly directory: Watched
  readonly metrics: Metrics
  readonly eventStreams: () => number
  readonly onError: (error: unknown) => void
  /** How long the store is waited for; default 2 s. */
  readonly readWithinMs?: number
}

/** Prometheus waits for 10 s by default, and it is not to lose the other metrics over the store's. */
const READ_WITHIN_MS = 2 * SECOND_MS

export function prepareScrapes(options: ScrapeOptions): Scraping {
  const { app, directory, metrics, eventStreams, onError, readWithinMs = READ_WITHIN_MS } = options
  const eventLoop = watchEventLoop()
  const providerIds = directory.entries.map(({ id }) => id)
  beginAtZero(metrics, providerIds)
  let reading: Promise<Figures | null> | null = null
  // Scrapes that come while the store is being read share what is read: a database that hangs is not asked twice.
  const read = (): Promise<Figures | null> => {
    reading ??= readFigures(app)
      .catch((error: unknown) => {
        onError(error)
        return null
      })
      .finally(() => (reading = null))
    return reading
  }
  return {
    async refresh() {
      metrics.eventStreams.set(eventStreams())
      showTraffic(metrics, directory, app.now())
      showConnections(metrics, app.database)
      eventLoop.show(metrics)
      const figures = await withinTime(read(), readWithinMs)
      metrics.databaseUp.set(figures === null ? 0 : 1)
      if (figures === null) return hideFigures(metrics)
      showFigures(metrics, figures, providerIds)
      showClusters(metrics, figures)
      showWaitlist(metrics, figures)
    },
    stop: eventLoop.stop,
  }
}

/** What begins with its first event at 1 has no increase then, and an alert on a rate does not see it. */
function beginAtZero(metrics: Metrics, providerIds: readonly string[]): void {
  for (const provider of providerIds) {
    metrics.startToActiveSeconds.zero({ provider })
    metrics.releaseConfirmSeconds.zero({ provider })
  }
  for (const kind of DECISION_KINDS) metrics.decisions.inc({ kind, cluster: 'none' }, 0)
  for (const reason of ['overload', 'rate-limit']) metrics.requestsRejected.inc({ reason }, 0)
  for (const outcome of ['delivered', 'failed', 'parked']) metrics.webhookDeliveries.inc({ outcome }, 0)
}

function withinTime(reading: Promise<Figures | null>, ms: number): Promise<Figures | null> {
  const { promise, resolve } = Promise.withResolvers<null>()
  const timer = setTimeout(() => resolve(null), ms)
  return Promise.race([reading, promise]).finally(() => clearTimeout(timer))
}
