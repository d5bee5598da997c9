/**
 * The meters follow the rows: whatever changes an allocation, in whichever use case, is compared with what it was before
 * and booked in the same transaction.
 */
import { randomUUID } from 'node:crypto'
import type { EpochMs } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { clusterOf } from '../core/calendar-reads.ts'
import { book, meterChanges, type MeterChange } from '../core/usage.ts'
import type { AllocationRow, ApprovalRow, UsageIntervalRow } from '../store/changes.ts'
import type { Transaction } from '../store/database.ts'
import { endMeter, meterKey, openMeters, startMeters } from '../store/usage.ts'

/** Whose hours they are, and where: as it is when they begin. */
export type UsageFacts = Omit<UsageIntervalRow, 'id' | 'kind' | 'nodes' | 'fromAt' | 'toAt' | 'bookedAt'>

export interface MeterEdge extends MeterChange {
  readonly allocationId: string
  /** Null where nothing can begin, because it has no place. */
  readonly facts: UsageFacts | null
}

export interface MeterView {
  readonly calendar: Calendar
  readonly now: EpochMs
  readonly approval: ApprovalRow | null
}

/** @param before null: it has just come to be */
export function meterEdges(before: AllocationRow | null, after: AllocationRow, view: MeterView): MeterEdge[] {
  const changes = meterChanges(before, after, view.now)
  if (changes.length === 0) return []
  const facts = factsOf(after, view)
  return changes.map((change) => ({ ...change, allocationId: after.id, facts }))
}

const THOUSANDTHS = 1_000

function factsOf(row: AllocationRow, { calendar, approval }: MeterView): UsageFacts | null {
  const cluster = row.clusterId === null ? null : clusterOf(calendar, row.clusterId)
  if (cluster === null) return null
  return {
    allocationId: row.id,
    approvalId: row.approvalId,
    organizationId: row.organizationId,
    organizationType: approval?.organizationType ?? null,
    program: row.program,
    providerId: cluster.providerId,
    clusterId: cluster.id,
    share: cluster.share,
    gpusPerNode: cluster.gpusPerNode,
    fp8H200Thousandths: Math.round(cluster.fp8H200PerGpu * THOUSANDTHS),
  }
}

/** @param settledUntil the end of the last closed month */
export async function bookEdges(
  trx: Transaction,
  edges: readonly MeterEdge[],
  { now, settledUntil }: { readonly now: EpochMs; readonly settledUntil: EpochMs },
): Promise<void> {
  if (edges.length === 0) return
  const open = new Map(await openMeters(trx, [...new Set(edges.map((edge) => edge.allocationId))]))
  const started: UsageIntervalRow[] = []
  for (const edge of edges) {
    const key = meterKey(edge)
    const before = open.get(key) ?? null
    const { closedAt, opened, corrections } = book(before, edge, settledUntil)
    const facts = before ?? edge.facts
    if (before !== null && closedAt !== null) {
      open.delete(key)
      const unsaved = started.indexOf(before)
      if (unsaved === -1) await endMeter(trx, before.id, closedAt)
      else started[unsaved] = { ...before, toAt: closedAt }
    }
    if (facts === null) continue
    for (const span of corrections)
      started.push({ ...facts, ...span, id: randomUUID(), kind: edge.kind, bookedAt: now })
    if (opened === null) continue
    const meter = { ...(edge.facts ?? facts), ...opened, id: randomUUID(), kind: edge.kind, toAt: null, bookedAt: null }
    open.set(key, meter)
    started.push(meter)
  }
  await startMeters(trx, started)
}
