/** Plans again for those who wait: after a release, a lapse, a new phase, or because a planned start is at hand. */
import type { EpochMs } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { reservationOf, waiting, waitingEntryOf } from '../core/calendar-reads.ts'
import { withOps } from '../core/calendar-undo.ts'
import { placeAgain } from '../core/placement/place.ts'
import { askedStartOf, lastStartOf } from '../core/placement/request.ts'
import { waitingOutcome } from '../core/decisions/outcome.ts'
import { opsOfChange, type PlanChange, type Slip } from '../core/plan-change.ts'
import { serveIdle } from '../core/idle/serve.ts'
import { replan } from '../core/replan.ts'
import { transition } from './announce.ts'
import type { App } from './app.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow } from '../store/changes.ts'
import { leaveCalendar } from './end-allocation.ts'
import type { Member } from './group-commit.ts'
import { type Decided, inputOf, planned, type PlannedBy, schedule } from './occupy.ts'
import { type Plan, type PlanAside, planAside, planFrom, seedFor } from './plan-aside.ts'
import { slipPromises } from './promises.ts'

/** So often a plan is made beside the lock; then under it, or a busy calendar would never see one. */
const TRIES_ASIDE = 2

/**
 * Plans on a copy of the calendar, while others go on deciding, and takes the lock only to write the plan down.
 *
 * @returns how many plans changed
 */
export async function replanWaitlist(app: App): Promise<number> {
  for (let tries = 0; tries < TRIES_ASIDE; tries += 1) {
    const changed = await app.writer.run(writingDown(await planAside(app)))
    if (changed !== null) return changed
  }
  return app.writer.run(planningUnderTheLock)
}

/** Of whoever waits all rows: promises are held against the new plan. */
const NEEDS = { waiting: true }

/** @returns null when the calendar is no longer the one that was planned on */
const writingDown = (plan: PlanAside): Member<number | null> => ({
  needs: NEEDS,
  decide(draft) {
    const isSame = draft.calendar === plan.seen && draft.calendarVersion === plan.origin.calendarVersion
    return isSame ? writeDown(draft, plan) : null
  },
})

const planningUnderTheLock: Member<number> = {
  needs: NEEDS,
  decide(draft) {
    const { now, policy, calendar, calendarVersion } = draft
    const options = { now, policy, seed: seedFor(calendarVersion) }
    return writeDown(draft, planFrom(replan(calendar, options), { ...options, calendarVersion }))
  },
}

function writeDown(draft: Draft, { changes, slips, origin }: Plan): number {
  for (const change of changes) carryOut(draft, change, { replan: origin })
  for (const slip of slips) noteCause(draft, slip)
  slipPromises(draft)
  const idle = { calendarVersion: draft.versionNow() }
  const served = serveIdle(draft.calendar, draft.now, draft.policy).filter((change) => isNews(draft, change))
  for (const change of served) carryOut(draft, change, { idle })
  return changes.length + served.length
}

/** Whether it says anything else than the row does: estimates are made anew each time. */
function isNews(draft: Draft, { allocationId, placement, startsNow, expired }: PlanChange): boolean {
  const row = draft.allocation(allocationId)
  if (row === null || startsNow || expired) return true
  const { estimatedStartAt, estimatedClusterId } = planned(placement)
  return row.estimatedStartAt !== estimatedStartAt || row.estimatedClusterId !== estimatedClusterId
}

function carryOut(draft: Draft, change: PlanChange, plan: PlannedBy): void {
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
    const decided = { kind: 'promote', request: entry.request, placement, plan } as const
    const scheduled = schedule(draft, row, decided, change.placement)
    transition(draft, row, 'placed', scheduled)
    return
  }
  noteNewPlan(draft, row, change, { kind: 'replan', request: entry.request, placement, plan })
  // After the decision: it was made on the calendar as it was before.
  for (const op of opsOfChange(entry, change)) draft.apply(op)
}

function noteNewPlan(draft: Draft, row: AllocationRow, change: PlanChange, decided: Decided): void {
  const place = change.placement
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: decided.kind,
    input: inputOf(decided, row),
    candidates: decided.placement.candidates,
    outcome: waitingOutcome(place, row.promisedStartAt),
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

/** What took the place before, such as a drain, is the cause of what follows from it. */
function noteCause(draft: Draft, { allocationId, causedBy }: Slip): void {
  const row = draft.allocation(allocationId)
  const [causeId] = causedBy
  if (row === null || causeId === undefined || row.displacedBy !== null) return
  draft.save({ ...row, displacedBy: { cause: 'priority', causeId } })
}

/** When somebody's start is next at hand, or their last chance has passed; null when neither will ever be. */
export function nextTurn(calendar: Calendar, now: EpochMs): EpochMs | null {
  const turns = waiting(calendar).map(({ allocationId, priority, request }) => {
    const asked = askedStartOf(request.period)
    if (priority === 'idle' && asked > now) return asked // it has no place that would say so
    return reservationOf(calendar, allocationId)?.start ?? lastStartOf(request) + 1
  })
  const next = Math.min(...turns)
  return Number.isFinite(next) ? next : null
}
