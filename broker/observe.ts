/** What is counted where the metrics module must not reach: commits, and what the store holds. */
import { EVENT_PREFIX, type EventType } from '../shared/event.ts'
import { SLIP_CAUSES } from '../shared/promise.ts'
import { type EpochMs, SECOND_MS } from '../shared/time.ts'
import type { Changes } from './store/changes.ts'
import type { Database } from './store/database.ts'
import { liveStatusCounts } from './store/allocations.ts'
import { quarantineCounts } from './store/quarantines.ts'
import { findingCounts, sweptProviders } from './store/sweeps.ts'
import { webhookBacklog } from './store/webhooks.ts'
import type { Metrics } from './metrics.ts'
import type { ProviderDirectory } from './providers/directory.ts'
import { SWEEP_KINDS } from '../shared/reconciliation.ts'

const SLIPPED = `${EVENT_PREFIX}${'allocation.promise-slipped' satisfies EventType}`

interface Commit {
  readonly members: number
  readonly seconds: number
  readonly changes: Changes
}

export function observeCommit(metrics: Metrics): (commit: Commit) => void {
  // What has not happened yet reads as 0 and not as missing, so that an alert can tell the two apart.
  for (const cause of [...SLIP_CAUSES, 'unexplained']) metrics.promisesSlipped.inc({ cause }, 0)
  return ({ members, seconds, changes }) => {
    metrics.groupMembers.observe(members)
    metrics.commitSeconds.observe(seconds)
    for (const decision of changes.decisions) {
      const { clusterId } = decision.outcome as { readonly clusterId?: string }
      metrics.decisions.inc({ kind: decision.kind, cluster: clusterId ?? 'none' })
    }
    for (const { type, data } of changes.events) {
      if (type !== SLIPPED) continue
      const { cause } = data as { readonly cause: string }
      metrics.promisesSlipped.inc({ cause })
    }
  }
}

/** Read from the store at each scrape, so that every replica says the same. */
export async function observeStore(metrics: Metrics, database: Database, now: EpochMs): Promise<void> {
  const statuses = await liveStatusCounts(database.queries)
  const quarantines = await quarantineCounts(database.queries)
  metrics.allocations.reset()
  for (const [status, count] of statuses) metrics.allocations.set({ status }, count)
  metrics.quarantineNodes.reset()
  metrics.quarantineOldestSeconds.reset()
  for (const { clusterId: cluster, nodes, oldestSince } of quarantines) {
    metrics.quarantineNodes.set({ cluster }, nodes)
    metrics.quarantineOldestSeconds.set({ cluster }, (now - oldestSince) / SECOND_MS)
  }
  await observeSweeps(metrics, database)
  const { retrying, behind } = await webhookBacklog(database.queries)
  metrics.webhookRetrying.set(retrying)
  metrics.webhookBehind.set(behind)
}

/** Of every provider that was ever swept, zeros included: an alert must see that there is nothing. */
async function observeSweeps(metrics: Metrics, database: Database): Promise<void> {
  const counts = await findingCounts(database.queries)
  for (const provider of await sweptProviders(database.queries)) {
    const here = counts.filter((one) => one.providerId === provider)
    for (const kind of SWEEP_KINDS) {
      metrics.sweepFindings.set({ provider, kind }, here.find((one) => one.kind === kind)?.count ?? 0)
    }
    metrics.sweepHeld.set(
      { provider },
      here.reduce((sum, one) => sum + one.held, 0),
    )
  }
}

/** How this replica's calls to each operator are doing: the operator's rate is shared out among replicas by nobody. */
export function observeTraffic(metrics: Metrics, { entries }: ProviderDirectory): void {
  for (const { id: provider, traffic } of entries) {
    const { ratePerSecond, inFlight, maxConcurrent, waiting } = traffic()
    metrics.providerRate.set({ provider }, ratePerSecond)
    metrics.providerInFlight.set({ provider }, inFlight)
    metrics.providerMaxInFlight.set({ provider }, maxConcurrent)
    metrics.providerWaiting.set({ provider }, waiting)
  }
}
