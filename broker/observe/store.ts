/**
 * Gauges of what the store holds, read at a scrape: every replica says the same. Reading and showing are apart, so that a
 * scrape that comes too late to be answered shows nothing, and two at once do not see each other's half.
 */
import { SWEEP_KINDS } from '../../shared/reconciliation.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import type { Calendar } from '../core/calendar.ts'
import { clustersIn } from '../core/calendar-reads.ts'
import type { Metrics } from '../metrics.ts'
import { type BuiltSum, builtSums, type SmallFigures, smallFigures } from '../store/figures.ts'

export interface Figures extends SmallFigures {
  readonly now: EpochMs
  readonly calendar: Calendar
  readonly built: readonly BuiltSum[]
}

/** What figures are read from. */
export type Read = Pick<App, 'database' | 'cache' | 'now'>

/** One after another: a scrape takes one connection, and leaves the others to those who wait for answers. */
export async function readFigures({ database, cache, now }: Read): Promise<Figures> {
  const db = database.queries
  const at = now()
  const built = await builtSums(db)
  const small = await smallFigures(db, at)
  return { ...small, now: at, built, calendar: await cache.read() }
}

/** @param providerIds those that are configured */
export function showFigures(metrics: Metrics, figures: Figures, providerIds: readonly string[]): void {
  hideFigures(metrics)
  showAllocations(metrics, figures, providerIds)
  showBuilding(metrics, figures, providerIds)
  for (const { id: cluster } of clustersIn(figures.calendar)) {
    metrics.quarantineNodes.set({ cluster }, 0)
    metrics.quarantineOldestSeconds.set({ cluster }, 0)
  }
  for (const { clusterId: cluster, nodes, oldestSince } of figures.quarantines) {
    metrics.quarantineNodes.set({ cluster }, nodes)
    metrics.quarantineOldestSeconds.set({ cluster }, (figures.now - oldestSince) / SECOND_MS)
  }
  showSweeps(metrics, figures)
  metrics.webhookRetrying.set(figures.retrying)
  metrics.webhookBehind.set(figures.behind)
  const overdueMs = figures.oldestDueAt === null ? 0 : figures.now - figures.oldestDueAt
  metrics.reconcileLagSeconds.set(Math.max(0, overdueMs) / SECOND_MS)
  for (const provider of providerIds) metrics.frozen.set({ provider }, figures.frozen.includes(provider) ? 1 : 0)
  metrics.frozen.set({ provider: 'all' }, providerIds.every((id) => figures.frozen.includes(id)) ? 1 : 0)
  metrics.deletesHeld.set(figures.deletesHeld ? 1 : 0)
}

/** What the store cannot be asked for is left out: an old figure looks like a new one. */
export function hideFigures(metrics: Metrics): void {
  for (const gauge of storeGauges(metrics)) gauge.reset()
  for (const gauge of plainGauges(metrics)) gauge.remove()
}

/** By their labels. */
const storeGauges = (metrics: Metrics) => [
  metrics.allocations,
  metrics.nodes,
  metrics.clusterCapacity,
  metrics.clusterShortfall,
  metrics.quarantineNodes,
  metrics.quarantineOldestSeconds,
  metrics.waitlistRequests,
  metrics.waitlistNodes,
  metrics.provisioningOldestSeconds,
  metrics.frozen,
  metrics.sweepFindings,
  metrics.sweepHeld,
]

const plainGauges = (metrics: Metrics) => [
  metrics.waitlistOldestSeconds,
  metrics.waitlistBehindPromise,
  metrics.meteringGap,
  metrics.deletesHeld,
  metrics.webhookRetrying,
  metrics.webhookBehind,
  metrics.reconcileLagSeconds,
]

const BUILT = ['provisioning', 'active', 'preempting', 'releasing'] as const

/** Zeros included: what falls to 0 must not look as if it stayed where it was. */
function showAllocations(
  metrics: Metrics,
  { built, unmetered, calendar }: Figures,
  providerIds: readonly string[],
): void {
  metrics.allocations.set({ status: 'waitlisted', provider: 'none' }, calendar.waiting.size)
  for (const [provider, count] of scheduledAt(calendar, providerIds)) {
    metrics.allocations.set({ status: 'scheduled', provider }, count)
  }
  for (const status of BUILT) for (const provider of providerIds) metrics.allocations.set({ status, provider }, 0)
  for (const sum of built) {
    metrics.allocations.inc({ status: sum.status, provider: sum.providerId ?? 'none' }, sum.allocations)
  }
  metrics.meteringGap.set(unmetered)
}

function scheduledAt(calendar: Calendar, providerIds: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map(providerIds.map((id) => [id, 0]))
  for (const { cluster, reservations } of calendar.clusters.values()) {
    let scheduled = counts.get(cluster.providerId) ?? 0
    for (const { what } of reservations.values()) if (what.phase === 'scheduled') scheduled += 1
    counts.set(cluster.providerId, scheduled)
  }
  return counts
}

function showBuilding(metrics: Metrics, { built, now }: Figures, providerIds: readonly string[]): void {
  for (const provider of providerIds) {
    const starts = built.flatMap(({ status, providerId, oldestStartAt }) =>
      status === 'provisioning' && providerId === provider && oldestStartAt !== null ? [oldestStartAt] : [],
    )
    const oldest = Math.min(now, ...starts)
    metrics.provisioningOldestSeconds.set({ provider }, (now - oldest) / SECOND_MS)
  }
}

/** Of every provider that was ever swept, zeros included: an alert must see that there is nothing. */
function showSweeps(metrics: Metrics, { findings, swept }: Figures): void {
  for (const provider of swept) {
    const here = findings.filter((one) => one.providerId === provider)
    for (const kind of SWEEP_KINDS) {
      metrics.sweepFindings.set({ provider, kind }, here.find((one) => one.kind === kind)?.count ?? 0)
    }
    metrics.sweepHeld.set(
      { provider },
      here.reduce((sum, one) => sum + one.held, 0),
    )
  }
}
