/** An allocation on its way out: what a look at the provider's list means for it, until nothing of it is listed. */
import { type EpochMs, MINUTE_MS } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { reservationOf } from '../core/calendar-reads.ts'
import type { Plan } from '../core/reconcile.ts'
import type { Undoing } from '../store/schema.ts'
import { transition } from './announce.ts'
import { type Claim, claimed } from './claim.ts'
import type { Draft } from './draft.ts'
import { type AllocationRow, nodeKey } from '../store/changes.ts'
import { settleAfterRun } from './end-allocation.ts'
import type { Member } from './group-commit.ts'
import { noteUnanswered } from './record-look.ts'
import { placeElsewhere, relocateOverbooked } from './relocate.ts'

/**
 * @param late the time that was planned for its going is nearly over: others may have to move
 * @returns whether the claim still held; if not, nothing may be deleted
 */
export function recordGiveBack(claim: Claim, plan: Plan, late: boolean): Member<boolean> {
  return {
    needs: { allocations: [claim.id], nodes: true, waiting: late, scheduled: late },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row === null || (row.status !== 'releasing' && row.undoing === null)) return false
      noteNodes(draft, row, plan)
      noteUnanswered(draft, row, plan)
      if (plan.gone) finish(draft, row)
      else if (late) holdOn(draft, row)
      return true
    },
  }
}

function noteNodes(draft: Draft, row: AllocationRow, plan: Plan): void {
  const nodes = new Map(draft.nodesOf(row.id).map((node) => [nodeKey(node), node]))
  for (const note of plan.notes) {
    const before = nodes.get(nodeKey({ allocationId: row.id, ...note }))
    if (before !== undefined) draft.saveNode({ ...before, status: note.status, address: null, since: draft.now })
  }
  if (row.readyNodes > 0) draft.save({ ...row, readyNodes: 0, failedNodes: 0 })
}

/** A release that the provider has not confirmed in time goes on holding its nodes, a little at a time. */
const HOLD_ON_MS = MINUTE_MS

/** Whether its nodes are held for less than half of such a while yet. */
export function isLate(calendar: Calendar, allocationId: string, now: EpochMs): boolean {
  const reservation = reservationOf(calendar, allocationId)
  return reservation !== null && reservation.heldUntil <= now + HOLD_ON_MS / 2
}

function holdOn(draft: Draft, row: AllocationRow): void {
  const reservation = reservationOf(draft.calendar, row.id)
  if (reservation === null || !isLate(draft.calendar, row.id, draft.now)) return
  draft.apply({ op: 'reserve', reservation: { ...reservation, heldUntil: draft.now + HOLD_ON_MS } })
  relocateOverbooked(draft, reservation.clusterId, { cause: 'fault', causeId: row.id })
}

function finish(draft: Draft, row: AllocationRow): void {
  const settled = { nextLookAt: null, readyNodes: 0, failedNodes: 0, undoing: null }
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
  placeElsewhere(draft, { ...row, ...settled, displacedBy: { cause: 'fault', causeId: row.clusterId ?? row.id } })
}

const whatHappened = ({ kind, code, message }: Undoing): string =>
  [kind, code, message].filter((part) => part !== null && part !== '').join(': ')
