/** The parts of a score, each between 0 and 1. Plain arithmetic only: the same figures give the same bits on any engine. */
import type { Calendar, ClusterState } from '../calendar.ts'
import type { Cluster } from '../cluster.ts'
import { freeInHourOf, leastFreeIn } from '../timeline.ts'
import type { Place, ScoreParts } from './candidate.ts'
import { SCORE_PARTS, type Policy } from './policy.ts'
import type { Prefers } from './request.ts'

/** The share of what is preferred that the cluster offers; 1 where nothing is preferred. */
function preference(cluster: Cluster, prefers: Prefers): number {
  let stated = 0
  let met = 0
  const compare = (preferred: string | undefined, fact: string): void => {
    if (preferred === undefined) return
    stated += 1
    if (preferred === fact) met += 1
  }
  compare(prefers.architecture, cluster.architecture)
  compare(prefers.cooling, cluster.cooling)
  compare(prefers.provider, cluster.providerId)
  return stated === 0 ? 1 : met / stated
}

/** Half for a small cluster, half for a small gap: large clusters and large gaps stay whole for those who need them. */
function fit(calendar: Calendar, state: ClusterState, place: Place): number {
  const smallness = (calendar.largestNodes - state.cluster.nodes) / calendar.largestNodes
  const gap = Math.max(place.nodes, leastFreeIn(state.timeline, { start: place.start, end: place.heldUntil }))
  return (smallness + place.nodes / gap) / 2
}

const energy = (cluster: Cluster): number => (cluster.cooling === 'liquid' ? 1 : 0)

/** The free share of all that the operator's clusters in the catalogue have, when it would start. */
function balance(calendar: Calendar, place: Place): number {
  let free = 0
  let all = 0
  for (const { cluster, timeline } of calendar.listed) {
    if (cluster.providerId !== place.providerId || !cluster.mapped) continue
    free += Math.max(0, freeInHourOf(timeline, place.start))
    all += cluster.nodes
  }
  return all === 0 ? 0 : Math.min(1, free / all)
}

export const scorePartsOf = (calendar: Calendar, state: ClusterState, prefers: Prefers, place: Place): ScoreParts => ({
  preference: preference(state.cluster, prefers),
  fit: fit(calendar, state, place),
  energy: energy(state.cluster),
  balance: balance(calendar, place),
})

/** Summed in the fixed order of `SCORE_PARTS`: sums of fractions depend on their order. */
export function scoreOf(parts: ScoreParts, policy: Policy): number {
  let score = 0
  for (const part of SCORE_PARTS) score += policy.weights[part] * parts[part]
  return score
}
