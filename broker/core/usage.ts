/**
 * Metering: what an allocation's row means for the two meters that every allocation has, and how a change of a meter is
 * booked. `reserved` runs while nodes are held for it, `active` while they are ready for use. A month that is closed is
 * never written into: what turns out later about it is booked now, as a correction.
 */
import type { AllocationStatus } from '../../shared/allocation.ts'
import type { EpochMs } from '../../shared/time.ts'

export type MeterKind = 'reserved' | 'active'

/** An allocation as far as its meters depend on it. */
export interface Metered {
  readonly status: AllocationStatus
  readonly nodes: number
  readonly desiredNodes: number
  readonly readyNodes: number
  readonly startAt: EpochMs | null
  readonly endAt: EpochMs | null
  readonly activeAt: EpochMs | null
  /** When all nodes that count as ready were last seen at the provider. */
  readonly readySeenAt: EpochMs | null
}

export interface MeterChange {
  readonly kind: MeterKind
  readonly at: EpochMs
  /** From `at` on. */
  readonly nodes: number
  /** What was reserved since then was of no use, through no fault of whom it was for, and is given back. */
  readonly givenBackFrom: EpochMs | null
}

const HOLDS_NODES: ReadonlySet<AllocationStatus> = new Set(['provisioning', 'active', 'preempting'])
const IN_USE: ReadonlySet<AllocationStatus> = new Set(['active', 'preempting'])
/** From `provisioning`: it is placed again, or has failed. As for the approval, which is not charged either. */
const CAME_TO_NOTHING: ReadonlySet<AllocationStatus> = new Set(['scheduled', 'waitlisted', 'failed'])

const reservedNodes = (row: Metered): number => (HOLDS_NODES.has(row.status) ? row.nodes : 0)

/** Nodes that are asked to leave are of no use any more, although they may still be there. */
const activeNodes = (row: Metered): number =>
  IN_USE.has(row.status) ? Math.min(row.readyNodes, row.desiredNodes, row.nodes) : 0

/** @param before null: it has just come to be */
export function meterChanges(before: Metered | null, after: Metered, now: EpochMs): MeterChange[] {
  const changes: MeterChange[] = []
  const reserved = { from: before === null ? 0 : reservedNodes(before), to: reservedNodes(after) }
  if (reserved.from !== reserved.to) {
    const at = reserved.from === 0 ? Math.min(now, after.startAt ?? now) : untilItsEnd(before, now)
    const isWasted = before?.status === 'provisioning' && CAME_TO_NOTHING.has(after.status)
    changes.push({ kind: 'reserved', at, nodes: reserved.to, givenBackFrom: isWasted ? before.startAt : null })
  }
  const active = { from: before === null ? 0 : activeNodes(before), to: activeNodes(after) }
  if (active.from !== active.to) {
    changes.push({ kind: 'active', at: activeEdge(before, after, now), nodes: active.to, givenBackFrom: null })
  }
  return changes
}

/** What is ended late counts until its end all the same. */
const untilItsEnd = (before: Metered | null, now: EpochMs): EpochMs => Math.min(now, before?.endAt ?? now)

function activeEdge(before: Metered | null, after: Metered, now: EpochMs): EpochMs {
  if (before === null) return Math.min(now, after.activeAt ?? now) // taken over while it runs
  const lost =
    IN_USE.has(after.status) && after.readyNodes < before.readyNodes && after.desiredNodes === before.desiredNodes
  if (!lost) return untilItsEnd(before, now)
  // Nobody knows when it was lost: what counts is what was seen, at this place.
  return Math.min(now, Math.max(before.readySeenAt ?? now, after.startAt ?? 0))
}

/** A meter that runs. */
export interface OpenMeter {
  readonly nodes: number
  readonly fromAt: EpochMs
}

export interface MeterSpan {
  /** Negative: so many too many were counted. */
  readonly nodes: number
  readonly fromAt: EpochMs
  readonly toAt: EpochMs
}

export interface Booking {
  /** When the open meter ends; null where none was open. */
  readonly closedAt: EpochMs | null
  readonly opened: OpenMeter | null
  readonly corrections: readonly MeterSpan[]
}

/**
 * @param open the meter that runs; null: none does
 * @param settledUntil the end of the last closed month: nothing is written before it
 */
export function book(open: OpenMeter | null, change: MeterChange, settledUntil: EpochMs): Booking {
  // A meter that began at a settled instant may really have begun before: its corrections say so.
  const begunAt = open === null || open.fromAt <= settledUntil ? change.at : open.fromAt
  const at = Math.max(change.at, begunAt)
  const bookedAt = Math.max(at, settledUntil)
  const corrections = [
    { nodes: change.nodes - (open?.nodes ?? 0), fromAt: at, toAt: bookedAt },
    { nodes: -(open?.nodes ?? 0), fromAt: change.givenBackFrom ?? at, toAt: at },
  ].filter(({ nodes, fromAt, toAt }) => nodes !== 0 && fromAt < toAt)
  return {
    closedAt: open === null ? null : bookedAt,
    opened: change.nodes === 0 ? null : { nodes: change.nodes, fromAt: bookedAt },
    corrections,
  }
}
