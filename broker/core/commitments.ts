/**
 * What an approval has committed on the calendar: reserved and waiting allocations. Nodes at once are counted at the
 * places that are planned now, so that the limit holds wherever an allocation comes to lie.
 */
import type { EpochMs, Interval } from '../../shared/time.ts'
import type { Used } from './approval-limits.ts'
import type { ApprovalIndex, Calendar, Tally } from './calendar.ts'
import type { WaitingEntry } from './calendar-op.ts'
import { factsAllow, questionOf } from './placement/feasible.ts'
import { askedStartOf, durationOf, type ApprovalBounds } from './placement/request.ts'
import { addCharge, coverFrom, firstShortage, removeCharge, timelineOf } from './timeline.ts'

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
  const ids = [...new Set([...index.reserved, ...index.waiting])].toSorted()
  return ids.map((allocationId) => commitmentOf(calendar, index, allocationId))
}

function commitmentOf(calendar: Calendar, index: ApprovalIndex, allocationId: string): Commitment {
  const entry = index.waiting.has(allocationId) ? calendar.waiting.get(allocationId) : undefined
  const reserved = index.reserved.has(allocationId) ? reservedPart(calendar, allocationId) : NOTHING_RESERVED
  if (entry === undefined) return { allocationId, waiting: false, ...reserved }
  return { allocationId, ...reserved, waiting: true, gpuMs: Math.max(reserved.gpuMs, dearestOf(calendar, entry)) }
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
export function dearestOf(calendar: Calendar, { request }: WaitingEntry): number {
  let most = 0
  for (const { cluster } of calendar.listed) {
    const question = questionOf(cluster, request, askedStartOf(request.period))
    const gpuMs = question.nodes * cluster.gpusPerNode * durationOf(request.period)
    if (gpuMs > most && factsAllow(question)) most = gpuMs
  }
  return most
}

/** From so many on, the nodes at once are kept on a timeline of their own: adding all of them up takes longer. */
const MANY = 64

/**
 * What an approval has used and committed, as its limits ask for it. Counts only what has changed since it was last asked,
 * so that an approval with ten thousand allocations is checked as quickly as one with ten.
 */
export function usedOn(calendar: Calendar, approvalId: string, endedGpuMs: number): Used {
  const index = calendar.approvals.get(approvalId)
  if (index === undefined) return { endedGpuMs, committedGpuMs: 0, peakAbove: () => 0 }
  const tally = tallyOf(calendar, index)
  return {
    endedGpuMs,
    committedGpuMs: tally.gpuMs,
    peakAbove(interval, bound) {
      // The sum of all reservations is never less than those at one time: mostly this is the whole answer.
      if (index.reservedNodes <= bound) return index.reservedNodes
      const timeline = interval.start >= calendar.gridFrom ? tally.atOnce?.timeline : undefined
      if (timeline !== undefined && firstShortage(timeline, interval, -bound) === null) return bound
      return peakNodes(commitmentsOf(calendar, approvalId), interval)
    },
  }
}

const allOf = ({ reserved, waiting }: ApprovalIndex): string[] => [...reserved, ...waiting]

function tallyOf(calendar: Calendar, index: ApprovalIndex): Tally {
  const tally = (index.tally ??= { gpuMsOf: new Map(), gpuMs: 0, changed: new Set(allOf(index)), atOnce: null })
  if (tally.atOnce === null && index.reserved.size >= MANY) {
    tally.atOnce = { timeline: timelineOf(0, [], calendar.gridFrom), charges: new Map() }
    for (const allocationId of allOf(index)) tally.changed.add(allocationId)
  }
  if (tally.atOnce !== null) coverFrom(tally.atOnce.timeline, calendar.gridFrom)
  for (const allocationId of tally.changed) {
    const { gpuMs, interval, nodes } = commitmentOf(calendar, index, allocationId)
    tally.gpuMs += gpuMs - (tally.gpuMsOf.get(allocationId) ?? 0)
    if (gpuMs === 0) tally.gpuMsOf.delete(allocationId)
    else tally.gpuMsOf.set(allocationId, gpuMs)
    if (tally.atOnce !== null) putCharge(tally.atOnce, allocationId, interval === null ? null : { ...interval, nodes })
  }
  tally.changed.clear()
  return tally
}

function putCharge(
  { timeline, charges }: NonNullable<Tally['atOnce']>,
  allocationId: string,
  charge: (Interval & { readonly nodes: number }) | null,
): void {
  const before = charges.get(allocationId)
  if (before !== undefined) removeCharge(timeline, before)
  charges.delete(allocationId)
  if (charge === null) return
  charges.set(allocationId, charge)
  addCharge(timeline, charge)
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
  const bound = approval.maxNodes - wanted.nodes
  if (usedOn(calendar, approval.approvalId, 0).peakAbove(wanted, bound) <= bound) return null
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
