/** What is counted where the metrics module must not reach: commits, and what the store holds. */
import type { Changes } from './store/changes.ts'
import type { Database } from './store/database.ts'
import { liveStatusCounts } from './store/allocations.ts'
import type { Metrics } from './metrics.ts'

export const observeCommit =
  (metrics: Metrics) =>
  ({
    members,
    seconds,
    changes,
  }: {
    readonly members: number
    readonly seconds: number
    readonly changes: Changes
  }): void => {
    metrics.groupMembers.observe(members)
    metrics.commitSeconds.observe(seconds)
    for (const decision of changes.decisions) {
      const { clusterId } = decision.outcome as { readonly clusterId?: string }
      metrics.decisions.inc({ kind: decision.kind, cluster: clusterId ?? 'none' })
    }
  }

/** Read from the store at each scrape, so that every replica says the same. */
export async function observeStatuses(metrics: Metrics, database: Database): Promise<void> {
  metrics.allocations.reset()
  for (const [status, count] of await liveStatusCounts(database.queries)) metrics.allocations.set({ status }, count)
}
