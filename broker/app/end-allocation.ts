/** Ending an allocation, whoever asks: a caller, a revoked approval, or its own end. */
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import type { EpochMs } from '../../shared/time.ts'
import { clusterOf, reservationOf } from '../core/calendar-reads.ts'
import { isFinal } from '../core/allocation-state.ts'
import { transition } from './announce.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow } from '../store/changes.ts'

/** Ends it now, as far as its status asks for: at once where nothing runs, else by giving its nodes back. */
export function endNow(draft: Draft, row: AllocationRow, reason: string): AllocationRow {
  if (isFinal(row.status) || row.status === 'releasing') return row
  const ended = transition(draft, row, 'releaseAsked', { releaseReason: reason, nextLookAt: null })
  return ended.status === 'cancelled' ? leaveCalendar(draft, ended) : holdUntilGone(draft, ended)
}

/** It never ran: its place is free at once. */
export function leaveCalendar(draft: Draft, row: AllocationRow): AllocationRow {
  draft.apply({ op: 'unwait', allocationId: row.id })
  draft.apply({ op: 'release', allocationId: row.id })
  const left = { ...row, releasedAt: draft.now, nextLookAt: null }
  draft.save(left)
  return left
}

/**
 * Its nodes count as held until the provider's list no longer has them; the turnover is planned from its end on, and when
 * that is over they are quarantined (quarantine.ts).
 */
export function holdUntilGone(draft: Draft, row: AllocationRow): AllocationRow {
  const reservation = reservationOf(draft.calendar, row.id)
  if (reservation !== null) {
    const end = Math.min(reservation.end, draft.now)
    const turnoverMs = clusterOf(draft.calendar, reservation.clusterId)?.turnoverMs ?? 0
    draft.apply({
      op: 'reserve',
      reservation: { ...reservation, end, heldUntil: end + turnoverMs, phase: 'running' },
    })
  }
  const held = { ...row, endAt: Math.min(row.endAt ?? draft.now, draft.now), nextLookAt: draft.now }
  draft.save(held)
  return held
}

/**
 * It holds its place no longer, because its nodes are gone or because they are held in quarantine: what is left of the
 * turnover lapses, and its GPU-time is final. A second time changes nothing.
 */
export function settleAfterRun(draft: Draft, row: AllocationRow): void {
  if (reservationOf(draft.calendar, row.id) === null) return
  draft.apply({ op: 'release', allocationId: row.id })
  const approval = draft.approval(row.approvalId)
  if (approval === null || row.startAt === null) return
  draft.saveApproval({ ...approval, endedGpuMs: approval.endedGpuMs + gpuMsOf(row, draft.now) })
}

function gpuMsOf(row: AllocationRow, now: EpochMs): number {
  const end = Math.min(row.endAt ?? now, now)
  return Math.max(0, end - (row.startAt ?? end)) * row.nodes * GPUS_PER_NODE
}
