/** What a re-plan changes for one who waits, and the operations that carry it out. */
import type { CalendarOp, Reservation, ReservationPhase, WaitingEntry } from './calendar-op.ts'
import type { Place } from './placement/candidate.ts'

/** Who is not named by a change keeps the plan that he has. */
export interface PlanChange {
  readonly allocationId: string
  /** The new plan; null: there is none, and the old one is gone. */
  readonly placement: Place | null
  /** The place is to be taken up now: the wait is over. Its start may lie a little back, where it was planned. */
  readonly startsNow: boolean
  /** An earlier place gives the very start that was asked: the wait is over, and the start still to come. */
  readonly startsAsAsked: boolean
  /** No start is left that the request allows: the wait is over, without a place. */
  readonly expired: boolean
  /** Why it still waits; null once it no longer does. */
  readonly reason: string | null
}

/** Somebody's planned start went past the promise, because a higher priority took the place that he had. */
export interface Slip {
  readonly allocationId: string
  /** The allocations that took it, the first to be served in front. */
  readonly causedBy: readonly string[]
}

export const waitIsOver = (change: PlanChange): boolean => change.startsNow || change.startsAsAsked || change.expired

/** The reservation becomes `scheduled` where the wait is over, and stays `planned` otherwise; idle-use plans nothing ahead. */
export function opsOfChange(entry: WaitingEntry, change: PlanChange): CalendarOp[] {
  if (entry.priority === 'idle' && !waitIsOver(change)) return []
  const { allocationId } = entry
  const phase = waitIsOver(change) ? 'scheduled' : 'planned'
  const first: CalendarOp =
    change.placement === null
      ? { op: 'release', allocationId }
      : { op: 'reserve', reservation: reservationFor(entry, change.placement, phase) }
  return waitIsOver(change) ? [first, { op: 'unwait', allocationId }] : [first]
}

export function reservationFor(entry: WaitingEntry, place: Place, phase: ReservationPhase): Reservation {
  const { allocationId, approvalId, organizationId, priority, order } = entry
  const { clusterId, nodes, start, end, heldUntil } = place
  return { allocationId, approvalId, organizationId, clusterId, nodes, start, end, heldUntil, phase, priority, order }
}
