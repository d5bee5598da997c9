/** One group in one transaction: under the lock, decided there or ahead of it, checked and written. */
import type { EpochMs } from '../../shared/time.ts'
import { type Calendar, stateOf } from '../core/calendar.ts'
import type { Reservation } from '../core/calendar-op.ts'
import { overstaying } from '../core/calendar-reads.ts'
import { isGrant } from '../core/idle/charge.ts'
import { nextNoticeAt } from '../core/idle/notices.ts'
import type { Policy } from '../core/placement/policy.ts'
import { type Changes, isEmpty } from '../store/changes.ts'
import type { Transaction } from '../store/database.ts'
import { readNeeds, reservationChanges, writeChanges } from '../store/group.ts'
import type { Head } from '../store/head.ts'
import { assertWithinCapacity } from '../store/reservations.ts'
import type { CalendarCache } from './calendar-cache.ts'
import { type Group, type KeyedMember, openGroup } from './decide-group.ts'
import { bookEdges } from './metering.ts'
import { holdWhoStays } from './quarantine.ts'
import { giveNotices } from './take-back.ts'

export interface GroupContext {
  readonly cache: CalendarCache
  readonly policy: Policy
  readonly now: () => EpochMs
  /** Runs before the commit of a group that changed something. */
  readonly beforeCommit: (trx: Transaction, changes: Changes) => Promise<void>
}

/** For those who were taken once the lock was held. @returns the outcomes of `members` are the group's last ones */
export async function decideUnderLock(
  trx: Transaction,
  members: readonly KeyedMember[],
  { head, context }: { readonly head: Head; readonly context: GroupContext },
): Promise<Group> {
  const calendar = await context.cache.lead(trx, head)
  const now = Math.max(context.now(), head.lastAt)
  const all = [...whatIsDue(calendar, now), ...members]
  const rows = await readNeeds(trx, all.map(needsOf))
  const { policy, cache } = context
  const group = openGroup({ calendar, now, head, rows, policy, advance: cache.advance })
  for (const one of all) group.decide(one)
  return group
}

/** With the key under which a first answer may be kept. */
export const needsOf = ({ member, idempotency }: KeyedMember): KeyedMember['member']['needs'] =>
  idempotency === null ? member.needs : { ...member.needs, idempotency }

export async function writeGroup(trx: Transaction, group: Group, context: GroupContext): Promise<void> {
  const { changes, edges, mustFit } = group
  if (isEmpty(changes)) return
  const { calendar, now } = group.basis
  const head = group.head()
  await writeChanges(trx, changes, head)
  await bookEdges(trx, edges, { now, settledUntil: head.usageClosedUntil })
  await checkCapacity(trx, calendar, changes, mustFit)
  await context.beforeCommit(trx, changes)
}

/**
 * What comes before anybody decides: nodes that were to be gone by now and are not are held, for however long nobody could
 * do so; and whoever must give way is told. So nobody is placed on nodes that are not free, or finds idle-use in his way
 * that should be going.
 */
export function whatIsDue(calendar: Calendar, now: EpochMs): readonly KeyedMember[] {
  const late = overstaying(calendar, now)
  const due = [...(late.length > 0 ? [holdWhoStays(late)] : []), ...(noticeIsDue(calendar, now) ? [giveNotices] : [])]
  return due.map((member) => ({ member, idempotency: null, attempt: null, traceparent: null }))
}

function noticeIsDue(calendar: Calendar, now: EpochMs): boolean {
  const noticeAt = nextNoticeAt(calendar, now)
  return noticeAt !== null && noticeAt <= now
}

async function checkCapacity(
  trx: Transaction,
  calendar: Calendar,
  changes: Changes,
  mustFit: ReadonlySet<string>,
): Promise<void> {
  const placed = Map.groupBy(
    reservationChanges(changes).put.filter((one) => mustFit.has(one.allocationId)),
    (one: Reservation) => one.clusterId,
  )
  for (const [clusterId, reservations] of placed) {
    const state = stateOf(calendar, clusterId)
    const drains = [...state.drains.values()].map((held) => held.what)
    // What is past cannot be decided any more.
    const now = changes.log[0]?.at ?? 0
    // The notice is a courtesy, which a late one shortens: what can be had back by then is not counted beyond.
    const grantsUntil = now + state.cluster.turnoverMs
    const ahead = reservations.map((one) => ({
      nodes: one.nodes,
      start: Math.max(one.start, now),
      heldUntil: isGrant(one) ? Math.min(one.heldUntil, grantsUntil) : one.heldUntil,
    }))
    await assertWithinCapacity(trx, state.cluster, drains, ahead, grantsUntil)
  }
}
