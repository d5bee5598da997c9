/**
 * When idle-use gives way. A grant is told at start − notice − turnover of the reservation (or drain, or loss of capacity)
 * that needs its nodes, so that they are back, turnover and all, when they are needed. Who finds himself late (the broker
 * was away, or a drain begins at once) gives a shorter notice rather than let a reservation wait.
 */
import type { EpochMs } from '../../../shared/time.ts'
import { coverNow, type Calendar, type ClusterState } from '../calendar.ts'
import type { Reservation } from '../calendar-op.ts'
import { reclaimMs } from '../cluster.ts'
import { capacityAt, instantsOf } from '../overbooked.ts'
import { firstShortage } from '../timeline.ts'
import { withGrantsKept } from './charge.ts'
import { chooseVictims } from './victims.ts'

export interface Notice {
  /** As it is on the calendar, without the notice. */
  readonly grant: Reservation
  /** From when on its nodes are taken back. */
  readonly endsAt: EpochMs
  /** When they are needed, and how many nodes of its cluster were needed in all. */
  readonly neededAt: EpochMs
  readonly neededNodes: number
}

/** The grant as it is on the calendar from its notice on: held until the turnover after it. */
export const underNotice = ({ grant, endsAt }: Notice, turnoverMs: number): Reservation => ({
  ...grant,
  heldUntil: endsAt + turnoverMs,
  reclaimedAt: endsAt,
})

/** The notices to be given now, by cluster and by when the nodes are needed. Empty when all grants may stay for now. */
export function noticesDue(calendar: Calendar, now: EpochMs): Notice[] {
  return calendar.listed.flatMap((state) => {
    const from = firstClash(calendar, state, now)
    return from === null || from > now + reclaimMs(state.cluster) ? [] : noticesAt(state, from, now)
  })
}

/** When the next notice is due, at the latest; null when none is in sight. In the past: at once. */
export function nextNoticeAt(calendar: Calendar, now: EpochMs): EpochMs | null {
  let next = Number.POSITIVE_INFINITY
  for (const state of calendar.listed) {
    const clash = firstClash(calendar, state, now)
    if (clash !== null) next = Math.min(next, clash - reclaimMs(state.cluster))
  }
  return Number.isFinite(next) ? next : null
}

const grantsOf = ({ grants, reservations }: ClusterState): Reservation[] =>
  [...grants].flatMap((id) => reservations.get(id)?.what ?? []).toSorted((a, b) => a.order - b.order)

/** Those that could still be told: one that has ended is on its way out already. */
const mayBeTold = ({ end }: Reservation, now: EpochMs): boolean => end > now

/** The first instant from `now` on at which not all fit who are there, were every grant to stay to its end. */
function firstClash(calendar: Calendar, state: ClusterState, now: EpochMs): EpochMs | null {
  const end = grantsOf(state)
    .filter((grant) => mayBeTold(grant, now))
    .reduce((last, { heldUntil }) => Math.max(last, heldUntil), now)
  if (end === now) return null
  coverNow(calendar, now)
  return withGrantsKept(calendar, state, () => firstShortage(state.timeline, { start: now, end }, 0))
}

function noticesAt(state: ClusterState, from: EpochMs, now: EpochMs): Notice[] {
  const { cluster } = state
  const reach = { start: from, end: now + reclaimMs(cluster) + 1 }
  const all = [...state.reservations.values()]
    .map((held) => held.what)
    .filter(({ start, heldUntil }) => start < reach.end && heldUntil > from)
  const grants = grantsOf(state).filter((grant) => mayBeTold(grant, now))
  const notices = new Map<string, Notice>()
  for (const at of instantsOf(state, all, reach)) {
    const there = (reservation: Reservation): boolean =>
      reservation.start <= at && at < reservation.heldUntil && !notices.has(reservation.allocationId)
    const taken = all.filter(there).reduce((sum, { nodes }) => sum + nodes, 0)
    const neededNodes = taken - capacityAt(state, at)
    const endsAt = Math.max(now, at - cluster.turnoverMs)
    const candidates = grants.filter(there).map((grant) => ({
      grant,
      nodes: grant.nodes,
      // At least something for each node, so that of two that have done nothing yet the smaller gives way.
      lost: grant.nodes * Math.max(1, endsAt - grant.start),
    }))
    for (const { grant } of chooseVictims(candidates, neededNodes))
      notices.set(grant.allocationId, { grant, endsAt, neededAt: at, neededNodes })
  }
  return [...notices.values()]
}
