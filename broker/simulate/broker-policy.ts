/**
 * The broker itself as a policy: requests are placed, waiting ones planned again and places taken up by the very functions
 * that decide in production, and the calendar is changed by the same operations. Nothing is decided here.
 */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, emptyCalendar, type Calendar } from '../core/calendar.ts'
import type { ReservationPhase, WaitingEntry } from '../core/calendar-op.ts'
import { clusterOf, reservationOf, waiting, waitingEntryOf } from '../core/calendar-reads.ts'
import { place } from '../core/placement/place.ts'
import type { Place } from '../core/placement/candidate.ts'
import type { Policy } from '../core/placement/policy.ts'
import { opsOfChange, reservationFor } from '../core/plan-change.ts'
import { replan } from '../core/replan.ts'
import { promiseFor } from '../core/promise.ts'
import { placementRequestOf } from './fleet.ts'
import type { Scheduler, SchedulerFactory, Start } from './scheduler.ts'
import type { SimRequest } from './workload.ts'

export const brokerWith =
  (policy: Policy): SchedulerFactory =>
  (fleet, startAt) =>
    brokerOn(emptyCalendar(fleet.clusters, startAt), policy)

/** Of the search for plans: the same for the same trace. */
const SEED = 1

interface Desk {
  readonly calendar: Calendar
  readonly policy: Policy
  /** Who waits, by id. */
  readonly waiting: Map<string, SimRequest>
  /** Decided and not yet answered. */
  readonly starts: Start[]
}

function brokerOn(calendar: Calendar, policy: Policy): Scheduler {
  const desk: Desk = { calendar, policy, waiting: new Map(), starts: [] }
  let nextTurnAt: EpochMs | null = null
  let mayHaveRoom = false
  return {
    submitted(request, now) {
      const waitingBefore = desk.waiting.size
      submit(desk, request, now)
      // Whoever joins is planned again with all others, as in production.
      mayHaveRoom ||= desk.waiting.size > waitingBefore
      nextTurnAt = nextPlanned(calendar)
    },
    ended(request, now) {
      end(calendar, request, now)
      mayHaveRoom = true
    },
    givenBack(request) {
      applyOp(calendar, { op: 'release', allocationId: request.id })
      mayHaveRoom = true
    },
    turn(now) {
      const isDue = mayHaveRoom || (nextTurnAt !== null && nextTurnAt <= now)
      if (isDue && desk.waiting.size > 0) planAgain(desk, now)
      mayHaveRoom = false
      nextTurnAt = nextPlanned(calendar)
      return desk.starts.splice(0)
    },
    nextTurnAt: () => nextTurnAt,
    waitingCount: () => desk.waiting.size,
  }
}

/** As it is taken by the API: placed, and started where it starts as asked, else put in line with a promise. */
function submit(desk: Desk, request: SimRequest, now: EpochMs): void {
  const { calendar, policy } = desk
  const asked = placementRequestOf({ ...request, durationMs: request.grantedMs })
  const { best, startsAsAsked } = place(calendar, asked, now, policy)
  const promisedStart = promiseFor({ plannedStart: best?.start ?? null, now, latestStart: null, policy })
  const entry: WaitingEntry = {
    allocationId: request.id,
    approvalId: request.organizationId,
    organizationId: request.organizationId,
    priority: asked.priority,
    since: now,
    order: request.order,
    request: asked,
    promisedStart,
  }
  if (best !== null && startsAsAsked) {
    reserve(calendar, entry, best, 'running')
    desk.starts.push({ request, clusterId: best.clusterId, promisedStart: now })
    return
  }
  applyOp(calendar, { op: 'wait', entry })
  if (best !== null) reserve(calendar, entry, best, 'planned')
  desk.waiting.set(request.id, request)
}

function reserve(calendar: Calendar, entry: WaitingEntry, at: Place, phase: ReservationPhase): void {
  applyOp(calendar, { op: 'reserve', reservation: reservationFor(entry, at, phase) })
}

function planAgain({ calendar, policy, waiting: inLine, starts }: Desk, now: EpochMs): void {
  for (const change of replan(calendar, { now, policy, seed: SEED }).changes) {
    const entry = waitingEntryOf(calendar, change.allocationId)
    const request = inLine.get(change.allocationId)
    if (entry === null || request === undefined) continue
    for (const op of opsOfChange(entry, change)) applyOp(calendar, op)
    if (!change.startsNow || change.placement === null) continue
    reserve(calendar, entry, change.placement, 'running')
    inLine.delete(request.id)
    starts.push({ request, clusterId: change.placement.clusterId, promisedStart: entry.promisedStart })
  }
}

/** As a release: held for the turnover from now on. */
function end(calendar: Calendar, { id }: SimRequest, now: EpochMs): void {
  const reservation = reservationOf(calendar, id)
  if (reservation === null) return
  const turnoverMs = clusterOf(calendar, reservation.clusterId)?.turnoverMs ?? 0
  applyOp(calendar, {
    op: 'reserve',
    reservation: { ...reservation, end: Math.min(reservation.end, now), heldUntil: now + turnoverMs },
  })
}

/** When somebody's planned start is next at hand. */
function nextPlanned(calendar: Calendar): EpochMs | null {
  let next = Number.POSITIVE_INFINITY
  for (const { allocationId } of waiting(calendar))
    next = Math.min(next, reservationOf(calendar, allocationId)?.start ?? Number.POSITIVE_INFINITY)
  return Number.isFinite(next) ? next : null
}
