/** Rows as callers see them. */
import type { Allocation, AllocationNode, Earlier, Period } from '../../shared/allocation.ts'
import type { Approval, ApprovalLimits } from '../../shared/approval.ts'
import type { Decision } from '../../shared/decision.ts'
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import { HOUR_MS, toIso, toIsoOrNull, type EpochMs } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { clusterOf, waiting } from '../core/calendar-reads.ts'
import { commitmentsOf } from '../core/commitments.ts'
import type { EarlierStart } from '../core/earlier.ts'
import { candidateView } from '../core/decisions/outcome.ts'
import type { Candidate } from '../core/placement/candidate.ts'
import type { ShownAllocation } from '../store/allocations.ts'
import type { ApprovalRow, DecisionRow, NodeRow } from '../store/changes.ts'

export const etagOf = (row: { readonly version: number }): string => String(row.version)

/** Counted in the whole list, from 1. */
export function positionsOf(calendar: Calendar): ReadonlyMap<string, number> {
  return new Map(waiting(calendar).map((entry, index) => [entry.allocationId, index + 1]))
}

interface Seen {
  readonly calendar: Calendar
  readonly position: number | undefined
  /** Left out where many are shown. */
  readonly earlier?: readonly EarlierStart[]
}

export function allocationView(row: ShownAllocation, { calendar, position, earlier }: Seen): Allocation {
  return {
    id: row.id,
    approvalId: row.approvalId,
    organizationId: row.organizationId,
    program: row.program,
    name: row.name,
    priority: row.priority,
    status: row.status,
    statusReason: row.statusReason,
    demand: row.demand,
    requires: row.requires,
    prefers: row.prefers,
    period: periodView(row.period),
    labels: row.labels,
    placement: placementOf(row, calendar),
    waitlist: waitlistOf(row, position, earlier),
    nodes: { desired: row.desiredNodes, ready: row.readyNodes, failed: row.failedNodes },
    createdAt: toIso(row.createdAt),
    updatedAt: toIso(row.updatedAt),
    activeAt: toIsoOrNull(row.activeAt),
    releasedAt: toIsoOrNull(row.releasedAt),
  }
}

/** Callers may write any offset; answers are in UTC. */
const inUtc = (instant: string): string => toIso(Date.parse(instant))

function periodView(period: Period): Period {
  if ('start' in period) return { start: inUtc(period.start), end: inUtc(period.end) }
  const { earliestStart, latestStart } = period
  return {
    ...period,
    ...(earliestStart !== undefined && { earliestStart: inUtc(earliestStart) }),
    ...(latestStart !== undefined && { latestStart: inUtc(latestStart) }),
  }
}

export const limitsView = (limits: ApprovalLimits): ApprovalLimits => ({
  ...limits,
  validFrom: inUtc(limits.validFrom),
  validTo: inUtc(limits.validTo),
})

function placementOf(row: ShownAllocation, calendar: Calendar): Allocation['placement'] {
  const { providerId, clusterId, startAt, endAt, decisionId } = row
  if (row.status === 'waitlisted' || clusterId === null || providerId === null) return null
  if (startAt === null || endAt === null || decisionId === null) return null
  return {
    providerId,
    clusterId,
    gpuModel: clusterOf(calendar, clusterId)?.gpuModel ?? 'unknown',
    nodes: row.nodes,
    gpus: row.nodes * GPUS_PER_NODE,
    start: toIso(startAt),
    end: toIso(endAt),
    decisionId,
  }
}

function waitlistOf(
  row: ShownAllocation,
  position: number | undefined,
  earlier: readonly EarlierStart[] | undefined,
): Allocation['waitlist'] {
  if (row.status !== 'waitlisted') return null
  return {
    position: position ?? 1,
    estimatedStart: toIsoOrNull(row.estimatedStartAt),
    estimatedClusterId: row.estimatedClusterId,
    promisedStart: toIsoOrNull(row.promisedStartAt),
    reason: row.waitingReason ?? '',
    since: toIso(row.waitingSince ?? row.createdAt),
    ...(earlier !== undefined && { earlier: earlier.map(earlierView) }),
  }
}

export const earlierView = ({ start, ...change }: EarlierStart): Earlier => ({
  ...change,
  estimatedStart: toIso(start),
})

export const nodeView = (row: NodeRow): AllocationNode => ({
  ordinal: row.ordinal,
  generation: row.generation,
  name: row.name,
  providerInstanceId: row.providerInstanceId,
  status: row.status,
  address: row.address,
  since: toIso(row.since),
  lastError: row.lastError,
})

export const decisionView = (row: DecisionRow): Decision => ({
  decisionId: row.id,
  at: toIso(row.at),
  kind: row.kind,
  policyVersion: row.policyVersion,
  inputDigest: row.inputDigest,
  candidates: (row.candidates as readonly Candidate[]).map(candidateView),
  outcome: row.outcome as Decision['outcome'],
  supersedes: row.supersedes,
})

const hours = (gpuMs: number): number => Math.round((gpuMs / HOUR_MS) * 1_000) / 1_000

export function approvalView(row: ApprovalRow, calendar: Calendar, now: EpochMs): Approval {
  const commitments = commitmentsOf(calendar, row.id)
  let usedGpuMs = row.endedGpuMs
  let nodesInUse = 0
  for (const { interval, nodes, waiting: waits } of commitments) {
    if (interval === null || waits || interval.start > now) continue
    usedGpuMs += nodes * GPUS_PER_NODE * (Math.min(now, interval.end) - interval.start)
    nodesInUse += nodes
  }
  return {
    id: row.id,
    organizationId: row.organizationId,
    organizationName: row.organizationName,
    organizationType: row.organizationType,
    program: row.program,
    priority: row.priority,
    limits: limitsView(row.limits),
    note: row.note,
    status: row.status,
    usage: {
      gpuHoursCommitted: hours(commitments.reduce((sum, one) => sum + one.gpuMs, row.endedGpuMs)),
      gpuHoursUsed: hours(usedGpuMs),
      nodesInUse,
    },
    createdAt: toIso(row.createdAt),
    updatedAt: toIso(row.updatedAt),
  }
}
