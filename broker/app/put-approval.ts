/**
 * Registers an approval, or replaces it; the same once more changes nothing. A limit is never lowered below what is
 * committed under it.
 */
import type { Approval, ApprovalRequest } from '../../shared/approval.ts'
import { invalidRequest, Refusal } from '../../shared/refusal.ts'
import { limitBelowCommitted } from '../core/approval-limits.ts'
import { waiting } from '../core/calendar-reads.ts'
import type { App } from './app.ts'
import { committedOf, limitsOf } from './approval-check.ts'
import type { Answer, Command } from './command.ts'
import { canonicalJson } from '../core/canonical-json.ts'
import type { Draft } from './draft.ts'
import type { ApprovalRow } from '../store/changes.ts'
import { assertFresh } from './fresh.ts'
import { boundAnew } from './placement-request.ts'
import { approvalView, etagOf, limitsView } from './views.ts'

export async function putApproval(
  app: App,
  command: Command,
  id: string,
  request: ApprovalRequest,
): Promise<Answer<Approval> & { readonly created: boolean }> {
  const { row, body, created } = await app.writer.perform(command, {
    needs: { approvals: [id] },
    decide(draft) {
      const before = draft.approval(id)
      const row = before === null ? register(draft, command, id, request) : replace(draft, command, before, request)
      return { row, body: approvalView(row, draft.calendar, draft.now), created: before === null }
    },
  })
  return { body, etag: etagOf(row), created, replayed: false }
}

const factsOf = (request: ApprovalRequest | ApprovalRow) => ({
  organizationId: request.organizationId,
  organizationName: request.organizationName ?? null,
  organizationType: request.organizationType ?? null,
  program: request.program,
  priority: request.priority,
  limits: request.limits,
  note: request.note ?? null,
})

function register(draft: Draft, command: Command, id: string, request: ApprovalRequest): ApprovalRow {
  if (command.ifMatch !== null) throw new Refusal('stale', `There is no approval ${id}.`)
  assertOwn(command, request.organizationId, id)
  return registered(draft, id, request)
}

/** A new one; saved and announced. */
export const registered = (draft: Draft, id: string, request: ApprovalRequest): ApprovalRow =>
  saved(draft, {
    id,
    sequence: draft.nextAllocationSequence(),
    ...factsOf(request),
    status: 'valid',
    endedGpuMs: 0,
    version: 1,
    createdAt: draft.now,
    updatedAt: draft.now,
  })

/** Whether replacing it would change nothing. */
export const isAsRequested = (row: ApprovalRow, request: ApprovalRequest): boolean =>
  canonicalJson(factsOf(request)) === canonicalJson(factsOf(row))

function replace(draft: Draft, command: Command, before: ApprovalRow, request: ApprovalRequest): ApprovalRow {
  assertOwn(command, before.organizationId, before.id)
  assertFresh(command, before)
  if (before.status === 'revoked') {
    throw new Refusal('approval-revoked', `Approval ${before.id} has been revoked and cannot be changed.`)
  }
  if (before.organizationId !== request.organizationId) {
    throw invalidRequest([
      { pointer: '/organizationId', detail: `must stay ${before.organizationId}: register another approval` },
    ])
  }
  if (isAsRequested(before, request)) return before
  const lowered = limitBelowCommitted(limitsOf(request.limits), committedOf(draft.calendar, before))
  if (lowered !== null) {
    const { limit, asked, left, detail } = lowered
    throw new Refusal('limit-below-committed', detail, { limit, committed: asked, asked: left })
  }
  const row = { ...before, ...factsOf(request), version: before.version + 1, updatedAt: draft.now }
  // Who waits is planned within the new limits from now on, on every replica and after a restart alike.
  for (const entry of waiting(draft.calendar))
    if (entry.approvalId === row.id) draft.apply({ op: 'wait', entry: boundAnew(entry, row) })
  return saved(draft, row)
}

/** A caller of one organisation neither sees nor makes approvals of another. */
function assertOwn(command: Command, organizationId: string, id: string): void {
  const bound = command.caller.organizationId
  if (bound !== null && bound !== organizationId) throw new Refusal('not-found', `There is no approval ${id}.`)
}

function saved(draft: Draft, row: ApprovalRow): ApprovalRow {
  draft.saveApproval(row)
  draft.event({
    type: 'approval.put',
    subject: `approvals/${row.id}`,
    organizationId: row.organizationId,
    data: {
      approvalId: row.id,
      organizationId: row.organizationId,
      priority: row.priority,
      limits: limitsView(row.limits),
    },
  })
  return row
}
