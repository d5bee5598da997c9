/** One cluster over a range, past or future, as steps: from plain lists of intervals, ended allocations among them. */
import type { EpochMs, Interval } from '../../shared/time.ts'
import type { Phase } from './cluster.ts'

export interface NodesFor extends Interval {
  readonly nodes: number
}

export interface AvailabilityInput {
  readonly range: Interval
  readonly phases: readonly Phase[]
  /** `[start, heldUntil)` of each; of one that has ended, until its nodes were seen gone. */
  readonly reservations: readonly NodesFor[]
  /** What idle-use takes until its nodes can be had back: shown as reserved, as far as there is room, and never a shortfall. */
  readonly idleUse?: readonly NodesFor[]
  /** Drains and quarantine. */
  readonly drains: readonly NodesFor[]
}

export interface AvailabilityStep {
  readonly from: EpochMs
  readonly to: EpochMs
  /** By phase. */
  readonly capacityNodes: number
  readonly reservedNodes: number
  /** Never more than the capacity. */
  readonly drainedNodes: number
  readonly freeNodes: number
  /** Reserved beyond what capacity and drains leave. */
  readonly shortfallNodes: number
}

interface Change {
  readonly at: EpochMs
  readonly of: 'capacity' | 'reserved' | 'idleUse' | 'drained'
  readonly by: number
}

/** Adjacent steps differ, and together they cover the range without a gap; empty only for an empty range. */
export function availability(input: AvailabilityInput): AvailabilityStep[] {
  const { range } = input
  const changes = [
    ...input.phases.map((phase, at) => ({
      at: phase.from,
      of: 'capacity' as const,
      by: phase.nodes - (input.phases[at - 1]?.nodes ?? 0),
    })),
    ...input.reservations.flatMap((interval) => changesOf('reserved', interval)),
    ...(input.idleUse ?? []).flatMap((interval) => changesOf('idleUse', interval)),
    ...input.drains.flatMap((interval) => changesOf('drained', interval)),
  ].toSorted((a, b) => a.at - b.at)

  const levels = { capacity: 0, reserved: 0, idleUse: 0, drained: 0 }
  const steps: AvailabilityStep[] = []
  let from = range.start
  for (const change of changes) {
    const at = Math.min(change.at, range.end)
    if (at > from) {
      extend(steps, stepOf(from, at, levels))
      from = at
    }
    levels[change.of] += change.by
  }
  if (from < range.end) extend(steps, stepOf(from, range.end, levels))
  return steps
}

function changesOf(of: Change['of'], { start, end, nodes }: NodesFor): Change[] {
  // A use that was given back before it began has taken nothing.
  if (end <= start) return []
  return [
    { at: start, of, by: nodes },
    { at: end, of, by: -nodes },
  ]
}

function stepOf(from: EpochMs, to: EpochMs, levels: Readonly<Record<Change['of'], number>>): AvailabilityStep {
  const drainedNodes = Math.min(levels.drained, levels.capacity)
  const balance = levels.capacity - drainedNodes - levels.reserved
  const idleUse = Math.min(levels.idleUse, Math.max(0, balance))
  return {
    from,
    to,
    capacityNodes: levels.capacity,
    reservedNodes: levels.reserved + idleUse,
    drainedNodes,
    freeNodes: Math.max(0, balance - idleUse),
    shortfallNodes: Math.max(0, -balance),
  }
}

/** Appends the step, or lengthens the last one when they are alike. */
function extend(steps: AvailabilityStep[], step: AvailabilityStep): void {
  const last = steps.at(-1)
  if (last === undefined || !alike(last, step)) steps.push(step)
  else steps[steps.length - 1] = { ...last, to: step.to }
}

/** The other two figures follow from these. */
const alike = (a: AvailabilityStep, b: AvailabilityStep): boolean =>
  a.capacityNodes === b.capacityNodes && a.reservedNodes === b.reservedNodes && a.drainedNodes === b.drainedNodes
