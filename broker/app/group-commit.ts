/** One group of members in one transaction: lock, read, decide one after another, check, write. */
import type { DecisionKind } from '../../shared/decision.ts'
import { Refusal, type RefusalCode } from '../../shared/refusal.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import { traceIdOf } from '../../shared/trace-context.ts'
import { applyOp, type Calendar, stateOf } from '../core/calendar.ts'
import type { CalendarOp, Reservation } from '../core/calendar-op.ts'
import { inverseOf } from '../core/calendar-undo.ts'
import { isGrant } from '../core/idle/charge.ts'
import { nextNoticeAt } from '../core/idle/notices.ts'
import type { Policy } from '../core/placement/policy.ts'
import type { Transaction } from '../store/database.ts'
import { idempotencyKey, type Needs, readNeeds, reservationChanges, writeChanges } from '../store/group.ts'
import { type Head, lockHead } from '../store/head.ts'
import { assertWithinCapacity } from '../store/reservations.ts'
import type { CalendarCache } from './calendar-cache.ts'
import { auditRow } from './audit.ts'
import { type Attempt, type Idempotency, REPLAYED } from './command.ts'
import { type Draft, openDraft, providerOf } from './draft.ts'
import { type Changes, noChanges } from '../store/changes.ts'
import { bookEdges, type MeterEdge, meterEdges } from './metering.ts'
import { giveNotices } from './take-back.ts'

export interface Member<T> {
  readonly needs: Needs
  /** Synchronous: while the lock is held nothing is waited for but the database. Throws `Refusal` to say no. */
  readonly decide: (draft: Draft) => T
  /** What it would do is answered, and nothing of it stays. Default false. */
  readonly triesOnly?: boolean
}

export interface KeyedMember {
  readonly member: Member<unknown>
  /** The caller's key: the first answer is kept with the change, and given again. */
  readonly idempotency: (Idempotency & { readonly clientId: string }) | null
  /** Who asked for what, for the audit trail; null for the broker's own work. */
  readonly attempt: Attempt | null
  /** W3C trace context of the work that it is a part of; null: of none. */
  readonly traceparent: string | null
}

export type Outcome = { readonly value: unknown; readonly replayed: boolean } | { readonly error: unknown }

export interface GroupResult {
  readonly outcomes: readonly Outcome[]
  readonly changes: Changes
  /** What it took to decide for each member of which a decision came. */
  readonly decided: readonly DecidedIn[]
}

export interface DecidedIn {
  /** Of the first decision. */
  readonly kind: DecisionKind
  readonly seconds: number
  readonly traceId: string | null
}

export interface GroupContext {
  readonly cache: CalendarCache
  readonly policy: Policy
  readonly now: () => EpochMs
  /** Runs before the commit of a group that changed something. */
  readonly beforeCommit: (trx: Transaction, changes: Changes) => Promise<void>
}

/** Refusals that a use case decided are kept under the key; what the conventions refuse leaves it unused. */
const KEPT: ReadonlySet<RefusalCode> = new Set([
  'approval-unknown',
  'approval-revoked',
  'approval-exceeded',
  'demand-not-whole-nodes',
  'unsatisfiable',
  'no-capacity',
  'limit-below-committed',
  'not-in-this-status',
])

interface KeptRefusal {
  readonly code: RefusalCode
  readonly detail: string
  readonly members: Readonly<Record<string, unknown>>
}

type Kept = { readonly value: unknown } | { readonly refusal: KeptRefusal }

/** @param takeGroup asked once the lock is held: who came while it was waited for is in the group */
export async function commitGroup(
  trx: Transaction,
  takeGroup: () => readonly KeyedMember[],
  context: GroupContext,
): Promise<GroupResult & { readonly lockSeconds: number }> {
  const startedAt = performance.now()
  const locked = await lockHead(trx)
  const lockSeconds = secondsSince(startedAt)
  const group = takeGroup()
  const calendar = await context.cache.lead(trx, locked.version)
  const now = Math.max(context.now(), locked.lastAt)
  const all = withNotices(group, calendar, now)
  const rows = await readNeeds(
    trx,
    all.map(({ member, idempotency }) => (idempotency === null ? member.needs : { ...member.needs, idempotency })),
  )
  const decided = decideAll(all, { calendar, now, head: locked, rows, context })
  const { outcomes, changes, head, mustFit, edges } = decided
  if (!isEmpty(changes)) {
    await writeChanges(trx, changes, head)
    await bookEdges(trx, edges, { now, settledUntil: head.usageClosedUntil })
    await checkCapacity(trx, calendar, changes, mustFit)
    await context.beforeCommit(trx, changes)
  }
  return { outcomes: outcomes.slice(all.length - group.length), changes, decided: decided.decided, lockSeconds }
}

const secondsSince = (at: number): number => (performance.now() - at) / SECOND_MS

/** Before anybody decides, whoever must give way is told: so nobody finds idle-use in his way that should be going. */
export function withNotices(group: readonly KeyedMember[], calendar: Calendar, now: EpochMs): readonly KeyedMember[] {
  const noticeAt = nextNoticeAt(calendar, now)
  return noticeAt !== null && noticeAt <= now
    ? [{ member: giveNotices, idempotency: null, attempt: null, traceparent: null }, ...group]
    : group
}

interface Decided extends GroupResult {
  readonly head: Head
  /** Allocations whose reservations must be within capacity. */
  readonly mustFit: ReadonlySet<string>
  /** Of the meters, in their order. */
  readonly edges: readonly MeterEdge[]
}

/** One after another, each on what those before it have left. Nothing is written yet. @param at.rows what they need, as read */
export function decideAll(group: readonly KeyedMember[], at: Omit<Hands, 'changes' | 'mustFit' | 'edges'>): Decided {
  const changes = noChanges()
  const outcomes: Outcome[] = []
  const mustFit = new Set<string>()
  const edges: MeterEdge[] = []
  const decided: DecidedIn[] = []
  let head: Head = { ...at.head, lastAt: at.now }
  for (const one of group) {
    const before = changes.decisions.length
    const startedAt = performance.now()
    const done = decideOne(one, { ...at, head, changes, mustFit, edges })
    const first = changes.decisions[before]
    if (first !== undefined) {
      decided.push({ kind: first.kind, seconds: secondsSince(startedAt), traceId: traceIdOf(one.traceparent) })
    }
    head = done.head
    outcomes.push(done.outcome)
  }
  return { outcomes, changes, decided, head, mustFit, edges }
}

interface Hands {
  readonly calendar: Calendar
  readonly now: EpochMs
  readonly head: Head
  /** As read, kept up to date with `changes` so that the next member sees them. */
  readonly rows: Changes
  readonly changes: Changes
  /** Allocations whose reservations must be within capacity. */
  readonly mustFit: Set<string>
  /** Of the meters, in their order. */
  readonly edges: MeterEdge[]
  readonly context: Pick<GroupContext, 'cache' | 'policy'>
}

type Reserve = Extract<CalendarOp, { op: 'reserve' }>

/**
 * Whether the operation decides that room is taken: a place of one that does not run yet, or more time for one that does.
 * A running one that is only held for longer takes none: its nodes are still there, whoever likes it or not.
 */
function takesRoom(op: CalendarOp, inverse: CalendarOp): op is Reserve {
  if (op.op !== 'reserve') return false
  const before = inverse.op === 'reserve' ? inverse.reservation : null
  return op.reservation.phase !== 'running' || before === null || op.reservation.end > before.end
}

function decideOne(
  { member, idempotency, attempt, traceparent }: KeyedMember,
  hands: Hands,
): { outcome: Outcome; head: Head } {
  const earlier = idempotency === null ? undefined : hands.rows.idempotency.get(idempotencyKey(idempotency))
  if (idempotency !== null && earlier !== undefined) {
    return { outcome: replay(earlier.outcome as Kept, earlier.digest === idempotency.digest), head: hands.head }
  }
  const undo: CalendarOp[] = []
  const taking = new Set<string>()
  const open = openDraft({
    ...hands,
    trace: { traceparent, isAsked: attempt !== null },
    policy: hands.context.policy,
    applyOp(op) {
      const inverse = inverseOf(hands.calendar, op)
      applyOp(hands.calendar, op)
      undo.push(inverse)
      if (takesRoom(op, inverse)) taking.add(op.reservation.allocationId)
    },
  })
  const keep = (outcome: Kept): void => {
    if (idempotency === null) return
    const { clientId, key, digest } = idempotency
    const row = { clientId, key, digest, at: hands.now, outcome }
    hands.changes.idempotency.set(idempotencyKey(row), row)
    hands.rows.idempotency.set(idempotencyKey(row), row)
  }
  const record = (head: Head, value: unknown, code: RefusalCode | null): Head => {
    if (attempt === null) return head
    const subjects = (subject: string): string | null => providerOf(subject, hands.calendar)
    const row = auditRow({ attempt, value, code, providerOf: subjects }, { head, now: hands.now })
    hands.changes.audit.push(row)
    return { ...head, auditSequence: row.sequence, auditHash: row.hash }
  }
  try {
    const value = member.decide(open.draft)
    if (member.triesOnly === true) {
      for (const op of undo.toReversed()) applyOp(hands.calendar, op)
      keep({ value })
      return { outcome: { value, replayed: false }, head: hands.head }
    }
    for (const _ of open.changes.log) hands.context.cache.advance()
    meter(open.changes, hands)
    merge(open.changes, hands)
    for (const id of taking) hands.mustFit.add(id)
    keep({ value })
    return { outcome: { value, replayed: false }, head: record(open.head(), value, null) }
  } catch (error) {
    for (const op of undo.toReversed()) applyOp(hands.calendar, op)
    if (!(error instanceof Refusal)) throw error
    if (KEPT.has(error.code)) keep({ refusal: { code: error.code, detail: error.message, members: error.members } })
    const rejection = member.triesOnly === true ? null : open.rejection()
    if (rejection !== null) hands.changes.decisions.push(rejection)
    const decisionSequence = rejection?.sequence ?? hands.head.decisionSequence
    return { outcome: { error }, head: record({ ...hands.head, decisionSequence }, null, error.code) }
  }
}

/** Before they are merged: what the rows were is what the other members left. */
function meter(from: Changes, { rows, edges, calendar, now }: Hands): void {
  for (const row of from.allocations.values()) {
    const approval = from.approvals.get(row.approvalId) ?? rows.approvals.get(row.approvalId) ?? null
    edges.push(...meterEdges(rows.allocations.get(row.id) ?? null, row, { calendar, now, approval }))
  }
}

function replay(kept: Kept, sameRequest: boolean): Outcome {
  if (!sameRequest) {
    return { error: new Refusal('idempotency-key-reused', 'This Idempotency-Key was used for another request.') }
  }
  if ('value' in kept) return { value: kept.value, replayed: true }
  const { code, detail, members } = kept.refusal
  return { error: new Refusal(code, detail, { ...members, [REPLAYED]: true }) }
}

function merge(from: Changes, { rows, changes }: Hands): void {
  for (const into of [rows, changes]) {
    for (const [id, row] of from.approvals) into.approvals.set(id, row)
    for (const [id, row] of from.allocations) into.allocations.set(id, row)
    for (const [id, row] of from.nodes) into.nodes.set(id, row)
    for (const [id, row] of from.groups) into.groups.set(id, row)
    for (const [id, row] of from.drains) into.drains.set(id, row)
    for (const [id, row] of from.webhooks) into.webhooks.set(id, row)
    for (const [id, row] of from.deliveries) into.deliveries.set(id, row)
    for (const [id, frozen] of from.frozen) into.frozen.set(id, frozen)
    for (const [what, held] of from.holds) into.holds.set(what, held)
    for (const [id, row] of from.sweeps) into.sweeps.set(id, row)
    for (const [id, row] of from.findings) into.findings.set(id, row)
    for (const [id, row] of from.sweepDeletions) into.sweepDeletions.set(id, row)
    for (const [key, row] of from.circuits) into.circuits.set(key, row)
    for (const [key, row] of from.leases) into.leases.set(key, row)
    for (const [key, row] of from.leavings) into.leavings.set(key, row)
    for (const [period, row] of from.periods) into.periods.set(period, row)
  }
  changes.decisions.push(...from.decisions)
  changes.events.push(...from.events)
  changes.log.push(...from.log)
}

const isEmpty = (changes: Changes): boolean =>
  changes.log.length === 0 &&
  changes.decisions.length === 0 &&
  changes.events.length === 0 &&
  changes.audit.length === 0 &&
  changes.approvals.size +
    changes.allocations.size +
    changes.nodes.size +
    changes.groups.size +
    changes.drains.size +
    changes.frozen.size +
    changes.holds.size +
    changes.webhooks.size +
    changes.deliveries.size +
    changes.sweeps.size +
    changes.findings.size +
    changes.sweepDeletions.size +
    changes.circuits.size +
    changes.leases.size +
    changes.leavings.size +
    changes.periods.size +
    changes.idempotency.size ===
    0

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
