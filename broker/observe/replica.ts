/** Gauges of this replica: its calls to operators, its connections, its event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import type { Metrics } from '../metrics.ts'
import type { ProviderEntry } from '../providers/directory.ts'
import type { Database } from '../store/database.ts'

/** The providers, as far as this replica's calls say. */
export interface Watched {
  readonly entries: readonly Pick<ProviderEntry, 'id' | 'traffic' | 'health'>[]
}

/** How this replica's calls to each operator are doing: the operator's rate is shared out among replicas by nobody. */
export function showTraffic(metrics: Metrics, { entries }: Watched, now: EpochMs): void {
  for (const { id: provider, traffic, health } of entries) {
    const { ratePerSecond, inFlight, maxConcurrent, waiting } = traffic()
    metrics.providerRate.set({ provider }, ratePerSecond)
    metrics.providerInFlight.set({ provider }, inFlight)
    metrics.providerMaxInFlight.set({ provider }, maxConcurrent)
    metrics.providerWaiting.set({ provider }, waiting)
    const { lastSuccessAt, watchedSince } = health()
    const since = lastSuccessAt === null ? watchedSince : Date.parse(lastSuccessAt)
    metrics.providerLastSuccessSeconds.set({ provider }, Math.max(0, now - since) / SECOND_MS)
  }
}

export function showConnections(metrics: Metrics, database: Database): void {
  for (const [state, count] of Object.entries(database.connections())) metrics.databaseConnections.set({ state }, count)
}

export interface EventLoopWatch {
  show(metrics: Metrics): void
  stop(): void
}

const RESOLUTION_MS = 10
const NS_PER_SECOND = 1e9
/** Two scrapers, or one that asks again, see the same; a window much shorter than this says little. */
const SHORTEST_WINDOW_MS = 5 * SECOND_MS

export function watchEventLoop(): EventLoopWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let since = performance.now()
  // What it samples are intervals between its own timers, so without any lag they are as long as its resolution.
  const lagSeconds = (ns: number): number => Math.max(0, ns / NS_PER_SECOND - RESOLUTION_MS / SECOND_MS)
  return {
    show(metrics) {
      for (const percentile of [50, 99, 100]) {
        metrics.eventLoopLagSeconds.set({ percentile }, lagSeconds(delay.percentile(percentile)))
      }
      if (performance.now() - since < SHORTEST_WINDOW_MS) return
      delay.reset()
      since = performance.now()
    },
    stop: () => void delay.disable(),
  }
}
