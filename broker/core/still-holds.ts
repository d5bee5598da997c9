/** Whether what was planned on a copy of the calendar can still be carried out: others may have decided meanwhile. */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, coverNow, type Calendar } from './calendar.ts'
import type { CalendarOp, Reservation, WaitingEntry } from './calendar-op.ts'
import { reservationOf, waitingEntryOf } from './calendar-reads.ts'
import { inverseOf, withOps } from './calendar-undo.ts'
import { canBeTaken } from './placement/search.ts'
import { reservationFor, waitIsOver, type PlanChange } from './plan-change.ts'

export interface PlannedChange {
  readonly change: PlanChange
  /** Who waits, and the place that he had, when it was planned. */
  readonly entry: WaitingEntry
  readonly had: Reservation | null
}

/** By itself, while everybody else has what he has now. */
export function stillHolds(calendar: Calendar, planned: PlannedChange, now: EpochMs): boolean {
  if (!isAsItWas(calendar, planned)) return false
  const { change, entry } = planned
  const { placement, allocationId } = change
  if (placement === null || isEstimate(planned)) return true
  coverNow(calendar, now)
  return withOps(calendar, [{ op: 'release', allocationId }], () => canBeTaken(calendar, entry.request, placement, now))
}

/** All of them at once, or none: they take each other's places. */
export function holdTogether(calendar: Calendar, all: readonly PlannedChange[], now: EpochMs): boolean {
  if (!all.every((one) => isAsItWas(calendar, one))) return false
  coverNow(calendar, now)
  const inverses: CalendarOp[] = []
  const apply = (op: CalendarOp): void => {
    inverses.push(inverseOf(calendar, op))
    applyOp(calendar, op)
  }
  for (const { change } of all) apply({ op: 'release', allocationId: change.allocationId })
  const fit = all.every(({ change: { placement }, entry }) => {
    if (placement === null) return true
    if (!canBeTaken(calendar, entry.request, placement, now)) return false
    apply({ op: 'reserve', reservation: reservationFor(entry, placement, 'planned') })
    return true
  })
  for (const inverse of inverses.toReversed()) applyOp(calendar, inverse)
  return fit
}

/** Operations replace what they change: what nobody has changed is the very same. */
const isAsItWas = (calendar: Calendar, { change: { allocationId }, entry, had }: PlannedChange): boolean =>
  waitingEntryOf(calendar, allocationId) === entry && reservationOf(calendar, allocationId) === had

/** Nothing is kept for idle-use that cannot start yet. */
const isEstimate = ({ change, entry }: PlannedChange): boolean => entry.priority === 'idle' && !waitIsOver(change)
