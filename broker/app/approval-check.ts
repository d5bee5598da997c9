/** From an approval's row and the calendar to what `core/approval-limits.ts` is asked. */
import type { ApprovalLimits } from '../../shared/approval.ts'
import { GPUS_PER_NODE } from '../../shared/cluster.ts'
import { Refusal } from '../../shared/refusal.ts'
import {
  type AskedVariant,
  type Committed,
  exceededBy,
  gpuMsLeft,
  type Limits,
  type Used,
  usedBy,
} from '../core/approval-limits.ts'
import type { Calendar } from '../core/calendar.ts'
import { clusterOf, clustersIn, reservationOf } from '../core/calendar-reads.ts'
import { type Cluster, nodesFor } from '../core/cluster.ts'
import { commitmentsOf, usedOn } from '../core/commitments.ts'
import { questionOf, reasonsOfFact } from '../core/placement/feasible.ts'
import { askedStartOf, durationOf, type PlacementRequest } from '../core/placement/request.ts'
import type { Draft } from './draft.ts'
import type { ApprovalRow } from '../store/changes.ts'

export const limitsOf = (limits: ApprovalLimits): Limits => ({
  ...limits,
  validFrom: Date.parse(limits.validFrom),
  validTo: Date.parse(limits.validTo),
})

export const usedOf = (calendar: Calendar, { id, endedGpuMs }: Pick<ApprovalRow, 'id' | 'endedGpuMs'>): Used =>
  usedOn(calendar, id, endedGpuMs)

export function committedOf(calendar: Calendar, approval: Pick<ApprovalRow, 'id' | 'endedGpuMs'>): Committed {
  const commitments = commitmentsOf(calendar, approval.id)
  const architectures = commitments.flatMap(({ allocationId }) => {
    const reservation = reservationOf(calendar, allocationId)
    const cluster = reservation === null ? null : clusterOf(calendar, reservation.clusterId)
    return cluster === null ? [] : [cluster.architecture]
  })
  return { ...usedBy(commitments, approval.endedGpuMs), commitments, architectures: [...new Set(architectures)] }
}

/**
 * @returns the GPU-time that the approval has left, in GPU-ms
 * @throws Refusal `approval-exceeded`, naming the limit, what was asked and what is left
 */
export function assertWithinApproval(
  draft: Draft,
  approval: ApprovalRow,
  asked: Omit<PlacementRequest, 'approval'>,
): number {
  const limits = limitsOf(approval.limits)
  const used = usedOf(draft.calendar, approval)
  const start = Math.max(draft.now, askedStartOf(asked.period))
  const exceeded = exceededBy(limits, used, {
    variants: variantsOf(clustersIn(draft.calendar), asked, start),
    period: { start, end: start + lengthFrom(asked, start) },
    latestStart: asked.period.kind === 'fixed' ? asked.period.start : asked.period.latestStart,
  })
  if (exceeded === null) return gpuMsLeft(limits, used)
  const { limit, asked: wanted, left, detail } = exceeded
  throw new Refusal('approval-exceeded', detail, { approvalId: approval.id, limit, asked: wanted, left })
}

/** A fixed period that is asked for a little late keeps its end. */
const lengthFrom = ({ period }: Omit<PlacementRequest, 'approval'>, start: number): number =>
  period.kind === 'fixed' ? period.end - start : durationOf(period)

/**
 * The ways to serve the request, approvals aside: the clusters whose facts allow it. Where none does, what the request
 * itself names is measured, so that the approval's limit is told before `unsatisfiable` is.
 */
function variantsOf(
  clusters: readonly Cluster[],
  asked: Omit<PlacementRequest, 'approval'>,
  from: number,
): AskedVariant[] {
  const request: PlacementRequest = { ...asked, approval: null }
  const able = clusters.filter((cluster) => reasonsOfFact(questionOf(cluster, request, from)).length === 0)
  if (able.length > 0) return able.map((cluster) => variantOf(cluster, asked))
  const named = clusters.filter((cluster) => asked.requires.architectures?.includes(cluster.architecture) ?? true)
  if (named.length > 0) return named.map((cluster) => variantOf(cluster, asked))
  return (asked.requires.architectures ?? []).map((architecture) => ({
    architecture,
    nodes: 1,
    gpusPerNode: GPUS_PER_NODE,
  }))
}

const variantOf = (cluster: Cluster, { demand }: Omit<PlacementRequest, 'approval'>): AskedVariant => ({
  architecture: cluster.architecture,
  nodes: nodesFor(cluster, demand),
  gpusPerNode: cluster.gpusPerNode,
})
