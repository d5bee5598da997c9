/**
 * One who waits, while everybody else keeps the plan of the moment: what changes for him, if anything does. Nobody is moved
 * for another here.
 */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, type Calendar, type ClusterState } from './calendar.ts'
import type { Reservation, WaitingEntry } from './calendar-op.ts'
import { isSuspended, openUntil, reservationOf } from './calendar-reads.ts'
import type { Place } from './placement/candidate.ts'
import { factsAllow, questionOf } from './placement/feasible.ts'
import type { Policy } from './placement/policy.ts'
import { isExpired, type PlacementRequest } from './placement/request.ts'
import { scoreOf, scorePartsOf } from './placement/score.ts'
import { earliestPlace, mightStartEarlier } from './placement/search.ts'
import type { StartWindow } from './placement/window.ts'
import type { PlanChange } from './plan-change.ts'
import { firstShortage } from './timeline.ts'
import { waitingReason } from './waiting-reason.ts'

export interface Turn {
  readonly scratch: Calendar
  readonly entry: WaitingEntry
  readonly window: StartWindow
  readonly now: EpochMs
  readonly policy: Policy
  /** Whether only a start at this very instant is looked for. */
  readonly onlyNow: boolean
}

/** Null when the entry keeps what it has. The scratch calendar is left as it was. */
export function changeFor(turn: Turn): PlanChange | null {
  const { scratch, entry, now, onlyNow } = turn
  const current = reservationOf(scratch, entry.allocationId)
  if (onlyNow && turn.window.from > now) return null
  if (current === null) return planWithout(turn, false)
  const isGood = isStillGood(turn, current)
  // Most keep what they have, and are told so without touching the calendar.
  if (isGood && current.start > now && !mightGain(turn, current)) return null
  applyOp(scratch, { op: 'release', allocationId: entry.allocationId })
  const change = isGood ? planWith(turn, current) : planWithout(turn, true)
  applyOp(scratch, { op: 'reserve', reservation: current })
  return change
}

/** Whether the place, still on the calendar, may be taken up: the cluster serves it, and is not short while it lasts. */
export function isStillGood(
  { scratch, entry, now }: Pick<Turn, 'scratch' | 'entry' | 'now'>,
  current: Reservation,
): boolean {
  const state = scratch.clusters.get(current.clusterId)
  if (state === undefined || current.end <= now || !serves(scratch, state, entry.request, current.start)) return false
  const left = { start: Math.max(now, current.start), end: current.heldUntil }
  return firstShortage(state.timeline, left, 0) === null
}

const serves = (calendar: Calendar, state: ClusterState, request: PlacementRequest, from: EpochMs): boolean =>
  state.listed && !isSuspended(calendar, state.cluster) && factsAllow(questionOf(state.cluster, request, from))

function mightGain({ scratch, entry: { request }, window, now, onlyNow }: Turn, current: Reservation): boolean {
  if (current.start <= window.from) return false
  const search = { request, window, now, before: onlyNow ? now + 1 : current.start }
  return scratch.listed.some(
    (state) => mightStartEarlier(scratch, state, search, current) && serves(scratch, state, request, window.from),
  )
}

/** It has a good place, off the calendar for the moment: something earlier, or its time has come, or nothing. */
function planWith(turn: Turn, current: Reservation): PlanChange | null {
  const { scratch, now } = turn
  const { clusterId, nodes, start, end, heldUntil } = current
  const state = scratch.clusters.get(clusterId)
  if (start > now || state === undefined) {
    const earlier = earliestAnywhere(turn, turn.onlyNow ? now + 1 : start)
    return earlier === null ? null : changeTo(turn, earlier)
  }
  const { providerId } = state.cluster
  if (openUntil(scratch, providerId, now) !== null) {
    // It cannot begin here yet. Its place is better kept than given up for a pause of a minute.
    const elsewhere = earliestAnywhere(turn, now + 1)
    return elsewhere === null ? null : changeTo(turn, elsewhere)
  }
  // Begun some seconds after the hour, its full length may run into whoever comes next: then it ends as planned.
  const fullLength = earliestAt(turn, state, now + 1)
  return changeTo(turn, fullLength ?? { clusterId, providerId, nodes, start, end, heldUntil })
}

/** It has no place, or has lost it. */
function planWithout(turn: Turn, lostPlace: boolean): PlanChange | null {
  const found = earliestAnywhere(turn, turn.onlyNow ? turn.now + 1 : null)
  if (found !== null) return changeTo(turn, found)
  const expired = isExpired(turn.entry.request, turn.now)
  return expired || lostPlace ? changeTo(turn, null, expired) : null
}

export function changeTo(turn: Turn, placement: Place | null, expired = false): PlanChange {
  const { scratch, entry, window, now, policy } = turn
  const { request, allocationId } = entry
  const startsNow = placement !== null && placement.start <= now
  const startsAsAsked = placement !== null && !startsNow && placement.start === window.askedStart
  const waits = !startsNow && !startsAsAsked && !expired
  const reason = waits ? waitingReason(scratch, { request, place: placement }, now, policy) : null
  return { allocationId, placement, startsNow, startsAsAsked, expired, reason }
}

function earliestAt(turn: Turn, state: ClusterState, before: EpochMs | null): Place | null {
  const { scratch, entry, window, now } = turn
  return earliestPlace(scratch, state, { request: entry.request, window, now, before })
}

/** The earliest start before `before` at any cluster; of two alike the better score, then the first by id. */
function earliestAnywhere(turn: Turn, before: EpochMs | null): Place | null {
  const { scratch, entry, window } = turn
  let best: Place | null = null
  for (const state of scratch.listed) {
    if (!serves(scratch, state, entry.request, window.from)) continue
    const found = earliestAt(turn, state, best === null ? before : best.start + 1)
    if (found === null) continue
    if (best === null || found.start < best.start || scoreAt(turn, found) > scoreAt(turn, best)) best = found
  }
  return best
}

function scoreAt({ scratch, entry, policy }: Turn, place: Place): number {
  const state = scratch.clusters.get(place.clusterId)
  return state === undefined ? 0 : scoreOf(scorePartsOf(scratch, state, entry.request.prefers, place), policy)
}
