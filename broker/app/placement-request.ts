/** From what a caller wrote, or a stored row, to what placement is asked. */
import type { Demand, Period, Requires } from '../../shared/allocation.ts'
import { invalidRequest } from '../../shared/refusal.ts'
import { type EpochMs, HOUR_MS, toIso } from '../../shared/time.ts'
import type { WaitingEntry } from '../core/calendar-op.ts'
import type { Demand as CoreDemand } from '../core/cluster.ts'
import type { ApprovalBounds, PlacementRequest, RequestedPeriod } from '../core/placement/request.ts'
import type { AllocationRow, ApprovalRow } from '../store/changes.ts'

/** A start this far in the past still means now: clocks differ, and requests travel. */
const LATE_START_MS = HOUR_MS

/**
 * The period as instants. What is up to an hour past stays as it is written: placement reads it as now.
 *
 * @throws Refusal `invalid-request` for a start or an end that is past
 */
export function periodOf(period: Period, now: EpochMs): RequestedPeriod {
  if ('start' in period) {
    const [start, end] = [Date.parse(period.start), Date.parse(period.end)]
    if (start < now - LATE_START_MS) throw past('/period/start', now - LATE_START_MS)
    if (end <= now) throw past('/period/end', now)
    return { kind: 'fixed', start, end }
  }
  const earliestStart = period.earliestStart === undefined ? now : Date.parse(period.earliestStart)
  if (earliestStart < now - LATE_START_MS) throw past('/period/earliestStart', now - LATE_START_MS)
  const latestStart = period.latestStart === undefined ? null : Date.parse(period.latestStart)
  if (latestStart !== null && latestStart < now - LATE_START_MS) throw past('/period/latestStart', now - LATE_START_MS)
  return {
    kind: 'flexible',
    durationMs: Math.round(period.durationHours * HOUR_MS),
    earliestStart,
    latestStart: latestStart === null ? null : Math.max(latestStart, now), // a little past means now, here too
  }
}

const past = (pointer: string, limit: EpochMs) =>
  invalidRequest([{ pointer, detail: `must not be before ${toIso(limit)}` }])

export const demandOf = (demand: Demand): CoreDemand => {
  if (demand.nodes !== undefined) return { nodes: demand.nodes }
  if (demand.gpus !== undefined) return { gpus: demand.gpus }
  return { fp8H200Equivalent: demand.fp8H200Equivalent ?? 0 } // the schema asks for exactly one
}

const DEFAULT_SHARES = ['government'] as const

export const requiresOf = (requires: Requires): PlacementRequest['requires'] =>
  ({ ...requires, shares: requires.shares ?? DEFAULT_SHARES }) as PlacementRequest['requires']

export const boundsOf = (approval: ApprovalRow, gpuMsLeft: number): ApprovalBounds => ({
  approvalId: approval.id,
  organizationId: approval.organizationId,
  validFrom: Date.parse(approval.limits.validFrom),
  validTo: Date.parse(approval.limits.validTo),
  architectures: approval.limits.architectures,
  maxNodes: approval.limits.maxNodes,
  gpuMsLeft,
})

/** What a stored allocation asks of placement. `gpuMsLeft` is what the approval leaves for it. */
export function requestOfRow(row: AllocationRow, approval: ApprovalRow, gpuMsLeft: number): PlacementRequest {
  const period: RequestedPeriod =
    'start' in row.period
      ? { kind: 'fixed', start: row.askedStartAt, end: row.askedStartAt + row.durationMs }
      : {
          kind: 'flexible',
          durationMs: row.durationMs,
          earliestStart: row.askedStartAt,
          latestStart: row.latestStartAt,
        }
  return {
    demand: demandOf(row.demand),
    requires: requiresOf(row.requires),
    prefers: row.prefers as PlacementRequest['prefers'],
    period,
    image: row.access.image ?? null,
    priority: row.priority,
    approval: boundsOf(approval, gpuMsLeft),
    ...(row.avoid.length > 0 && { avoid: row.avoid }),
  }
}

/** Of who waits, the GPU-time was checked when he was taken, and he holds it: only the approval's whole bounds him. */
const gpuMsHeld = (approval: ApprovalRow): number => approval.limits.gpuHours * HOUR_MS

/** The entry under an approval that has been replaced. */
export const boundAnew = (entry: WaitingEntry, approval: ApprovalRow): WaitingEntry => ({
  ...entry,
  request: { ...entry.request, approval: boundsOf(approval, gpuMsHeld(approval)) },
})

/** The row's place in the waitlist. */
export function waitingEntryOf(row: AllocationRow, approval: ApprovalRow): WaitingEntry {
  return {
    allocationId: row.id,
    approvalId: row.approvalId,
    organizationId: row.organizationId,
    priority: row.priority,
    since: row.waitingSince ?? row.createdAt,
    order: row.sequence,
    request: requestOfRow(row, approval, gpuMsHeld(approval)),
    promisedStart: row.promisedStartAt,
  }
}
