/** Takes a request under an approval: scheduled, waitlisted, or refused with the reason. */
import type { Allocation, AllocationRequest } from '../../shared/allocation.ts'
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import { Refusal } from '../../shared/refusal.ts'
import { clustersIn } from '../core/calendar-reads.ts'
import type { RefusedInput } from '../core/decisions/input.ts'
import { candidateView, neverServedOutcome, NO_CAPACITY } from '../core/decisions/outcome.ts'
import { canBeHad, place } from '../core/placement/place.ts'
import { askedStartOf, durationOf, type PlacementRequest, type RequestedPeriod } from '../core/placement/request.ts'
import { unsatisfiable } from '../core/placement/unsatisfiable.ts'
import { announce } from './announce.ts'
import type { App } from './app.ts'
import { assertWithinApproval } from './approval-check.ts'
import type { Answer, Caller, Command } from './command.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow, ApprovalRow } from '../store/changes.ts'
import { newId } from './ids.ts'
import { type Decided, putInLine, schedule } from './occupy.ts'
import { boundsOf, demandOf, periodOf, requiresOf } from './placement-request.ts'
import { allocationView, etagOf, positionsOf } from './views.ts'

export function createAllocation(app: App, command: Command, request: AllocationRequest): Promise<Answer<Allocation>> {
  return app.writer.answer(command, {
    needs: { approvals: [request.approvalId] },
    decide(draft) {
      const row = take(draft, command.caller, request)
      const position = row.status === 'waitlisted' ? positionsOf(draft.calendar).get(row.id) : undefined
      return { body: allocationView(row, { calendar: draft.calendar, position }), etag: etagOf(row) }
    },
  })
}

function take(draft: Draft, caller: Caller, request: AllocationRequest): AllocationRow {
  const period = periodOf(request.period, draft.now)
  const approval = usableApproval(draft, caller, request.approvalId)
  const asked = {
    demand: demandOf(request.demand),
    requires: requiresOf(request.requires ?? {}),
    prefers: (request.prefers ?? {}) as PlacementRequest['prefers'],
    period,
    image: request.access?.image ?? null,
    priority: approval.priority,
  }
  const gpuMsLeft = assertWithinApproval(draft, approval, asked)
  if (request.demand.gpus !== undefined && request.demand.gpus % GPUS_PER_NODE !== 0) {
    throw new Refusal(
      'demand-not-whole-nodes',
      `${request.demand.gpus} GPUs are not whole nodes of ${GPUS_PER_NODE}.`,
      {
        gpus: request.demand.gpus,
      },
    )
  }
  const placementRequest: PlacementRequest = { ...asked, approval: boundsOf(approval, gpuMsLeft) }
  const never = unsatisfiable(clustersIn(draft.calendar), placementRequest, draft.now)
  const input = { request: placementRequest } satisfies RefusedInput
  if (never !== null) {
    draft.reject({ allocationId: null, input, candidates: [], outcome: neverServedOutcome(never) })
    throw new Refusal('unsatisfiable', 'No cluster, even empty, could serve this.', { candidates: never })
  }

  const placement = place(draft.calendar, placementRequest, draft.now, draft.policy)
  if (request.ifUnavailable === 'reject' && !canBeHad(placement, placementRequest)) {
    draft.reject({ allocationId: null, input, candidates: placement.candidates, outcome: NO_CAPACITY })
    throw new Refusal('no-capacity', 'No cluster is free for the period.', {
      candidates: placement.candidates.map(candidateView),
    })
  }
  const row = newRow(draft, { approval, request, period })
  const { best } = placement
  const decided = { request: placementRequest, placement }
  return best !== null && placement.startsAsAsked
    ? enter(draft, {
        ...row,
        status: 'scheduled',
        ...schedule(draft, row, { ...decided, kind: 'place' } satisfies Decided, best),
      })
    : enter(draft, {
        ...row,
        status: 'waitlisted',
        ...putInLine(draft, row, approval, { ...decided, kind: 'waitlist' }),
      })
}

/** Of another organisation: unknown, as far as this caller can know. */
function usableApproval(draft: Draft, caller: Caller, approvalId: string): ApprovalRow {
  const approval = draft.approval(approvalId)
  const own = caller.organizationId === null || approval?.organizationId === caller.organizationId
  if (approval === null || !own) {
    throw new Refusal('approval-unknown', `There is no approval ${approvalId}.`, { approvalId })
  }
  if (approval.status === 'revoked') {
    throw new Refusal('approval-revoked', `Approval ${approvalId} has been revoked.`, { approvalId })
  }
  return approval
}

/** As it is before it has a place; not saved. */
export function newRow(
  draft: Draft,
  {
    approval,
    request,
    period,
  }: {
    readonly approval: ApprovalRow
    readonly request: Omit<AllocationRequest, 'ifUnavailable'>
    readonly period: RequestedPeriod
  },
): AllocationRow {
  return {
    id: newId('alc'),
    sequence: draft.nextAllocationSequence(),
    approvalId: approval.id,
    organizationId: approval.organizationId,
    program: approval.program,
    name: request.name,
    priority: approval.priority,
    status: 'waitlisted',
    statusReason: null,
    demand: request.demand,
    requires: request.requires ?? {},
    prefers: request.prefers ?? {},
    period: request.period,
    askedStartAt: askedStartOf(period),
    durationMs: durationOf(period),
    latestStartAt: period.kind === 'flexible' ? period.latestStart : null,
    access: request.access ?? {},
    labels: request.labels ?? {},
    providerId: null,
    clusterId: null,
    nodes: 0,
    startAt: null,
    endAt: null,
    decisionId: null,
    waitingSince: null,
    estimatedStartAt: null,
    estimatedClusterId: null,
    promisedStartAt: null,
    displacedBy: null,
    waitingReason: null,
    desiredNodes: 0,
    readyNodes: 0,
    failedNodes: 0,
    groupCounter: 0,
    releaseReason: null,
    undoing: null,
    avoid: [],
    version: 1,
    createdAt: draft.now,
    updatedAt: draft.now,
    activeAt: null,
    releasedAt: null,
    nextLookAt: null,
    claimToken: null,
    claimedUntil: null,
    readySeenAt: null,
    endingToldAt: null,
    toldStartAt: null,
    traceparent: null,
  }
}

function enter(draft: Draft, row: AllocationRow): AllocationRow {
  draft.save(row)
  announce(draft, row)
  return row
}
