/**
 * What an approval has committed on the calendar: reserved and waiting allocations. Nodes at once are counted at the
 * places that are planned now, so that the limit holds wherever an allocation comes to lie.
 */
import type { EpochMs, Interval } from '../../shared/time.ts'
import type { Calendar } from './calendar.ts'
import type { WaitingEntry } from './calendar-op.ts'
import { factsAllow, questionOf } from './placement/feasible.ts'
import { askedStartOf, durationOf, type ApprovalBounds } from './placement/request.ts'

export interface Commitment {
  readonly allocationId: string
  readonly nodes: number
  /** Null for someone waiting without a place. */
  readonly interval: Interval | null
  /** GPU-time held of the approval, in GPU-milliseconds. */
  readonly gpuMs: number
  readonly waiting: boolean
}

/** By allocation id. */
export function commitmentsOf(calendar: Calendar, approvalId: string): Commitment[] {
  const index = calendar.approvals.get(approvalId)
  if (index === undefined) return []
  return [...new Set([...index.reserved, ...index.waiting])].toSorted().map((allocationId) => {
    const entry = index.waiting.has(allocationId) ? calendar.waiting.get(allocationId) : undefined
    const reserved = index.reserved.has(allocationId) ? reservedPart(calendar, allocationId) : NOTHING_RESERVED
    if (entry === undefined) return { allocationId, waiting: false, ...reserved }
    return { allocationId, ...reserved, waiting: true, gpuMs: Math.max(reserved.gpuMs, dearestOf(calendar, entry)) }
  })
}

const NOTHING_RESERVED = { nodes: 0, interval: null, gpuMs: 0 }

function reservedPart(calendar: Calendar, allocationId: string): Pick<Commitment, 'nodes' | 'interval' | 'gpuMs'> {
  const state = calendar.clusters.get(calendar.reservedAt.get(allocationId) ?? '')
  const reservation = state?.reservations.get(allocationId)?.what
  if (state === undefined || reservation === undefined) return NOTHING_RESERVED
  const { nodes, start, end } = reservation
  return { nodes, interval: { start, end }, gpuMs: nodes * state.cluster.gpusPerNode * (end - start) }
}

/** GPU-time of someone waiting at the dearest cluster that it may still come to lie in, so that no move exceeds it. */
function dearestOf(calendar: Calendar, { request }: WaitingEntry): number {
  let most = 0
  for (const { cluster } of calendar.listed) {
    const question = questionOf(cluster, request, askedStartOf(request.period))
    const gpuMs = question.nodes * cluster.gpusPerNode * durationOf(request.period)
    if (gpuMs > most && factsAllow(question)) most = gpuMs
  }
  return most
}

/** Most nodes at once within the interval. */
export function peakNodes(commitments: readonly Commitment[], interval: Interval): number {
  let peak = 0
  for (const step of levelsOf(commitments, interval)) peak = Math.max(peak, step.nodes)
  return peak
}

/**
 * Null when the approval lets these nodes run throughout the interval beside what it has on the calendar; else the
 * instant at which the last obstacle inside the interval ends: no earlier start in it will do.
 */
export function approvalBlocksUntil(
  calendar: Calendar,
  approval: ApprovalBounds,
  wanted: { readonly nodes: number; readonly start: EpochMs; readonly end: EpochMs },
): EpochMs | null {
  const index = calendar.approvals.get(approval.approvalId)
  // The sum of all its reservations is never less than those at one time: mostly this is the whole answer.
  if (index === undefined || index.reservedNodes + wanted.nodes <= approval.maxNodes) return null
  const steps = levelsOf(commitmentsOf(calendar, approval.approvalId), wanted)
  return steps.findLast((step) => step.nodes + wanted.nodes > approval.maxNodes)?.end ?? null
}

interface Level extends Interval {
  readonly nodes: number
}

/** The commitments' nodes as steps, those that reach into the interval; a step's end may lie past the interval's. */
function levelsOf(commitments: readonly Commitment[], interval: Interval): Level[] {
  const changes = commitments.flatMap((commitment) =>
    commitment.interval === null
      ? []
      : [
          { at: commitment.interval.start, nodes: commitment.nodes },
          { at: commitment.interval.end, nodes: -commitment.nodes },
        ],
  )
  changes.sort((a, b) => a.at - b.at)
  const levels: Level[] = []
  let nodes = 0
  for (const [index, change] of changes.entries()) {
    nodes += change.nodes
    const end = changes[index + 1]?.at ?? change.at
    if (end > change.at && change.at < interval.end && end > interval.start)
      levels.push({ start: change.at, end, nodes })
  }
  return levels
}
