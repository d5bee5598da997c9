/**
 * Lets an allocation keep its nodes for longer, where nobody has been promised them; on refusal it is untouched. To the end
 * that it has already is no change: whoever lost the first answer and asks again is told what became of it.
 */
import type { Allocation, ExtendRequest } from '../../shared/allocation.ts'
import { invalidRequest, Refusal } from '../../shared/refusal.ts'
import { toIso } from '../../shared/time.ts'
import { exceededBy, usedBy } from '../core/approval-limits.ts'
import { commitmentsOf } from '../core/commitments.ts'
import type { ExtendInput } from '../core/decisions/input.ts'
import { extendOutcome, notExtendedOutcome } from '../core/decisions/outcome.ts'
import { type Extension, extension, shownConflict } from '../core/extension.ts'
import type { AllocationRow, ApprovalRow } from '../store/changes.ts'
import { summaryOf } from './announce.ts'
import type { App } from './app.ts'
import { limitsOf } from './approval-check.ts'
import type { Answer, Command } from './command.ts'
import type { Draft } from './draft.ts'
import { assertFresh } from './fresh.ts'
import { ownAllocation } from './own.ts'
import { allocationView, etagOf } from './views.ts'

const EXTENDABLE: ReadonlySet<string> = new Set(['scheduled', 'provisioning', 'active'])

export function extendAllocation(
  app: App,
  command: Command,
  id: string,
  request: ExtendRequest,
): Promise<Answer<Allocation>> {
  return app.writer.answer(command, {
    needs: { allocations: [id] },
    decide(draft) {
      const row = ownAllocation(draft, command.caller, id)
      assertFresh(command, row)
      const extended = extend(draft, row, Date.parse(request.end))
      return {
        body: allocationView(extended, { calendar: draft.calendar, position: undefined }),
        etag: etagOf(extended),
      }
    },
  })
}

function extend(draft: Draft, row: AllocationRow, end: number): AllocationRow {
  if (row.endAt === null || !EXTENDABLE.has(row.status)) {
    throw new Refusal('not-in-this-status', `The allocation is ${row.status}; it has no end that could be later.`, {
      allocationStatus: row.status,
    })
  }
  if (end < row.endAt)
    throw invalidRequest([{ pointer: '/end', detail: `must not be before ${toIso(row.endAt)}, its end now` }])
  if (end === row.endAt) return row
  assertApproved(draft, row, end)
  const found = extension(draft.calendar, row.id, end, draft.now)
  if (found === null) throw new Error('what is scheduled or runs has its place on the calendar')
  const input = { end } satisfies ExtendInput
  if (!found.fits) {
    const shown = shownConflict(draft.calendar, found, row.organizationId)
    const outcome = notExtendedOutcome(found, shown)
    draft.reject({ allocationId: row.id, input, candidates: [], outcome })
    throw conflict(found, shown)
  }
  const { clusterId, nodes } = found.reservation
  // Before the operation: it was decided on the calendar as it was.
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: 'extend',
    input,
    candidates: [],
    outcome: extendOutcome({ clusterId, nodes, end, endBefore: row.endAt }),
    supersedes: row.decisionId,
  })
  draft.apply({ op: 'reserve', reservation: found.reservation })
  const extended = { ...row, endAt: end, decisionId, version: row.version + 1, updatedAt: draft.now }
  draft.save(extended)
  draft.event({
    type: 'allocation.extended',
    subject: `allocations/${row.id}`,
    allocation: extended,
    data: summaryOf(extended),
  })
  return extended
}

function conflict(found: Extract<Extension, { fits: false }>, shown: string | null): Refusal {
  const [conflictAt, latestEnd] = [toIso(found.conflictAt), toIso(found.latestEnd)]
  if (shown === found.conflictWith)
    return new Refusal('no-capacity', found.detail, { conflictAt, conflictWith: found.conflictWith, latestEnd })
  const detail = `The nodes are promised from ${conflictAt} on; the latest end that fits is ${latestEnd}.`
  return new Refusal('no-capacity', detail, { conflictAt, conflictWith: null, latestEnd })
}

/** The whole of it, with the new end, beside everything else that the approval has committed. */
function assertApproved(draft: Draft, row: AllocationRow, end: number): void {
  const approval: ApprovalRow | null = draft.approval(row.approvalId)
  // Of a cluster that the catalogue no longer lists, too: what runs there runs on.
  const cluster = row.clusterId === null ? undefined : draft.calendar.clusters.get(row.clusterId)?.cluster
  if (approval === null || cluster === undefined || row.startAt === null)
    throw new Error('it lies on a cluster, under an approval')
  const others = commitmentsOf(draft.calendar, approval.id).filter((one) => one.allocationId !== row.id)
  const exceeded = exceededBy(limitsOf(approval.limits), usedBy(others, approval.endedGpuMs), {
    variants: [{ architecture: cluster.architecture, nodes: row.nodes, gpusPerNode: cluster.gpusPerNode }],
    period: { start: row.startAt, end },
    latestStart: row.startAt,
  })
  if (exceeded === null) return
  const { limit, asked, left, detail } = exceeded
  throw new Refusal('approval-exceeded', detail, { approvalId: approval.id, limit, asked, left })
}
