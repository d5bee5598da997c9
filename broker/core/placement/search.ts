/** The earliest place for a request at one cluster that no rule of facts speaks against. */
import type { EpochMs } from '../../../shared/time.ts'
import { stateOf, type Calendar, type ClusterState } from '../calendar.ts'
import type { Reservation } from '../calendar-op.ts'
import { isSuspended, openUntil } from '../calendar-reads.ts'
import { nodesFor } from '../cluster.ts'
import { approvalBlocksUntil, commitmentsOf } from '../commitments.ts'
import { shareBlocksUntil } from '../concentration.ts'
import { surelyNeeded, withGrantsKept } from '../idle/charge.ts'
import { earliestFullHour, firstShortage } from '../timeline.ts'
import type { Place } from './candidate.ts'
import { factsAllow, questionOf } from './feasible.ts'
import { holdingOf, type PlacementRequest } from './request.ts'
import { clusterWindow, windowOfWait, type StartWindow } from './window.ts'

/** So often a search jumps past one obstacle of its approval; then past all of them, which always helps. */
const MOST_JUMPS = 64

export interface Search {
  readonly request: PlacementRequest
  readonly window: StartWindow
  readonly now: EpochMs
  /** Only a start before this one is of use; null: any. */
  readonly before: EpochMs | null
}

/**
 * Null when nothing starts early enough. The calendar covers `now`, and holds no reservation of the same allocation. For
 * idle-use, a start after `now` is an estimate: nothing is reserved for it.
 */
export const earliestPlace = (calendar: Calendar, state: ClusterState, search: Search): Place | null =>
  search.request.priority === 'idle'
    ? withGrantsKept(calendar, state, () => searchPlace(calendar, state, search))
    : searchPlace(calendar, state, search)

function searchPlace(calendar: Calendar, state: ClusterState, search: Search): Place | null {
  const { request, window, now } = search
  const { cluster, timeline } = state
  const nodes = nodesFor(cluster, request.demand)
  const limits = clusterWindow(cluster, request, window, {
    now,
    openUntil: openUntil(calendar, cluster.providerId, now),
  })
  const lastStart = search.before === null ? limits.lastStart : Math.min(limits.lastStart, search.before - 1)
  const placeAt = (start: EpochMs, end: EpochMs): Place => ({
    clusterId: cluster.id,
    providerId: cluster.providerId,
    nodes,
    start,
    end,
    heldUntil: end + cluster.turnoverMs,
  })

  let from = limits.laterFrom
  if (limits.fromIsOpen && (search.before === null || window.from < search.before)) {
    const asked = placeAt(window.from, window.endAtFrom)
    if (firstShortage(timeline, surelyNeeded(request, cluster, asked), nodes) === null) {
      const blocked = blockedUntil(calendar, request, asked)
      if (blocked === null) return asked
      from = Math.max(from, blocked)
    }
  }
  for (let jumps = 0; from <= lastStart; jumps += 1) {
    const needed = surelyNeeded(request, cluster, placeAt(from, from + window.durationMs))
    const lengthMs = needed.end - needed.start
    const start = earliestFullHour(timeline, { from, lastStart, lengthMs, nodes })
    if (start === null) return null
    const place = placeAt(start, start + window.durationMs)
    const blocked = blockedUntil(calendar, request, place)
    if (blocked === null) return place
    from = jumps < MOST_JUMPS ? blocked : Math.max(blocked, lastCommittedEnd(calendar, request))
  }
  return null
}

/** Until when its organisation's share or its approval is in the way of the place; null: neither is. */
function blockedUntil(calendar: Calendar, request: PlacementRequest, place: Place): EpochMs | null {
  if (request.approval === null) return null
  const holding = holdingOf(request, stateOf(calendar, place.clusterId).cluster, place)
  const byShare = holding === null ? null : shareBlocksUntil(calendar, holding)
  return byShare ?? approvalBlocksUntil(calendar, request.approval, place)
}

/**
 * Whether this very place, which was found a while ago, can be had now. As for `earliestPlace`, the calendar covers `now`
 * and holds no reservation of the same allocation.
 */
export function canBeTaken(calendar: Calendar, request: PlacementRequest, place: Place, now: EpochMs): boolean {
  const state = calendar.clusters.get(place.clusterId)
  if (state?.listed !== true || isSuspended(calendar, state.cluster)) return false
  if (!factsAllow(questionOf(state.cluster, request, windowOfWait(request.period, now).from))) return false
  const until = openUntil(calendar, place.providerId, now)
  if (until !== null && place.start < until) return false
  const { start, end } = surelyNeeded(request, state.cluster, place)
  const isFree = (): boolean =>
    firstShortage(state.timeline, { start: Math.max(start, now), end }, place.nodes) === null &&
    blockedUntil(calendar, request, place) === null
  return request.priority === 'idle' ? withGrantsKept(calendar, state, isFree) : isFree()
}

/**
 * A quick no for somebody who has a place already: whether the cluster might give an earlier start, were that place not
 * on the calendar. Read without taking it off: where it lies, its own nodes are there for it. Approvals are left out.
 */
export function mightStartEarlier(calendar: Calendar, state: ClusterState, search: Search, own: Reservation): boolean {
  const { request, window, now } = search
  const { cluster, timeline } = state
  const nodes = nodesFor(cluster, request.demand)
  const limits = clusterWindow(cluster, request, window, {
    now,
    openUntil: openUntil(calendar, cluster.providerId, now),
  })
  const isOwn = own.clusterId === cluster.id
  if (limits.fromIsOpen && window.from < own.start) {
    const end = window.endAtFrom + cluster.turnoverMs
    const asked = { start: window.from, end: isOwn ? Math.min(end, own.start) : end }
    if (firstShortage(timeline, asked, nodes) === null) return true
  }
  const lastStart = Math.min(limits.lastStart, (search.before ?? own.start) - 1)
  if (limits.laterFrom > lastStart) return false
  const lengthMs = window.durationMs + cluster.turnoverMs
  const later = { from: limits.laterFrom, lastStart, lengthMs, nodes, ...(isOwn ? { freeFrom: own.start } : {}) }
  return earliestFullHour(timeline, later) !== null
}

function lastCommittedEnd(calendar: Calendar, { approval }: PlacementRequest): EpochMs {
  const commitments = approval === null ? [] : commitmentsOf(calendar, approval.approvalId)
  return commitments.reduce((last, { interval }) => Math.max(last, interval?.end ?? last), 0)
}
