/**
 * Who waits for idle-use: in serving order each is given what is free now, or an estimate. None holds a place while it
 * waits, so the estimates are made as if those in front had theirs, until the calendar needs the nodes again.
 */
import type { EpochMs } from '../../../shared/time.ts'
import { applyOp, coverNow, type Calendar } from '../calendar.ts'
import { cloneCalendar } from '../calendar-copy.ts'
import type { WaitingEntry } from '../calendar-op.ts'
import { isSuspended, waiting } from '../calendar-reads.ts'
import { reservationFor, type PlanChange } from '../plan-change.ts'
import type { Place } from '../placement/candidate.ts'
import { factsAllow, questionOf } from '../placement/feasible.ts'
import type { Policy } from '../placement/policy.ts'
import { isExpired } from '../placement/request.ts'
import { scoreOf, scorePartsOf } from '../placement/score.ts'
import { earliestPlace } from '../placement/search.ts'
import { windowOfWait } from '../placement/window.ts'
import { finished } from '../steps.ts'
import { firstShortage } from '../timeline.ts'
import { waitingReason } from '../waiting-reason.ts'

/** So many from the head of the line are given an estimate at a time; the others keep theirs until they move up. */
const MOST_ESTIMATED = 500

/**
 * Starts, estimates and lapses, in serving order; who is not named keeps what he was told. To be asked once those who
 * reserve have been planned: they come first. The calendar stays as it is.
 */
export function serveIdle(calendar: Calendar, now: EpochMs, policy: Policy): PlanChange[] {
  if (!someoneWaitsForIdle(calendar)) return []
  return finished(serveIdleSteps(cloneCalendar(calendar), now, policy))
}

/** They are last in line. */
export const someoneWaitsForIdle = (calendar: Calendar): boolean => waiting(calendar).at(-1)?.priority === 'idle'

/**
 * The same, one after the other, so that it can be done in slices.
 *
 * @param scratch is changed: hand in a clone
 */
export function* serveIdleSteps(scratch: Calendar, now: EpochMs, policy: Policy): Generator<undefined, PlanChange[]> {
  const line = waiting(scratch).filter((entry) => entry.priority === 'idle')
  coverNow(scratch, now)
  const changes: PlanChange[] = []
  for (const entry of line.slice(0, MOST_ESTIMATED)) {
    yield
    const place = earliestFor(scratch, entry, now, policy)
    const expired = place === null && isExpired(entry.request, now)
    const startsNow = place !== null && place.start <= now
    const reason = startsNow || expired ? null : waitingReason(scratch, { request: entry.request, place }, now, policy)
    changes.push({
      allocationId: entry.allocationId,
      placement: place,
      startsNow,
      startsAsAsked: false,
      expired,
      reason,
    })
    if (place !== null) takeUp(scratch, entry, place)
  }
  return changes
}

/** Nobody behind may count on its nodes while it runs: to its end, or until somebody who reserves needs them. */
function takeUp(scratch: Calendar, entry: WaitingEntry, place: Place): void {
  const state = scratch.clusters.get(place.clusterId)
  if (state === undefined) return
  const heldUntil = firstShortage(state.timeline, { start: place.start, end: place.heldUntil }, place.nodes)
  const taken = { ...place, heldUntil: heldUntil ?? place.heldUntil }
  // Planned, so that it is charged whole and not as something that gives way.
  applyOp(scratch, { op: 'reserve', reservation: reservationFor(entry, taken, 'planned') })
}

/** The earliest start at any cluster; of two alike the better score, then the first by id. */
function earliestFor(scratch: Calendar, { request }: WaitingEntry, now: EpochMs, policy: Policy): Place | null {
  const window = windowOfWait(request.period, now)
  let best: Place | null = null
  let bestScore = 0
  for (const state of scratch.listed) {
    if (isSuspended(scratch, state.cluster) || !factsAllow(questionOf(state.cluster, request, window.from))) continue
    const before = best === null ? null : best.start + 1
    const found = earliestPlace(scratch, state, { request, window, now, before })
    if (found === null) continue
    const score = scoreOf(scorePartsOf(scratch, state, request.prefers, found), policy)
    if (best !== null && found.start === best.start && score <= bestScore) continue
    best = found
    bestScore = score
  }
  return best
}
