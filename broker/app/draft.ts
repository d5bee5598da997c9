/**
 * What a member of a group may see and change: the rows that were read for the group, the calendar under the lock, and
 * its own changes on top. A member that is refused leaves no trace; what the others changed before it stays.
 */
import type { DecisionKind } from '../../shared/decision.ts'
import type { EventType } from '../../shared/event.ts'
import { fullType } from '../../shared/event.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import type { Calendar } from '../core/calendar.ts'
import { clusterOf } from '../core/calendar-reads.ts'
import type { Candidate } from '../core/placement/candidate.ts'
import type { Policy } from '../core/placement/policy.ts'
import type { Head } from '../store/head.ts'
import {
  type AllocationRow,
  type ApprovalRow,
  type Changes,
  circuitKey,
  type CircuitRow,
  type DecisionRow,
  type DrainRow,
  type DeliveryRow,
  type EventRow,
  type FindingRow,
  findingRowKey,
  leaseKey,
  type NetworkLeaseRow,
  noChanges,
  type NodeGroupRow,
  nodeKey,
  type NodeRow,
  type SweepRow,
  type WebhookRow,
} from '../store/changes.ts'
import { chained, inputDigest } from './digest.ts'
import { newId } from './ids.ts'
import { toldStart } from './told-start.ts'

export interface NewDecision {
  readonly allocationId: string
  readonly kind: DecisionKind
  /** Everything that the decision depended on beside the calendar and the policy, as JSON data. */
  readonly input: object
  readonly candidates: readonly Candidate[]
  readonly outcome: Readonly<Record<string, unknown>>
  readonly supersedes: string | null
}

/** A refusal that the calendar is the reason for: it is proved like any other decision. */
export interface NewRejection extends Omit<NewDecision, 'allocationId' | 'kind' | 'supersedes'> {
  /** Null: it was to be made, and has not been. */
  readonly allocationId: string | null
}

export interface NewEvent {
  readonly type: EventType
  readonly subject: string
  readonly data: Readonly<Record<string, unknown>>
  readonly allocation?: Pick<AllocationRow, 'id' | 'organizationId' | 'providerId'>
  /** Whose it is to see, where it is about no allocation. Which provider's staff may see it follows from the subject. */
  readonly organizationId?: string
}

export interface Draft {
  /** The group's recorded instant; never before an earlier group's. */
  readonly now: EpochMs
  readonly policy: Policy
  readonly calendar: Calendar
  /** Of the last operation before this member's own. */
  readonly calendarVersion: number
  /** Of the last operation, this member's own included. */
  versionNow(): number
  approval(id: string): ApprovalRow | null
  allocation(id: string): AllocationRow | null
  /** All allocations that were read for this member, by sequence. */
  allocations(): readonly AllocationRow[]
  nodesOf(allocationId: string): readonly NodeRow[]
  groupsOf(allocationId: string): readonly NodeGroupRow[]
  /** The next allocation's sequence: its age among all. */
  nextAllocationSequence(): number
  apply(op: CalendarOp): void
  save(row: AllocationRow): void
  saveApproval(row: ApprovalRow): void
  saveNode(row: NodeRow): void
  saveGroup(row: NodeGroupRow): void
  drain(id: string): DrainRow | null
  saveDrain(row: DrainRow): void
  isFrozen(providerId: string): boolean
  setFrozen(providerId: string, frozen: boolean): void
  holdDeletes(held: boolean): void
  /** Null until one has been begun. */
  sweep(providerId: string): SweepRow | null
  saveSweep(row: SweepRow): void
  /** Of all that were read. */
  findingsAt(providerId: string): readonly FindingRow[]
  saveFinding(row: FindingRow): void
  /** It is found no more. */
  dropFinding(row: FindingRow): void
  /** Counts towards the bound of deletions that no person has asked for. */
  noteSweepDeletion(providerId: string, providerInstanceId: string): void
  /** Null: it has never been open. */
  circuit(of: Pick<CircuitRow, 'providerId' | 'kind'>): CircuitRow | null
  saveCircuit(row: CircuitRow): void
  /** Of all that were read. */
  leases(): readonly NetworkLeaseRow[]
  saveLease(row: NetworkLeaseRow): void
  noteLeaving(of: Pick<NetworkLeaseRow, 'clusterId' | 'organizationId'>): void
  webhook(id: string): WebhookRow | null
  /** Of those that were read: all of them where every one is needed. */
  webhookCount(): number
  saveWebhook(row: WebhookRow): void
  dropWebhook(id: string): void
  delivery(id: string): DeliveryRow | null
  saveDelivery(row: DeliveryRow): void
  /** The number of the last event written, this member's own included. */
  lastEventSequence(): number
  /**
   * The month was read for this member. Closed already, it stays as it is.
   *
   * @param end nothing before it is written any more
   * @returns when it was closed
   */
  closePeriod(period: string, end: EpochMs): EpochMs
  /** @returns the decision's id */
  decide(decision: NewDecision): string
  /** Of all that a refused member leaves behind this alone is kept. To be called before the first operation, then throw. */
  reject(rejection: NewRejection): void
  event(event: NewEvent): void
}

export interface DraftBase {
  readonly now: EpochMs
  readonly policy: Policy
  readonly calendar: Calendar
  readonly head: Head
  /** What was read, with what earlier members of the group changed. */
  readonly rows: Changes
  readonly applyOp: (op: CalendarOp) => void
  /** What the member is a part of, and whether somebody has asked for it. Default: of nothing, and nobody has. */
  readonly trace?: { readonly traceparent: string | null; readonly isAsked: boolean }
}

const UNTRACED = { traceparent: null, isAsked: false }

export interface OpenDraft {
  readonly draft: Draft
  readonly changes: Changes
  head(): Head
  /** What is to be stored although the member was refused. */
  rejection(): DecisionRow | null
}

export function openDraft(base: DraftBase): OpenDraft {
  const changes = noChanges()
  const { trace = UNTRACED } = base
  let head = base.head
  let rejection: DecisionRow | null = null
  const draft: Draft = {
    now: base.now,
    policy: base.policy,
    calendar: base.calendar,
    calendarVersion: base.head.version,
    versionNow: () => head.version,
    approval: (id) => changes.approvals.get(id) ?? base.rows.approvals.get(id) ?? null,
    allocation: (id) => changes.allocations.get(id) ?? base.rows.allocations.get(id) ?? null,
    allocations: () => [...merged(base.rows.allocations, changes.allocations)].sort((a, b) => a.sequence - b.sequence),
    nodesOf: (id) => merged(base.rows.nodes, changes.nodes).filter((node) => node.allocationId === id),
    groupsOf: (id) => merged(base.rows.groups, changes.groups).filter((group) => group.allocationId === id),
    nextAllocationSequence() {
      head = { ...head, allocationSequence: head.allocationSequence + 1 }
      return head.allocationSequence
    },
    apply(op) {
      base.applyOp(op)
      head = { ...head, version: head.version + 1, logDigest: chained(head.logDigest, op) }
      changes.log.push({ version: head.version, at: base.now, op })
    },
    save(row) {
      const before = changes.allocations.get(row.id) ?? base.rows.allocations.get(row.id) ?? null
      changes.allocations.set(row.id, {
        ...row,
        toldStartAt: toldStart(before, row),
        // What is done with it from here on is done for who asked last.
        traceparent: trace.isAsked ? trace.traceparent : (before ?? row).traceparent,
      })
    },
    saveApproval: (row) => void changes.approvals.set(row.id, row),
    saveNode: (row) => void changes.nodes.set(nodeKey(row), row),
    saveGroup: (row) => void changes.groups.set(row.name, row),
    drain: (id) => changes.drains.get(id) ?? base.rows.drains.get(id) ?? null,
    saveDrain: (row) => void changes.drains.set(row.id, row),
    isFrozen: (id) => changes.frozen.get(id) ?? base.rows.frozen.get(id) ?? false,
    setFrozen: (id, frozen) => void changes.frozen.set(id, frozen),
    holdDeletes: (held) => void changes.holds.set('deletes', held),
    sweep: (id) => changes.sweeps.get(id) ?? base.rows.sweeps.get(id) ?? null,
    saveSweep: (row) => void changes.sweeps.set(row.providerId, row),
    findingsAt: (id) =>
      merged(base.rows.findings, changes.findings).flatMap(({ row, isFound }) =>
        isFound && row.providerId === id ? [row] : [],
      ),
    saveFinding: (row) => void changes.findings.set(findingRowKey(row), { row, isFound: true }),
    dropFinding: (row) => void changes.findings.set(findingRowKey(row), { row, isFound: false }),
    noteSweepDeletion(providerId, providerInstanceId) {
      changes.sweepDeletions.set(`${providerId}/${providerInstanceId}`, {
        providerId,
        providerInstanceId,
        at: base.now,
      })
    },
    circuit: (of) => changes.circuits.get(circuitKey(of)) ?? base.rows.circuits.get(circuitKey(of)) ?? null,
    saveCircuit: (row) => void changes.circuits.set(circuitKey(row), row),
    leases: () => merged(base.rows.leases, changes.leases),
    saveLease: (row) => void changes.leases.set(leaseKey(row), row),
    noteLeaving: (of) => void changes.leavings.set(`${of.clusterId}/${of.organizationId}`, of),
    webhook: (id) => (changes.webhooks.has(id) ? changes.webhooks.get(id) : base.rows.webhooks.get(id)) ?? null,
    webhookCount: () => merged(base.rows.webhooks, changes.webhooks).filter((row) => row !== null).length,
    saveWebhook: (row) => void changes.webhooks.set(row.id, row),
    dropWebhook: (id) => void changes.webhooks.set(id, null),
    delivery: (id) => changes.deliveries.get(id) ?? base.rows.deliveries.get(id) ?? null,
    saveDelivery: (row) => void changes.deliveries.set(row.id, row),
    lastEventSequence: () => head.eventSequence,
    closePeriod(period, end) {
      const read = changes.periods.get(period) ?? base.rows.periods.get(period)
      if (read === undefined) throw new Error(`${period} was not read`)
      if (read.closedAt !== null) return read.closedAt
      changes.periods.set(period, { ...read, closedAt: base.now })
      head = { ...head, usageClosedUntil: Math.max(head.usageClosedUntil, end) }
      return base.now
    },
    decide(decision) {
      head = { ...head, decisionSequence: head.decisionSequence + 1 }
      const row = decisionRow(decision, { head, now: base.now, policyVersion: base.policy.version })
      changes.decisions.push(row)
      return row.id
    },
    reject(rejected) {
      const decided = { ...rejected, kind: 'reject', supersedes: null } as const
      const numbered = { ...base.head, decisionSequence: base.head.decisionSequence + 1 }
      rejection = decisionRow(decided, { head: numbered, now: base.now, policyVersion: base.policy.version })
    },
    event(event) {
      head = { ...head, eventSequence: head.eventSequence + 1 }
      const { calendar, now } = base
      const traceparent = trace.traceparent ?? draft.allocation(event.allocation?.id ?? '')?.traceparent ?? null
      changes.events.push(eventRow(event, { sequence: head.eventSequence, now, calendar, traceparent }))
    },
  }
  return { draft, changes, head: () => head, rejection: () => rejection }
}

function merged<T>(read: ReadonlyMap<string, T>, changed: ReadonlyMap<string, T>): T[] {
  if (changed.size === 0) return [...read.values()]
  return [...new Map([...read, ...changed]).values()]
}

function decisionRow(
  decision: NewDecision | (NewRejection & Pick<NewDecision, 'kind' | 'supersedes'>),
  { head, now, policyVersion }: { head: Head; now: EpochMs; policyVersion: string },
): DecisionRow {
  return {
    id: newId('dec'),
    sequence: head.decisionSequence,
    at: now,
    policyVersion,
    calendarVersion: head.version,
    inputDigest: inputDigest({ input: decision.input, log: head.logDigest, now, policyVersion }),
    ...decision,
  }
}

function eventRow(
  { type, subject, data, allocation, organizationId }: NewEvent,
  {
    sequence,
    now,
    calendar,
    traceparent,
  }: { sequence: number; now: EpochMs; calendar: Calendar; traceparent: string | null },
): EventRow {
  return {
    sequence,
    id: newId('evt'),
    type: fullType(type),
    subject,
    at: now,
    data,
    allocationId: allocation?.id ?? null,
    organizationId: allocation?.organizationId ?? organizationId ?? null,
    providerId: allocation === undefined ? providerOf(subject, calendar) : allocation.providerId,
    traceparent,
  }
}

/** Which operator a path below `/v1/` belongs to; null: none, or more than one. */
export function providerOf(subject: string, calendar: Calendar): string | null {
  const [noun, id = ''] = subject.split('/')
  if (noun === 'providers') return id
  return noun === 'clusters' ? (clusterOf(calendar, id)?.providerId ?? null) : null
}
