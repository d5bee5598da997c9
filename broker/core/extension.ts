/** Whether an allocation can keep its nodes for longer, and if not, what is first in the way. */
import { type EpochMs, toIso } from '../../shared/time.ts'
import { coverNow, stateOf, type Calendar, type ClusterState } from './calendar.ts'
import type { Reservation } from './calendar-op.ts'
import { reservationOf } from './calendar-reads.ts'
import { withOps } from './calendar-undo.ts'
import { shareExceededAt } from './concentration.ts'
import { surelyNeeded } from './idle/charge.ts'
import { nodesText } from './words.ts'
import { firstShortage, horizonOf } from './timeline.ts'

export type Extension =
  | { readonly fits: true; readonly reservation: Reservation }
  | {
      readonly fits: false
      /** When the nodes would be missing first. */
      readonly conflictAt: EpochMs
      /** The allocation or drain that takes them then; null where it is the capacity, or the horizon. */
      readonly conflictWith: string | null
      /** The latest end that fits; never before the present one. */
      readonly latestEnd: EpochMs
      readonly detail: string
    }

/** Promised room counts as taken. @returns null when the allocation has no place on the calendar */
export function extension(calendar: Calendar, allocationId: string, end: EpochMs, now: EpochMs): Extension | null {
  const reservation = reservationOf(calendar, allocationId)
  if (reservation === null) return null
  coverNow(calendar, now)
  const state = stateOf(calendar, reservation.clusterId)
  const longer = { ...reservation, end, heldUntil: end + state.cluster.turnoverMs }
  const conflictAt = withOps(calendar, [{ op: 'release', allocationId }], () => conflictOf(state, longer, now))
  const overShareAt = shareConflict(calendar, state, reservation, end)
  if (overShareAt !== null && (conflictAt === null || overShareAt <= conflictAt - state.cluster.turnoverMs))
    return overShare(reservation, state, Math.max(reservation.end, overShareAt))
  if (conflictAt === null) return { fits: true, reservation: longer }

  const conflictWith = takerAt(state, allocationId, conflictAt)
  const latestEnd = Math.max(reservation.end, conflictAt - state.cluster.turnoverMs)
  const detail = `${nodesText(reservation.nodes)} of ${reservation.clusterId} can stay with it only until ${toIso(conflictAt)}${
    conflictWith === null ? '' : `, when ${conflictWith} begins`
  }; the latest end that fits is ${toIso(latestEnd)}.`
  return { fits: false, conflictAt, conflictWith, latestEnd, detail }
}

/** When the added time would first give its organisation more than its share of the architecture. */
function shareConflict(
  calendar: Calendar,
  { cluster }: ClusterState,
  { organizationId, nodes, priority, ...present }: Reservation,
  end: EpochMs,
): EpochMs | null {
  if (priority === 'idle') return null
  return shareExceededAt(calendar, { organizationId, cluster, nodes, start: present.end, end })
}

const overShare = ({ organizationId }: Reservation, { cluster }: ClusterState, latestEnd: EpochMs): Extension => ({
  fits: false,
  conflictAt: latestEnd,
  conflictWith: null,
  latestEnd,
  detail: `From ${toIso(latestEnd)} on ${organizationId} would hold more than the ${cluster.maxSharePerOrganization} % of ${cluster.architecture} that one organisation may; the latest end that fits is ${toIso(latestEnd)}.`,
})

function conflictOf(state: ClusterState, longer: Reservation, now: EpochMs): EpochMs | null {
  const { start, heldUntil, nodes } = longer
  const horizonAt = horizonOf(now)
  const held = { start: Math.max(start, now), heldUntil: Math.min(heldUntil, horizonAt) }
  const needed = surelyNeeded(longer, state.cluster, held)
  return firstShortage(state.timeline, needed, nodes) ?? (heldUntil > horizonAt ? horizonAt : null)
}

/** Another organisation's allocation is nobody else's business; that the room is taken is. Null where nothing is shown. */
export function shownConflict(
  calendar: Calendar,
  { conflictWith }: Extract<Extension, { fits: false }>,
  organizationId: string,
): string | null {
  const other = conflictWith === null ? null : reservationOf(calendar, conflictWith)
  return other === null || other.organizationId === organizationId ? conflictWith : null
}

/** What begins at this instant, drains first; of several allocations the one that was there first. */
function takerAt(state: ClusterState, allocationId: string, at: EpochMs): string | null {
  const [drain] = [...state.drains.values()]
    .map(({ what }) => what)
    .filter(({ from }) => from === at)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)) // ids are unique
  if (drain !== undefined) return drain.id
  const [first] = [...state.reservations.values()]
    .map(({ what }) => what)
    .filter((other) => other.allocationId !== allocationId && other.start === at)
    .toSorted((a, b) => a.order - b.order)
  return first?.allocationId ?? null
}
