/**
 * Where capacity fell below what is reserved (a drain, a slipped phase, nodes in quarantine, a release that is late): who
 * must move, so that at every instant no more is reserved than the larger of what there is and what runs. What runs stays.
 * Idle-use is no obstacle to anybody: it is left out, and told to give way (idle/notices.ts).
 */
import type { EpochMs, Interval } from '../../shared/time.ts'
import { stateOf, type Calendar, type ClusterState } from './calendar.ts'
import type { Reservation } from './calendar-op.ts'
import { clusterAt } from './calendar-reads.ts'
import { phaseAt } from './cluster.ts'
import { isGrant } from './idle/charge.ts'
import { rankOf } from './waitlist.ts'

/** Nodes reserved beyond capacity less drains and quarantine at this instant. */
export const shortfall = (calendar: Calendar, clusterId: string, at: EpochMs): number =>
  clusterAt(calendar, clusterId, at).shortfall

/** Whether more is reserved than there is at any instant within. */
export function shortfallWithin(calendar: Calendar, clusterId: string, within: Interval): boolean {
  const state = stateOf(calendar, clusterId)
  const all = [...state.reservations.values()].map((held) => held.what)
  return instantsOf(state, all, within).some((at) => shortfall(calendar, clusterId, at) > 0)
}

/**
 * The reservations that must move, those who give way first in front: lowest priority, then latest start, then youngest;
 * and none whose staying would do no harm. Empty when all is well from `now` on.
 */
export function overbooked(calendar: Calendar, clusterId: string, now: EpochMs): Reservation[] {
  const state = stateOf(calendar, clusterId)
  const all = [...state.reservations.values()]
    .map((held) => held.what)
    .filter((reservation) => reservation.heldUntil > now && !givesWay(reservation, now))
  const moving = new Set<Reservation>()
  for (const at of instantsOf(state, all, { start: now, end: Number.POSITIVE_INFINITY })) {
    const active = all.filter((reservation) => isActive(reservation, at) && !moving.has(reservation))
    const excess = excessOf(state, active, at)
    if (excess > 0) for (const victim of victimsAmong(active, excess)) moving.add(victim)
  }
  // Who was chosen first may not be needed beside those chosen after: the worthiest is spared first.
  for (const reservation of [...moving].toSorted(givesWayFirst).toReversed()) {
    const staying = all.filter((other) => other === reservation || !moving.has(other))
    if (isSound(state, staying, { start: Math.max(now, reservation.start), end: reservation.heldUntil }))
      moving.delete(reservation)
  }
  return [...moving].toSorted(givesWayFirst)
}

/** One under idle-use; one that has ended already holds its nodes like anybody until they are gone. */
const givesWay = (reservation: Reservation, now: EpochMs): boolean => isGrant(reservation) && reservation.end > now

/** Negative: `a` gives way before `b`. Total: `order` is never shared. */
function givesWayFirst(a: Reservation, b: Reservation): number {
  return rankOf(b.priority) - rankOf(a.priority) || b.start - a.start || b.order - a.order
}

const isActive = ({ start, heldUntil }: Reservation, at: EpochMs): boolean => start <= at && at < heldUntil

/** Where more may be reserved, or less may be there, than the instant before: ends only ever make it better. */
export function instantsOf(state: ClusterState, reservations: readonly Reservation[], within: Interval): EpochMs[] {
  const instants = [
    within.start,
    ...reservations.map(({ start }) => start),
    ...state.cluster.phases.map(({ from }) => from),
    ...[...state.drains.values()].map(({ what }) => what.from),
  ]
  return [...new Set(instants.filter((at) => at >= within.start && at < within.end))].toSorted((a, b) => a - b)
}

/** By phase, less drains and quarantine; below zero where more is drained than there is. */
export function capacityAt(state: ClusterState, at: EpochMs): number {
  let capacity = phaseAt(state.cluster.phases, at)?.nodes ?? 0
  for (const { what } of state.drains.values()) if (what.from <= at && at < what.to) capacity -= what.nodes
  return capacity
}

function excessOf(state: ClusterState, active: readonly Reservation[], at: EpochMs): number {
  const capacity = capacityAt(state, at)
  let reserved = 0
  let running = 0
  for (const { nodes, phase } of active) {
    reserved += nodes
    if (phase === 'running') running += nodes
  }
  return reserved - Math.max(0, capacity, running)
}

/** Enough of those that do not run, in the order in which they give way. */
function victimsAmong(active: readonly Reservation[], excess: number): Reservation[] {
  const chosen: Reservation[] = []
  let freed = 0
  for (const reservation of active.filter(({ phase }) => phase !== 'running').toSorted(givesWayFirst)) {
    if (freed >= excess) break
    chosen.push(reservation)
    freed += reservation.nodes
  }
  return chosen
}

function isSound(state: ClusterState, reservations: readonly Reservation[], within: Interval): boolean {
  const near = reservations.filter(({ start, heldUntil }) => start < within.end && within.start < heldUntil)
  return instantsOf(state, near, within).every((at) => {
    const active = near.filter((reservation) => isActive(reservation, at))
    return excessOf(state, active, at) <= 0
  })
}
