/**
 * Writes a plan down a few lines at a time, each part a short transaction of its own: whoever asks for something meanwhile
 * waits for one part and not for the whole plan. Others decide in between, so a line is written only if it still holds
 * (core/still-holds.ts); what does not is for the next plan. Lines that take each other's places are written together.
 */
import { waitingEntryOf } from '../core/calendar-reads.ts'
import { withOps } from '../core/calendar-undo.ts'
import { MOST_BEHIND } from '../core/decisions/input.ts'
import { waitingOutcome } from '../core/decisions/outcome.ts'
import { placeAgain } from '../core/placement/place.ts'
import { opsOfChange, type PlanChange, type Slip } from '../core/plan-change.ts'
import { holdTogether, stillHolds } from '../core/still-holds.ts'
import type { AllocationRow } from '../store/changes.ts'
import { transition } from './announce.ts'
import type { App } from './app.ts'
import type { Draft } from './draft.ts'
import { leaveCalendar } from './end-allocation.ts'
import type { Member } from './decide-group.ts'
import { type Decided, inputOf, planned, type PlannedBy, schedule } from './occupy.ts'
import type { PlanAside, PlanLine } from './plan-aside.ts'
import { slipPromises } from './promises.ts'

/** Lines in one transaction: what somebody who asks meanwhile may have to wait for. */
export const LINES_AT_ONCE = 8

/** After a part that took longer, others have as long for themselves: what came meanwhile is not put behind the next part too. */
const NO_REST_MS = 2
const LONGEST_REST_MS = 100

export interface WrittenPlan {
  /** So many lines are written. */
  readonly changed: number
  /** What could not be: it does not hold any more. */
  readonly left: readonly PlanLine[]
  /** The calendar has been built anew, or has gone too far since: another plan is needed. */
  readonly isOutdated: boolean
}

/** How the parts of a plan follow each other. */
export interface Pace {
  /** Resolves after so many ms: between two parts others have the lock for themselves. */
  readonly rest: (ms: number) => Promise<void>
  /** The broker stops: what is not written yet is for the first plan after the next start. */
  readonly isOver: () => boolean
}

export async function writePlan(app: App, plan: PlanAside, pace: Pace): Promise<WrittenPlan> {
  let { lines: left } = plan
  let changed = 0
  // One that waits for another to make room finds it there the next time.
  for (let before = -1; left.length > 0 && left.length !== before; ) {
    before = left.length
    const kept: PlanLine[] = []
    for (let at = 0; at < left.length; at += LINES_AT_ONCE) {
      const part = await rested(pace, () => app.writer.run(oneByOne(plan, left.slice(at, at + LINES_AT_ONCE))))
      changed += part.changed
      kept.push(...part.left)
      const { isOutdated: ends } = part
      if (ends || pace.isOver())
        return { changed, left: [...kept, ...left.slice(at + LINES_AT_ONCE)], isOutdated: ends }
    }
    left = kept
  }
  if (left.length < 2) return { changed, left, isOutdated: false }
  const last = await app.writer.run(together(plan, left))
  return { ...last, changed: changed + last.changed }
}

export async function rested<T>({ rest }: Pick<Pace, 'rest'>, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now()
  const done = await work()
  const restMs = Math.min(LONGEST_REST_MS, performance.now() - startedAt)
  if (restMs > NO_REST_MS) await rest(restMs)
  return done
}

const needsOf = (lines: readonly PlanLine[]): Member<WrittenPlan>['needs'] => ({
  allocations: lines.map(({ change }) => change.allocationId),
})

const isOutdated = (draft: Draft, plan: PlanAside): boolean =>
  !plan.isOf(draft.calendar) || draft.calendarVersion - plan.calendarVersion > MOST_BEHIND

const oneByOne = (plan: PlanAside, lines: readonly PlanLine[]): Member<WrittenPlan> => ({
  needs: needsOf(lines),
  decide(draft) {
    if (isOutdated(draft, plan)) return { changed: 0, left: lines, isOutdated: true }
    const left: PlanLine[] = []
    let changed = 0
    for (const line of lines) {
      if (!stillHolds(draft.calendar, line, draft.now)) left.push(line)
      else if (write(draft, line, plan.origin)) changed += 1
    }
    return { changed, left, isOutdated: false }
  },
})

const together = (plan: PlanAside, lines: readonly PlanLine[]): Member<WrittenPlan> => ({
  needs: needsOf(lines),
  decide(draft) {
    const outdated = isOutdated(draft, plan)
    if (outdated || !holdTogether(draft.calendar, lines, draft.now))
      return { changed: 0, left: lines, isOutdated: outdated }
    const changed = lines.filter((line) => write(draft, line, plan.origin)).length
    return { changed, left: [], isOutdated: false }
  },
})

/** @returns whether it says anything new */
function write(draft: Draft, { change, slip }: PlanLine, origin: PlannedBy): boolean {
  const row = draft.allocation(change.allocationId)
  if (row === null || row.status !== 'waitlisted') return false
  if ('idle' in origin && !isNews(row, change)) return false
  carryOut(draft, row, change, origin)
  if (slip !== null) noteCause(draft, slip)
  slipPromises(draft, [row.id])
  return true
}

/** Whether it says anything else than the row does: estimates are made anew each time. */
function isNews(row: AllocationRow, { placement, startsNow, expired }: PlanChange): boolean {
  if (startsNow || expired) return true
  const { estimatedStartAt, estimatedClusterId } = planned(placement)
  return row.estimatedStartAt !== estimatedStartAt || row.estimatedClusterId !== estimatedClusterId
}

function carryOut(draft: Draft, row: AllocationRow, change: PlanChange, plan: PlannedBy): void {
  const entry = waitingEntryOf(draft.calendar, change.allocationId)
  if (entry === null) return
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
