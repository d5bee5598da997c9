/** Deciding again what was decided, from what is stored: by the very functions that decided first. */
import type { DecisionKind } from '../../../shared/decision.ts'
import type { EpochMs } from '../../../shared/time.ts'
import { clustersIn, reservationOf, waitingEntryOf } from '../calendar-reads.ts'
import { withOps } from '../calendar-undo.ts'
import type { Calendar } from '../calendar.ts'
import { extension, shownConflict } from '../extension.ts'
import type { Notice } from '../idle/notices.ts'
import type { Candidate, Placement } from '../placement/candidate.ts'
import { canBeHad, place, placeAgain } from '../placement/place.ts'
import type { Policy } from '../placement/policy.ts'
import { unsatisfiable } from '../placement/unsatisfiable.ts'
import type { PlanChange } from '../plan-change.ts'
import { promiseGiven } from '../promise.ts'
import type {
  ExtendInput,
  MadeAt,
  PlacementInput,
  PlannedInput,
  PlanOrigin,
  PreemptInput,
  RefusedInput,
  ShrinkInput,
  TakenInput,
} from './input.ts'
import {
  type DecisionOutcome,
  extendOutcome,
  neverServedOutcome,
  NO_CAPACITY,
  notExtendedOutcome,
  preemptOutcome,
  scheduledOutcome,
  shrinkOutcome,
  takenOutcome,
  waitingOutcome,
} from './outcome.ts'

/** What is decided again, and where. `allocationId` is empty for a request that never became an allocation. */
export interface Again {
  /** As it was when the decision was made. Left as it is. */
  readonly calendar: Calendar
  readonly allocationId: string
  readonly now: EpochMs
  readonly policy: Policy
  /** What several decisions share, made once. */
  readonly plans: Plans
}

export interface Plans {
  replan(origin: PlanOrigin): ReadonlyMap<string, PlanChange>
  idle(made: MadeAt): ReadonlyMap<string, PlanChange>
  notices(calendarVersion: number): ReadonlyMap<string, Notice>
}

export interface Rederived {
  readonly candidates: readonly Candidate[]
  readonly outcome: DecisionOutcome
}

/** The stored input leads to no decision of this kind: not what the broker writes. */
export class NotDecided extends Error {
  override readonly name = 'NotDecided'
}

/**
 * @param input as stored. What nobody would have stored may throw anything.
 * @throws NotDecided where the input and the calendar do not lead to a decision of this kind
 */
export const rederive = (again: Again, kind: DecisionKind, input: unknown): Rederived => DECIDES[kind](again, input)

/** Each kind has the input that is written for it (`input.ts`); another one makes another decision, or none. */
const DECIDES: Readonly<Record<DecisionKind, (again: Again, input: unknown) => Rederived>> = {
  place: (again, input) =>
    isTaken(input) ? without(takenOutcome(input.taken)) : placed(again, input as PlacementInput),
  waitlist: (again, input) => inLine(again, input as PlacementInput),
  relocate: (again, input) => relocated(again, input as PlacementInput),
  promote: (again, input) => planned(again, 'promote', input as PlannedInput),
  replan: (again, input) => planned(again, 'replan', input as PlannedInput),
  preempt: (again, input) => preempted(again, input as PreemptInput),
  extend: (again, input) => extended(again, input as ExtendInput),
  shrink: (again, input) => shrunk(again, input as ShrinkInput),
  reject: (again, input) => (isExtension(input) ? notExtended(again, input) : rejected(again, input as RefusedInput)),
}

const without = (outcome: DecisionOutcome): Rederived => ({ candidates: [], outcome })

const isTaken = (input: unknown): input is TakenInput => typeof input === 'object' && input !== null && 'taken' in input
const isExtension = (input: unknown): input is ExtendInput =>
  typeof input === 'object' && input !== null && 'end' in input

function placementOf({ calendar, allocationId, now, policy }: Again, { request, again }: PlacementInput): Placement {
  if (again !== true) return place(calendar, request, now, policy)
  return withOps(calendar, [{ op: 'release', allocationId }], () => placeAgain(calendar, request, now, policy))
}

function placed(again: Again, input: PlacementInput): Rederived {
  const { best, startsAsAsked, candidates } = placementOf(again, input)
  if (best === null || !startsAsAsked) throw new NotDecided('nothing starts as asked, so it would wait')
  return { candidates, outcome: scheduledOutcome(best) }
}

function inLine(again: Again, input: PlacementInput): Rederived {
  const placement = placementOf(again, input)
  if (input.again !== true && placement.startsAsAsked) throw new NotDecided('it starts as asked, so it would not wait')
  return waits(again, input, placement)
}

function waits({ now, policy }: Again, input: PlacementInput, { best, candidates }: Placement): Rederived {
  const { request, promisedStart = null } = input
  const promised = promiseGiven({ request, plannedStart: best?.start ?? null, promisedStart, now, policy })
  return { candidates, outcome: waitingOutcome(best, promised) }
}

function relocated(again: Again, input: PlacementInput): Rederived {
  const placement = placementOf(again, { ...input, again: true })
  const { best, candidates } = placement
  const canStart = best !== null && (placement.startsAsAsked || best.start <= again.now)
  return canStart ? { candidates, outcome: scheduledOutcome(best) } : waits(again, input, placement)
}

function planned(again: Again, kind: 'promote' | 'replan', input: PlannedInput): Rederived {
  const entry = waitingEntryOf(again.calendar, again.allocationId)
  if (entry === null) throw new NotDecided('it does not wait')
  const { candidates } = placementOf(again, { request: entry.request, again: true })
  const change = changeOf(again, input)
  if (change === undefined) throw new NotDecided('the plan has nothing new for it')
  const begins = change.placement !== null && (change.startsNow || change.startsAsAsked)
  if (begins !== (kind === 'promote')) throw new NotDecided(`the plan says that it ${begins ? 'starts' : 'waits on'}`)
  if (change.placement !== null && begins) return { candidates, outcome: scheduledOutcome(change.placement) }
  return { candidates, outcome: waitingOutcome(change.placement, entry.promisedStart) }
}

function changeOf({ plans, allocationId }: Again, { replan, idle }: PlannedInput): PlanChange | undefined {
  if (replan !== undefined) return plans.replan(replan).get(allocationId)
  if (idle !== undefined) return plans.idle(idle).get(allocationId)
  throw new NotDecided('no plan is named')
}

function preempted({ plans, allocationId }: Again, { calendarVersion }: PreemptInput): Rederived {
  const notice = plans.notices(calendarVersion).get(allocationId)
  if (notice === undefined) throw new NotDecided('no notice was due')
  return without(preemptOutcome(notice))
}

function extended({ calendar, allocationId, now }: Again, { end }: ExtendInput): Rederived {
  const before = reservationOf(calendar, allocationId)
  const found = extension(calendar, allocationId, end, now)
  if (before === null || found === null) throw new NotDecided('it has no place')
  if (!found.fits) throw new NotDecided(`it would be refused: ${found.detail}`)
  const { clusterId, nodes } = found.reservation
  return without(extendOutcome({ clusterId, nodes, end, endBefore: before.end }))
}

function notExtended({ calendar, allocationId, now }: Again, { end }: ExtendInput): Rederived {
  const reservation = reservationOf(calendar, allocationId)
  const found = extension(calendar, allocationId, end, now)
  if (reservation === null || found === null) throw new NotDecided('it has no place')
  if (found.fits) throw new NotDecided('it fits, so it would be granted')
  return without(notExtendedOutcome(found, shownConflict(calendar, found, reservation.organizationId)))
}

function shrunk({ calendar, allocationId, now }: Again, input: ShrinkInput): Rederived {
  const { nodes, nodesBefore } = input
  if (!(nodes < nodesBefore)) throw new NotDecided(`${nodes} nodes are not fewer than ${nodesBefore}`)
  const reservation = reservationOf(calendar, allocationId)
  if (reservation === null && waitingEntryOf(calendar, allocationId) === null) throw new NotDecided('it has no place')
  // The plan of one that waits is no place yet.
  const clusterId = reservation === null || reservation.phase === 'planned' ? null : reservation.clusterId
  return without(shrinkOutcome(clusterId, input, now))
}

function rejected({ calendar, now, policy }: Again, { request }: RefusedInput): Rederived {
  const never = unsatisfiable(clustersIn(calendar), request, now)
  if (never !== null) return without(neverServedOutcome(never))
  const placement = place(calendar, request, now, policy)
  if (canBeHad(placement, request)) throw new NotDecided('it can be had, so it would be granted')
  return { candidates: placement.candidates, outcome: NO_CAPACITY }
}
