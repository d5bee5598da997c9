/** An allocation on its way out: what a look at the provider's list means for it, until nothing of it is listed. */
import type { Plan } from '../core/reconcile.ts'
import type { Undoing } from '../store/schema.ts'
import { transition } from './announce.ts'
import { type Claim, claimed } from './claim.ts'
import type { Draft } from './draft.ts'
import { type AllocationRow, nodeKey } from '../store/changes.ts'
import { settleAfterRun } from './end-allocation.ts'
import type { Member } from './decide-group.ts'
import { leaveNetwork } from './lease-network.ts'
import { isLeaving } from './leaving.ts'
import { liftQuarantine, shrinkQuarantine, tellOfNode } from './quarantine.ts'
import { noteUnanswered } from './record-look.ts'
import { placeElsewhere } from './relocate.ts'
import { putBackInLine } from './take-back.ts'

/** @returns whether the claim still held; if not, nothing may be deleted */
export function recordGiveBack(claim: Claim, plan: Plan): Member<boolean> {
  return {
    needs: { allocations: [claim.id], nodes: true },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row === null || !isLeaving(row, draft.now)) return false
      noteNodes(draft, row, plan)
      noteUnanswered(draft, row, plan)
      if (plan.gone) finish(draft, row)
      else shrinkQuarantine(draft, row)
      return true
    },
  }
}

function noteNodes(draft: Draft, row: AllocationRow, plan: Plan): void {
  const nodes = new Map(draft.nodesOf(row.id).map((node) => [nodeKey(node), node]))
  for (const note of plan.notes) {
    const before = nodes.get(nodeKey({ allocationId: row.id, ...note }))
    if (before === undefined) continue
    const next = { ...before, status: note.status, address: null, since: draft.now }
    draft.saveNode(next)
    if (before.status === 'quarantined' && next.status === 'deleted') tellOfNode(draft, row, next)
  }
  if (row.readyNodes > 0) draft.save({ ...row, readyNodes: 0, failedNodes: 0 })
}

function finish(draft: Draft, row: AllocationRow): void {
  liftQuarantine(draft, row)
  leaveNetwork(draft, row)
  const statusReason = row.undoing?.kind ?? null
  const settled = { nextLookAt: null, readyNodes: 0, failedNodes: 0, undoing: null, statusReason }
  if (row.status === 'releasing') {
    settleAfterRun(draft, row)
    const event = row.activeAt === null ? 'nodesGoneNeverActive' : 'nodesGone'
    transition(draft, row, event, { ...settled, releasedAt: draft.now })
    return
  }
  if (row.undoing?.next === 'fail') {
    draft.apply({ op: 'release', allocationId: row.id })
    transition(draft, row, 'gaveUp', { ...settled, statusReason: whatHappened(row.undoing), releasedAt: draft.now })
    return
  }
  if (row.status === 'preempting') return putBackInLine(draft, { ...row, ...settled })
  placeElsewhere(draft, { ...row, ...settled, displacedBy: { cause: 'fault', causeId: row.clusterId ?? row.id } })
}

const whatHappened = ({ kind, code, message }: Undoing): string =>
  [kind, code, message].filter((part) => part !== null && part !== '').join(': ')
