/** Idle-use gives way: grants are told, their nodes are taken back when the notice is over, and they wait again. */
import { toIso } from '../../shared/time.ts'
import { clusterOf } from '../core/calendar-reads.ts'
import type { PreemptInput } from '../core/decisions/input.ts'
import { preemptOutcome } from '../core/decisions/outcome.ts'
import { noticesDue, underNotice } from '../core/idle/notices.ts'
import { placeAgain } from '../core/placement/place.ts'
import type { AllocationRow } from '../store/changes.ts'
import { transition } from './announce.ts'
import type { Draft } from './draft.ts'
import { settleAfterRun } from './end-allocation.ts'
import type { Member } from './decide-group.ts'
import { putInLine } from './occupy.ts'
import { requestOfRow } from './placement-request.ts'
import { placeElsewhere } from './relocate.ts'

/** Every group of decisions begins with it when notices are due. @returns the allocations that were told */
export const giveNotices: Member<readonly string[]> = {
  needs: { idle: true },
  decide(draft) {
    const calendarVersion = draft.versionNow()
    return noticesDue(draft.calendar, draft.now).flatMap((notice) => {
      const row = draft.allocation(notice.grant.allocationId)
      return row !== null && tell(draft, row, { notice, calendarVersion }) ? [row.id] : []
    })
  },
}

/** @returns false where it is on its way out already */
function tell(draft: Draft, row: AllocationRow, due: PreemptInput): boolean {
  if (row.status === 'scheduled') {
    placeElsewhere(draft, { ...row, waitingSince: row.createdAt }) // nothing has been built for it yet
    return true
  }
  if (row.status !== 'provisioning' && row.status !== 'active') return false
  const { notice } = due
  const { grant, endsAt, neededAt } = notice
  const told = { noticeEndsAt: toIso(endsAt), neededAt: toIso(neededAt) }
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: 'preempt',
    input: due,
    candidates: [],
    outcome: preemptOutcome(notice),
    supersedes: row.decisionId,
  })
  const turnoverMs = clusterOf(draft.calendar, grant.clusterId)?.turnoverMs ?? 0
  draft.apply({ op: 'reserve', reservation: underNotice(notice, turnoverMs) })
  // What is left of its time is what it waits for next.
  const durationMs = grant.end - endsAt
  const changes = { decisionId, durationMs, endAt: endsAt, statusReason: 'preempted', nextLookAt: endsAt }
  transition(draft, row, 'preempted', changes, told)
  return true
}

/**
 * The provider lists nothing of it any more: its GPU-time so far is final, and it waits for what is left of its time, as
 * old as it was when it came.
 */
export function putBackInLine(draft: Draft, row: AllocationRow): void {
  const approval = draft.approval(row.approvalId)
  if (approval === null) throw new Error('an allocation has its approval')
  settleAfterRun(draft, row)
  const waiting = { ...row, statusReason: 'preempted', waitingSince: row.createdAt }
  const request = requestOfRow(waiting, approval, Number.MAX_SAFE_INTEGER) // its GPU-time was checked when it came
  const placement = placeAgain(draft.calendar, request, draft.now, draft.policy)
  const inLine = putInLine(draft, waiting, approval, { kind: 'waitlist', request, placement, again: true })
  transition(draft, waiting, 'nodesGone', inLine)
}
