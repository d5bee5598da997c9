/**
 * Where and when: every cluster is asked, those that can serve are ranked, the first is chosen, and all are kept with
 * their reasons. The whole answer follows from the calendar, the request, `now` and the policy.
 */
import type { Reason } from '../../../shared/decision.ts'
import { DAY_MS, type EpochMs } from '../../../shared/time.ts'
import { coverNow, type Calendar, type ClusterState } from '../calendar.ts'
import { openUntil } from '../calendar-reads.ts'
import { isAsAsked, type Candidate, type Place, type Placement } from './candidate.ts'
import { questionOf, reasonsOfFact, suspended, type Question } from './feasible.ts'
import type { Policy } from './policy.ts'
import type { PlacementRequest } from './request.ts'
import { scoreOf, scorePartsOf } from './score.ts'
import { earliestPlace } from './search.ts'
import { reasonsOfTime } from './timely.ts'
import { windowOfAsk, windowOfWait, type StartWindow } from './window.ts'

interface Asked {
  readonly calendar: Calendar
  readonly request: PlacementRequest
  readonly window: StartWindow
  readonly now: EpochMs
  readonly policy: Policy
}

/**
 * Places a request that has just come. `best` starts as asked where anything does; else it is the place to wait for. The
 * calendar is not changed.
 */
export function place(calendar: Calendar, request: PlacementRequest, now: EpochMs, policy: Policy): Placement {
  return chosenAmong({ calendar, request, window: windowOfAsk(request.period, now), now, policy })
}

/**
 * The same for an allocation that waits, or has lost its place: its period keeps its length and slides. Its own
 * reservation must not be on the calendar (`withOps(calendar, [{ op: 'release', … }], …)`).
 */
export function placeAgain(calendar: Calendar, request: PlacementRequest, now: EpochMs, policy: Policy): Placement {
  return chosenAmong({ calendar, request, window: windowOfWait(request.period, now), now, policy })
}

/**
 * Whether a caller who will not wait is served: with a fixed period, by the asked start; with a flexible one, by any start
 * that it allows. For idle-use a later start is an estimate, and cannot be had.
 */
export const canBeHad = (placement: Placement, request: PlacementRequest): boolean =>
  request.period.kind === 'flexible' && request.priority !== 'idle' ? placement.best !== null : placement.startsAsAsked

interface Ranked {
  readonly place: Place
  readonly circuitOpen: boolean
  readonly delayDays: number
  readonly score: number
}

function chosenAmong(asked: Asked): Placement {
  coverNow(asked.calendar, asked.now)
  const candidates: Candidate[] = []
  let best: Ranked | null = null
  for (const state of asked.calendar.listed) {
    const { candidate, ranked } = candidateAt(asked, state)
    candidates.push(candidate)
    // Clusters come by id, so that of two alike the first stays.
    if (ranked !== null && (best === null || compareRanked(ranked, best) < 0)) best = ranked
  }
  const place = best?.place ?? null
  const at = { askedStart: asked.window.askedStart, now: asked.now }
  return { best: place, startsAsAsked: place !== null && isAsAsked(asked.request, place, at), candidates }
}

const compareRanked = (a: Ranked, b: Ranked): number =>
  Number(a.circuitOpen) - Number(b.circuitOpen) || a.delayDays - b.delayDays || b.score - a.score

/** In whole days, rounded up: no later start ever ranks with one that is as asked. */
const delayDays = (place: Place, window: StartWindow): number =>
  Math.max(0, Math.ceil((place.start - window.askedStart) / DAY_MS))

function candidateAt(asked: Asked, state: ClusterState): { candidate: Candidate; ranked: Ranked | null } {
  const { calendar, request, window, now, policy } = asked
  const { cluster } = state
  const question = questionOf(cluster, request, window.from)
  const reasons = reasonsOfFact(question)
  const suspension = suspended(calendar, cluster)
  if (suspension !== null) reasons.unshift(suspension)
  if (reasons.length > 0) return { candidate: infeasible(question, reasons), ranked: null }

  const place = earliestPlace(calendar, state, { request, window, now, before: null })
  const late = reasonsOfTime({ calendar, state, question, window, now, place })
  if (place === null) return { candidate: infeasible(question, late), ranked: null }

  const scoreParts = scorePartsOf(calendar, state, request.prefers, place)
  const score = scoreOf(scoreParts, policy)
  const circuitOpen = openUntil(calendar, cluster.providerId, now) !== null
  return {
    candidate: {
      clusterId: cluster.id,
      nodes: question.nodes,
      gpus: question.nodes * cluster.gpusPerNode,
      feasible: true,
      earliestStart: place.start,
      score,
      scoreParts,
      reasons: late,
    },
    ranked: { place, circuitOpen, delayDays: delayDays(place, window), score },
  }
}

const infeasible = ({ cluster, nodes }: Question, reasons: readonly Reason[]): Candidate => ({
  clusterId: cluster.id,
  nodes,
  gpus: nodes * cluster.gpusPerNode,
  feasible: false,
  earliestStart: null,
  score: null,
  scoreParts: null,
  reasons,
})
