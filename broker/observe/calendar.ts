/** Gauges of the calendar: what each cluster has, who has it, and who waits. */
import { PRIORITIES } from '../../shared/approval.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import { clusterAt, clustersIn, reservationOf } from '../core/calendar-reads.ts'
import type { Calendar } from '../core/calendar.ts'
import type { WaitingEntry } from '../core/calendar-op.ts'
import { nodesFor } from '../core/cluster.ts'
import type { Metrics } from '../metrics.ts'
import type { Figures } from './store.ts'

/** Each node is in one state: what an allocation holds is ready, building or failed, and `reserved` where it is none of them. */
export function showClusters(metrics: Metrics, { calendar, built, now }: Figures): void {
  for (const { id: cluster } of clustersIn(calendar)) {
    const instant = clusterAt(calendar, cluster, now)
    const here = built.filter((sum) => sum.clusterId === cluster)
    const standing = here.filter(({ status }) => status === 'provisioning' || status === 'active')
    const ready = here.reduce((sum, one) => sum + one.ready, 0)
    const failed = here.reduce((sum, one) => sum + one.failed, 0)
    const building = Math.max(
      0,
      standing.reduce((sum, one) => sum + one.nodes - one.ready - one.failed, 0),
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
  const line = countWaiting(calendar, now)
  const architectures = new Set(clustersIn(calendar).map((cluster) => cluster.architecture))
  for (const architecture of [...architectures, ANY]) {
    for (const priority of PRIORITIES) {
      const { requests, nodes } = line.sums.get(`${architecture} ${priority}`) ?? NOBODY
      metrics.waitlistRequests.set({ architecture, priority }, requests)
      metrics.waitlistNodes.set({ architecture, priority }, nodes)
    }
  }
  metrics.waitlistOldestSeconds.set((now - line.oldestSince) / SECOND_MS)
  metrics.waitlistBehindPromise.set(line.behindPromise)
}

interface WaitingSum {
  requests: number
  nodes: number
}

const NOBODY: WaitingSum = { requests: 0, nodes: 0 }

/** Summed here, and shown once: there may be thousands. */
function countWaiting(calendar: Calendar, now: EpochMs) {
  const sums = new Map<string, WaitingSum>()
  let oldestSince = now
  let behindPromise = 0
  for (const entry of calendar.waiting.values()) {
    const key = `${architectureOf(entry, calendar)} ${entry.priority}`
    const place = reservationOf(calendar, entry.allocationId)
    const sum = sums.get(key) ?? { ...NOBODY }
    sum.requests += 1
    sum.nodes += place?.nodes ?? fewestNodes(calendar, entry)
    sums.set(key, sum)
    oldestSince = Math.min(oldestSince, entry.since)
    const { promisedStart } = entry
    if (promisedStart !== null && (place === null || place.start > promisedStart)) behindPromise += 1
  }
  return { sums, oldestSince, behindPromise }
}

/** One that no cluster has any more binds nobody to anything that could be counted. */
function architectureOf({ request }: WaitingEntry, calendar: Calendar): string {
  const [only = ANY, ...others] = request.requires.architectures ?? []
  const isKnown = calendar.listed.some(({ cluster }) => cluster.architecture === only)
  return others.length === 0 && isKnown ? only : ANY
}

const fewestNodes = (calendar: Calendar, { request: { demand } }: WaitingEntry): number => {
  if ('nodes' in demand) return demand.nodes
  const nodes = clustersIn(calendar).map((cluster) => nodesFor(cluster, demand))
  return nodes.length === 0 ? 0 : Math.min(...nodes)
}
