/**
 * What idle-use takes of the calendar. A grant runs on nodes that nobody has reserved and gives them back when somebody
 * does, so for everybody else its nodes are taken only until `now` + notice + turnover, and free after. That end moves with
 * `now`: the charge is laid anew by `coverNow`, and no operation ever speaks of it.
 */
import type { EpochMs, Interval } from '../../../shared/time.ts'
import type { Calendar, ClusterState } from '../calendar.ts'
import type { Reservation } from '../calendar-op.ts'
import { reclaimMs, type Cluster } from '../cluster.ts'
import type { PlacementRequest } from '../placement/request.ts'
import { addCharge, removeCharge, type Charge } from '../timeline.ts'

/** Whether it is under idle-use, and has not been given notice: one that has gives its nodes back at a known instant. */
export const isGrant = ({ priority, phase, reclaimedAt }: Reservation): boolean =>
  priority === 'idle' && phase !== 'planned' && reclaimedAt === undefined

/** Until when its nodes count as taken for those who reserve; never before its start. */
export function takenUntil(cluster: Cluster, reservation: Reservation, now: EpochMs): EpochMs {
  const { start, heldUntil } = reservation
  return isGrant(reservation) ? Math.max(start, Math.min(heldUntil, now + reclaimMs(cluster))) : heldUntil
}

export const chargeOf = (cluster: Cluster, reservation: Reservation, now: EpochMs): Charge => ({
  start: reservation.start,
  end: takenUntil(cluster, reservation, now),
  nodes: reservation.nodes,
})

/** Lays the charges of the cluster's grants anew, as far as they differ. */
export function chargeGrants(state: ClusterState, chargeFor: (grant: Reservation) => Charge): void {
  for (const id of state.grants) {
    const held = state.reservations.get(id)
    if (held === undefined) continue
    const charge = chargeFor(held.what)
    if (charge.end === held.charge.end) continue
    removeCharge(state.timeline, held.charge)
    addCharge(state.timeline, charge)
    state.reservations.set(id, { what: held.what, charge })
  }
}

/**
 * Asks as one asks who gives way to no grant: those that run keep their nodes to their own ends. The calendar covers
 * `now`, and is as before when the answer is there.
 */
export function withGrantsKept<T>(calendar: Calendar, state: ClusterState, ask: () => T): T {
  if (state.grants.size === 0) return ask()
  chargeGrants(state, ({ start, heldUntil, nodes }) => ({ start, end: heldUntil, nodes }))
  try {
    return ask()
  } finally {
    chargeGrants(state, (grant) => chargeOf(state.cluster, grant, calendar.gridFrom))
  }
}

/**
 * For how long the nodes of a place must be free for it: to the end of the turnover; for idle-use no longer than it takes
 * to have them back, since it gives way to whoever needs them after that.
 */
export function surelyNeeded(
  { priority }: Pick<PlacementRequest, 'priority'>,
  cluster: Cluster,
  { start, heldUntil }: Pick<Reservation, 'start' | 'heldUntil'>,
): Interval {
  return { start, end: priority === 'idle' ? Math.min(heldUntil, start + reclaimMs(cluster)) : heldUntil }
}
