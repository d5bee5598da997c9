/** Putting an allocation on the calendar: the operations, the row and the decision that belong together. */
import type { DecisionKind } from '../../shared/decision.ts'
import type { ReservationPhase } from '../core/calendar-op.ts'
import type { MadeAt, PlacementInput, PlannedInput, PlanOrigin } from '../core/decisions/input.ts'
import { scheduledOutcome, waitingOutcome } from '../core/decisions/outcome.ts'
import type { Place, Placement } from '../core/placement/candidate.ts'
import type { PlacementRequest } from '../core/placement/request.ts'
import { waitingReason } from '../core/waiting-reason.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow, ApprovalRow } from '../store/changes.ts'
import { waitingEntryOf } from './placement-request.ts'
import { promiseWith } from './promises.ts'

export function reserve(draft: Draft, row: AllocationRow, place: Place, phase: ReservationPhase): void {
  const { clusterId, nodes, start, end, heldUntil } = place
  draft.apply({
    op: 'reserve',
    reservation: {
      allocationId: row.id,
      approvalId: row.approvalId,
      organizationId: row.organizationId,
      clusterId,
      nodes,
      start,
      end,
      heldUntil,
      phase,
      priority: row.priority,
      order: row.sequence,
    },
  })
}

export interface Decided {
  readonly kind: DecisionKind
  readonly request: PlacementRequest
  readonly placement: Placement
  /** Where a plan of those who wait has decided: what that followed from. */
  readonly plan?: PlannedBy
  /** It has had a place, or waited, before. Default: it has just come, or a plan has decided. */
  readonly again?: boolean
}

/** A re-plan, or those who wait for idle-use served on the calendar of this instant. */
export type PlannedBy = { readonly replan: PlanOrigin } | { readonly idle: MadeAt }

/** Everything that the decision follows from beside the calendar. */
export const inputOf = ({ request, plan, again }: Decided, row: AllocationRow): PlacementInput | PlannedInput =>
  plan === undefined
    ? {
        request,
        ...(again === true && { again }),
        ...(row.promisedStartAt !== null && { promisedStart: row.promisedStartAt }),
      }
    : { request, ...plan }

/** Starts when asked: the place is its own. The row's status is the caller's to move. */
export function schedule(draft: Draft, row: AllocationRow, decided: Decided, place: Place): Partial<AllocationRow> {
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: decided.kind,
    input: inputOf(decided, row),
    candidates: decided.placement.candidates,
    outcome: scheduledOutcome(place),
    supersedes: row.decisionId,
  })
  if (row.waitingSince !== null) draft.apply({ op: 'unwait', allocationId: row.id })
  reserve(draft, row, place, 'scheduled')
  return {
    decisionId,
    providerId: place.providerId,
    clusterId: place.clusterId,
    nodes: place.nodes,
    desiredNodes: place.nodes,
    startAt: place.start,
    endAt: place.end,
    waitingSince: null,
    estimatedStartAt: null,
    estimatedClusterId: null,
    waitingReason: null,
    displacedBy: null,
    nextLookAt: place.start,
  }
}

/** Waits: it keeps the planned place, if there is one, and is told when. A promise is made once, and later only as promises.ts says. */
export function putInLine(
  draft: Draft,
  row: AllocationRow,
  approval: ApprovalRow,
  decided: Decided,
): Partial<AllocationRow> {
  const { best } = decided.placement
  const plannedStart = best?.start ?? null
  // Idle-use is promised nothing: whoever reserves goes before it.
  const promise = promiseWith(draft, row, {
    request: decided.request,
    plannedStart: row.priority === 'idle' ? null : plannedStart,
  })
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: decided.kind,
    input: inputOf(decided, row),
    candidates: decided.placement.candidates,
    outcome: waitingOutcome(best, promise.promisedStartAt),
    supersedes: row.decisionId,
  })
  const waiting = {
    decisionId,
    providerId: null,
    clusterId: null,
    nodes: 0,
    startAt: null,
    endAt: null,
    waitingSince: row.waitingSince ?? draft.now,
    ...planned(best),
    desiredNodes: best?.nodes ?? fewestNodes(decided.placement),
    ...promise,
    waitingReason: waitingReason(draft.calendar, { request: decided.request, place: best }, draft.now, draft.policy),
    nextLookAt: null,
  }
  draft.apply({ op: 'wait', entry: waitingEntryOf({ ...row, ...waiting }, approval) })
  // Nothing is kept for idle-use: its plan is an estimate.
  if (best === null || row.priority === 'idle') draft.apply({ op: 'release', allocationId: row.id })
  else reserve(draft, row, best, 'planned')
  return waiting
}

/** What the demand comes to where it takes the fewest: known even of one that waits without a plan. */
const fewestNodes = ({ candidates }: Placement): number => Math.min(...candidates.map((candidate) => candidate.nodes))

/** The present plan as a row shows it. */
export const planned = (place: Place | null): Pick<AllocationRow, 'estimatedStartAt' | 'estimatedClusterId'> => ({
  estimatedStartAt: place?.start ?? null,
  estimatedClusterId: place?.clusterId ?? null,
})
