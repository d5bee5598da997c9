/** Status changes: the table decides whether one may happen, the row carries it, an event tells of it. */
import type { AllocationStatus } from '../../shared/allocation.ts'
import type { EventType } from '../../shared/event.ts'
import { Refusal } from '../../shared/refusal.ts'
import { toIsoOrNull } from '../../shared/time.ts'
import { type AllocationEvent, nextStatus } from '../core/allocation-state.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow } from '../store/changes.ts'

const ANNOUNCED: Readonly<Record<AllocationStatus, EventType>> = {
  scheduled: 'allocation.scheduled',
  waitlisted: 'allocation.waitlisted',
  provisioning: 'allocation.provisioning',
  active: 'allocation.active',
  preempting: 'allocation.preempting',
  releasing: 'allocation.releasing',
  released: 'allocation.released',
  cancelled: 'allocation.cancelled',
  failed: 'allocation.failed',
}

/**
 * Moves the allocation to the status that the event leads to, saves it with `changes`, and announces it, with what is
 * `told` beside the summary.
 *
 * @throws Refusal `not-in-this-status` where the table has no such step
 */
export function transition(
  draft: Draft,
  row: AllocationRow,
  event: AllocationEvent,
  changes: Partial<AllocationRow> = {},
  told: Readonly<Record<string, unknown>> = {},
): AllocationRow {
  const status = nextStatus(row.status, event)
  if (status === null) {
    throw new Refusal('not-in-this-status', `The allocation is ${row.status}; that cannot be done in this status.`, {
      allocationStatus: row.status,
    })
  }
  const next = { ...row, ...changes, status, version: row.version + 1, updatedAt: draft.now }
  draft.save(next)
  announce(draft, next, told)
  return next
}

/** The event for the status that the row has; `told` is added to its data. */
export function announce(draft: Draft, row: AllocationRow, told: Readonly<Record<string, unknown>> = {}): void {
  draft.event({
    type: ANNOUNCED[row.status],
    subject: `allocations/${row.id}`,
    allocation: row,
    data: { ...summaryOf(row), ...told },
  })
}

export const summaryOf = (row: AllocationRow): Record<string, unknown> => ({
  allocationId: row.id,
  approvalId: row.approvalId,
  organizationId: row.organizationId,
  status: row.status,
  statusReason: row.statusReason,
  clusterId: row.clusterId,
  nodes: row.nodes,
  start: toIsoOrNull(row.startAt),
  end: toIsoOrNull(row.endAt),
  estimatedStart: toIsoOrNull(row.estimatedStartAt),
  promisedStart: toIsoOrNull(row.promisedStartAt),
})
