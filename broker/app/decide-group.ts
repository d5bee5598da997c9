/** A group of members that are decided one after another, each on what those before it have left. Nothing is written here. */
import type { DecisionKind } from '../../shared/decision.ts'
import { Refusal, type RefusalCode } from '../../shared/refusal.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import { traceIdOf } from '../../shared/trace-context.ts'
import { applyOp, type Calendar } from '../core/calendar.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import { inverseOf } from '../core/calendar-undo.ts'
import type { Policy } from '../core/placement/policy.ts'
import { type Changes, isEmpty, noChanges } from '../store/changes.ts'
import { idempotencyKey, type Needs } from '../store/group.ts'
import type { Head } from '../store/head.ts'
import { auditRow } from './audit.ts'
import { type Attempt, type Idempotency, REPLAYED } from './command.ts'
import { type Draft, openDraft, providerOf } from './draft.ts'
import { type MeterEdge, meterEdges } from './metering.ts'

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

export interface DecidedIn {
  /** Of the first decision. */
  readonly kind: DecisionKind
  readonly seconds: number
  readonly traceId: string | null
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

export interface GroupBasis {
  readonly calendar: Calendar
  readonly now: EpochMs
  /** As the group before has left it. */
  readonly head: Head
  /** What the members need, as read; kept up to date with what they change, so that the next one sees it. */
  readonly rows: Changes
  readonly policy: Policy
  /** Told how far the calendar has come, once a member's operations are applied to it. */
  readonly advance: (head: Head) => void
}

export interface Group {
  readonly basis: GroupBasis
  readonly outcomes: readonly Outcome[]
  readonly changes: Changes
  /** What it took to decide for each member of which a decision came. */
  readonly decided: readonly DecidedIn[]
  /** Allocations whose reservations must be within capacity. */
  readonly mustFit: ReadonlySet<string>
  /** Of the meters, in their order. */
  readonly edges: readonly MeterEdge[]
  /** As the group leaves it. */
  head(): Head
  /** @throws what the member throws that is no refusal; it has left nothing behind then */
  decide(one: KeyedMember): void
  /** Leads the calendar back to where it was before the group. */
  takeBack(): void
}

interface Hands extends GroupBasis {
  readonly changes: Changes
  readonly mustFit: Set<string>
  readonly edges: MeterEdge[]
  /** What leads back, in the order of what it undoes. */
  readonly undo: CalendarOp[]
}

export function openGroup(basis: GroupBasis): Group {
  const outcomes: Outcome[] = []
  const decided: DecidedIn[] = []
  const hands: Hands = { ...basis, changes: noChanges(), mustFit: new Set(), edges: [], undo: [] }
  const { changes, mustFit, edges, undo } = hands
  let head: Head = { ...basis.head, lastAt: basis.now }
  return {
    ...{ basis, outcomes, changes, decided, mustFit, edges },
    // Where nothing is written, the head is not either.
    head: () => (isEmpty(changes) ? basis.head : head),
    decide(one) {
      const before = changes.decisions.length
      const startedAt = performance.now()
      const done = decideOne(one, { ...hands, head })
      const first = changes.decisions[before]
      if (first !== undefined) {
        const seconds = (performance.now() - startedAt) / SECOND_MS
        decided.push({ kind: first.kind, seconds, traceId: traceIdOf(one.traceparent) })
      }
      head = done.head
      outcomes.push(done.outcome)
    },
    takeBack() {
      for (const op of undo.toReversed()) applyOp(basis.calendar, op)
    },
  }
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
    if (open.changes.log.length > 0) hands.advance(open.head())
    hands.undo.push(...undo)
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
