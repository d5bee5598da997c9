/** Plans again for those who wait: after a release, a lapse, a new phase, or because a planned start is at hand. */
import type { EpochMs } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { reservationOf, waiting, waitingEntryOf } from '../core/calendar-reads.ts'
import { withOps } from '../core/calendar-undo.ts'
import { placeAgain } from '../core/placement/place.ts'
import type { Placement } from '../core/placement/candidate.ts'
import { lastStartOf } from '../core/placement/request.ts'
import { opsOfChange, type PlanChange } from '../core/plan-change.ts'
import { serveIdle } from '../core/idle/serve.ts'
import { replan } from '../core/replan.ts'
import { toIso, toIsoOrNull } from '../../shared/time.ts'
import { transition } from './announce.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow } from '../store/changes.ts'
import { leaveCalendar } from './end-allocation.ts'
import type { Member } from './group-commit.ts'
import { planned, schedule } from './occupy.ts'
import { slipPromises } from './promises.ts'

/** @returns how many plans changed */
export const replanWaitlist: Member<number> = {
  needs: { waiting: true },
  decide(draft) {
    const changes = replan(draft.calendar, draft.now, draft.policy)
    for (const change of changes) carryOut(draft, change)
    slipPromises(draft)
    const served = serveIdle(draft.calendar, draft.now, draft.policy).filter((change) => isNews(draft, change))
    for (const change of served) carryOut(draft, change)
    return changes.length + served.length
  },
}

/** Whether it says anything else than the row does: estimates are made anew each time. */
function isNews(draft: Draft, { allocationId, placement, startsNow, expired }: PlanChange): boolean {
  const row = draft.allocation(allocationId)
  if (row === null || startsNow || expired) return true
  const { estimatedStartAt, estimatedClusterId } = planned(placement)
  return row.estimatedStartAt !== estimatedStartAt || row.estimatedClusterId !== estimatedClusterId
}

function carryOut(draft: Draft, change: PlanChange): void {
  const row = draft.allocation(change.allocationId)
  const entry = waitingEntryOf(draft.calendar, change.allocationId)
  if (row === null || row.status !== 'waitlisted' || entry === null) return
  if (change.expired) {
    const ended = transition(draft, row, 'windowPassed', { statusReason: 'window-passed', estimatedStartAt: null })
    leaveCalendar(draft, ended)
    return
  }
  const placement = withOps(draft.calendar, [{ op: 'release', allocationId: row.id }], () =>
    placeAgain(draft.calendar, entry.request, draft.now, draft.policy),
  )
  if (change.placement !== null && (change.startsNow || change.startsAsAsked)) {
    const scheduled = schedule(draft, row, { kind: 'promote', request: entry.request, placement }, change.placement)
    transition(draft, row, 'placed', scheduled)
    return
  }
  noteNewPlan(draft, row, change, placement)
  // After the decision: it was made on the calendar as it was before.
  for (const op of opsOfChange(entry, change)) draft.apply(op)
}

function noteNewPlan(draft: Draft, row: AllocationRow, change: PlanChange, placement: Placement): void {
  const entry = waitingEntryOf(draft.calendar, row.id)
  const place = change.placement
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: 'replan',
    input: { request: entry?.request },
    candidates: placement.candidates,
    outcome: {
      status: 'waitlisted',
      estimatedClusterId: place?.clusterId ?? null,
      estimatedStart: toIsoOrNull(place?.start ?? null),
      ...(row.promisedStartAt === null ? {} : { promisedStart: toIso(row.promisedStartAt) }),
    },
    supersedes: row.decisionId,
  })
  draft.save({
    ...row,
    decisionId,
    ...planned(place),
    desiredNodes: place?.nodes ?? row.desiredNodes,
    waitingReason: change.reason ?? row.waitingReason,
    updatedAt: draft.now,
  })
}

/** When somebody's planned start is next at hand, or their last chance has passed; null when neither will ever be. */
export function nextTurn(calendar: Calendar): EpochMs | null {
  const turns = waiting(calendar).flatMap(({ allocationId, request }) => {
    const planned = reservationOf(calendar, allocationId)?.start
    return planned === undefined ? lastStartOf(request) + 1 : planned
  })
  const next = Math.min(...turns)
  return Number.isFinite(next) ? next : null
}
