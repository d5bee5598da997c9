/**
 * Gives part of an allocation back: the highest ordinals leave. What has not started is smaller at once; what runs holds
 * its place until the provider's list no longer has the nodes that leave. To what it has already is no change: whoever lost
 * the first answer and asks again is told what became of it.
 */
import type { Allocation, ShrinkRequest } from '../../shared/allocation.ts'
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import { invalidRequest, Refusal } from '../../shared/refusal.ts'
import { reservationOf, waitingEntryOf } from '../core/calendar-reads.ts'
import type { ShrinkInput } from '../core/decisions/input.ts'
import { shrinkOutcome } from '../core/decisions/outcome.ts'
import type { AllocationRow } from '../store/changes.ts'
import { summaryOf } from './announce.ts'
import type { App } from './app.ts'
import type { Answer, Command } from './command.ts'
import type { Draft } from './draft.ts'
import { assertFresh } from './fresh.ts'
import { ownAllocation } from './own.ts'
import { waitingEntryOf as entryOfRow } from './placement-request.ts'
import { allocationView, etagOf, positionsOf } from './views.ts'

export function shrinkAllocation(
  app: App,
  command: Command,
  id: string,
  request: ShrinkRequest,
): Promise<Answer<Allocation>> {
  return app.writer.answer(command, {
    needs: { allocations: [id], nodes: true },
    decide(draft) {
      const row = ownAllocation(draft, command.caller, id)
      assertFresh(command, row)
      const shrunk = shrink(draft, row, request.nodes)
      const position = positionsOf(draft.calendar).get(id)
      return { body: allocationView(shrunk, { calendar: draft.calendar, position }), etag: etagOf(shrunk) }
    },
  })
}

const SHRINKABLE: ReadonlySet<string> = new Set(['waitlisted', 'scheduled', 'provisioning', 'active'])

function shrink(draft: Draft, row: AllocationRow, nodes: number): AllocationRow {
  if (!SHRINKABLE.has(row.status) || row.undoing !== null) {
    throw new Refusal('not-in-this-status', `The allocation is ${row.status}; it cannot be made smaller now.`, {
      allocationStatus: row.status,
    })
  }
  if (nodes > row.desiredNodes) {
    throw invalidRequest([{ pointer: '/nodes', detail: `must be at most ${row.desiredNodes}, what it has now` }])
  }
  if (nodes === row.desiredNodes) return row
  const input = { nodes, nodesBefore: row.desiredNodes } satisfies ShrinkInput
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: 'shrink',
    input,
    candidates: [],
    outcome: shrinkOutcome(row.clusterId, input, draft.now),
    supersedes: row.decisionId,
  })
  const smaller = {
    ...row,
    decisionId,
    demand: { nodes },
    desiredNodes: nodes,
    version: row.version + 1,
    updatedAt: draft.now,
  }
  const running = row.status === 'provisioning' || row.status === 'active'
  const shrunk = running ? letLeave(draft, smaller) : atOnce(draft, smaller)
  draft.save(shrunk)
  draft.event({
    type: 'allocation.shrunk',
    subject: `allocations/${row.id}`,
    allocation: shrunk,
    data: summaryOf(shrunk),
  })
  return shrunk
}

function atOnce(draft: Draft, row: AllocationRow): AllocationRow {
  const approval = draft.approval(row.approvalId)
  if (waitingEntryOf(draft.calendar, row.id) !== null && approval !== null) {
    draft.apply({ op: 'wait', entry: entryOfRow(row, approval) })
  }
  return smallerPlace(draft, row)
}

function smallerPlace(draft: Draft, row: AllocationRow): AllocationRow {
  const reservation = reservationOf(draft.calendar, row.id)
  if (reservation !== null) {
    draft.apply({ op: 'reserve', reservation: { ...reservation, nodes: row.desiredNodes } })
  }
  return { ...row, nodes: row.status === 'waitlisted' ? 0 : row.desiredNodes }
}

function letLeave(draft: Draft, row: AllocationRow): AllocationRow {
  for (const node of draft.nodesOf(row.id)) {
    if (node.ordinal < row.desiredNodes || node.status === 'deleted') continue
    draft.saveNode({ ...node, status: 'deleting', since: draft.now })
  }
  return { ...row, nextLookAt: draft.now }
}

/** The nodes that left are listed no more: their place is free, and their GPU-time is final. */
export function settleShrink(draft: Draft, row: AllocationRow): AllocationRow {
  const approval = draft.approval(row.approvalId)
  if (approval !== null && row.startAt !== null) {
    const gpuMs = (row.nodes - row.desiredNodes) * GPUS_PER_NODE * Math.max(0, draft.now - row.startAt)
    draft.saveApproval({ ...approval, endedGpuMs: approval.endedGpuMs + gpuMs })
  }
  return smallerPlace(draft, row)
}
