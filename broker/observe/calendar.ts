/** Gauges of the calendar: what each cluster has, who has it, and who waits. */
import { PRIORITIES } from '../../shared/approval.ts'
import { SECOND_MS } from '../../shared/time.ts'
import { clusterAt, clustersIn, reservationOf } from '../core/calendar-reads.ts'
import type { Calendar } from '../core/calendar.ts'
import type { WaitingEntry } from '../core/calendar-op.ts'
import { nodesFor } from '../core/cluster.ts'
import type { Metrics } from '../metrics.ts'
import type { Figures } from './store.ts'

/** Each node is in one state: what an allocation holds is ready, building or failed, and `reserved` where it is none of them. */
export function showClusters(metrics: Metrics, { calendar, live, now }: Figures): void {
  for (const { id: cluster } of clustersIn(calendar)) {
    const instant = clusterAt(calendar, cluster, now)
    const here = live.filter((sum) => sum.clusterId === cluster)
    const built = here.filter(({ status }) => status === 'provisioning' || status === 'active')
    const ready = here.reduce((sum, one) => sum + one.ready, 0)
    const failed = here.reduce((sum, one) => sum + one.failed, 0)
    const building = Math.max(
      0,
      built.reduce((sum, one) => sum + one.nodes - one.ready - one.failed, 0),
    )
    const states = {
      ready,
      failed,
      building,
      quarantined: instant.quarantined,
      drained: instant.drained,
      reserved: Math.max(0, instant.reserved - ready - failed - building),
      idle: instant.idle,
    }
    for (const [state, nodes] of Object.entries(states)) metrics.nodes.set({ cluster, state }, nodes)
    metrics.clusterCapacity.set({ cluster }, instant.capacity)
    metrics.clusterShortfall.set({ cluster }, instant.shortfall)
  }
}

const ANY = 'any'

export function showWaitlist(metrics: Metrics, { calendar, now }: Figures): void {
  const architectures = new Set(clustersIn(calendar).map((cluster) => cluster.architecture))
  for (const architecture of [...architectures, ANY]) {
    for (const priority of PRIORITIES) {
      metrics.waitlistRequests.set({ architecture, priority }, 0)
      metrics.waitlistNodes.set({ architecture, priority }, 0)
    }
  }
  let oldest = now
  let behindPromise = 0
  for (const entry of calendar.waiting.values()) {
    const labels = { architecture: architectureOf(entry), priority: entry.priority }
    const place = reservationOf(calendar, entry.allocationId)
    metrics.waitlistRequests.inc(labels)
    metrics.waitlistNodes.inc(labels, place?.nodes ?? fewestNodes(calendar, entry))
    oldest = Math.min(oldest, entry.since)
    const { promisedStart } = entry
    if (promisedStart !== null && (place === null || place.start > promisedStart)) behindPromise += 1
  }
  metrics.waitlistOldestSeconds.set((now - oldest) / SECOND_MS)
  metrics.waitlistBehindPromise.set(behindPromise)
}

function architectureOf({ request }: WaitingEntry): string {
  const { architectures } = request.requires
  return architectures?.length === 1 ? (architectures[0] ?? ANY) : ANY
}

const fewestNodes = (calendar: Calendar, { request: { demand } }: WaitingEntry): number => {
  if ('nodes' in demand) return demand.nodes
  const nodes = clustersIn(calendar).map((cluster) => nodesFor(cluster, demand))
  return nodes.length === 0 ? 0 : Math.min(...nodes)
}
