/** The clusters as they really are in a replay: who holds what until when. It believes no policy. */
import type { EpochMs } from '../../shared/time.ts'
import { phaseAt, type Cluster } from '../core/cluster.ts'
import { createEventHeap } from './event-heap.ts'
import type { Fleet } from './fleet.ts'
import type { Start } from './scheduler.ts'
import type { SimRequest } from './workload.ts'

/** One request's fate. */
export interface Run {
  readonly request: SimRequest
  readonly cluster: Cluster
  readonly startedAt: EpochMs
  readonly endedAt: EpochMs
  /** Until when its nodes were held: the turnover is in it. */
  readonly heldUntil: EpochMs
  /** Null: nobody promised any. */
  readonly promisedStart: EpochMs | null
}

export interface Machine {
  readonly runs: readonly Run[]
  /** @throws RangeError when it may not start here and now */
  begin(start: Start, now: EpochMs): void
  /** Whose use ends up to now; each is told once. */
  endedUntil(now: EpochMs): readonly SimRequest[]
  /** Whose turnover ends up to now; each is told once. */
  givenBackUntil(now: EpochMs): readonly SimRequest[]
  /** The next end of a use or a turnover; infinity when nothing runs. */
  nextAt(): EpochMs
  /** Infinity after the last. */
  nextPhaseAfter(now: EpochMs): EpochMs
}

export function machineOf({ clusters }: Fleet): Machine {
  const byId = new Map(clusters.map((cluster) => [cluster.id, cluster]))
  const held = new Map<string, number>()
  const started = new Set<SimRequest>()
  const runs: Run[] = []
  const ends = createEventHeap<SimRequest>()
  const returns = createEventHeap<Run>()
  const phases = clusters.flatMap((cluster) => cluster.phases.map(({ from }) => from)).toSorted((a, b) => a - b)
  const heldAt = (id: string): number => held.get(id) ?? 0
  return {
    runs,
    begin({ request, clusterId, promisedStart }, now) {
      const cluster = byId.get(clusterId)
      const breach = breachOf({ request, cluster, hasStarted: started.has(request), held: heldAt(clusterId), now })
      if (cluster === undefined || breach !== null) throw new RangeError(`${request.id} at ${clusterId}: ${breach}`)
      started.add(request)
      held.set(clusterId, heldAt(clusterId) + request.nodes)
      const endedAt = now + request.usedMs
      const run = { request, cluster, startedAt: now, endedAt, heldUntil: endedAt + cluster.turnoverMs, promisedStart }
      runs.push(run)
      ends.put(endedAt, request)
      returns.put(run.heldUntil, run)
    },
    endedUntil: (now) => ends.takeUntil(now),
    givenBackUntil: (now) =>
      returns.takeUntil(now).map(({ request, cluster }) => {
        held.set(cluster.id, heldAt(cluster.id) - request.nodes)
        return request
      }),
    nextAt: () => Math.min(ends.nextAt(), returns.nextAt()),
    nextPhaseAfter: (now) => phases.find((from) => from > now) ?? Number.POSITIVE_INFINITY,
  }
}

interface Attempt {
  readonly request: SimRequest
  readonly cluster: Cluster | undefined
  readonly hasStarted: boolean
  /** Nodes held at the cluster before. */
  readonly held: number
  readonly now: EpochMs
}

/** Null when all is well. */
function breachOf({ request, cluster, hasStarted, held, now }: Attempt): string | null {
  if (cluster === undefined) return 'there is no such cluster'
  if (cluster.architecture !== request.architecture) return `it asks for ${request.architecture}`
  if (hasStarted) return 'it has started before'
  if (now < request.submittedAt) return 'it has not been submitted yet'
  const capacity = phaseAt(cluster.phases, now)?.nodes ?? 0
  return held + request.nodes <= capacity ? null : `${held + request.nodes} nodes would be held, and it has ${capacity}`
}
