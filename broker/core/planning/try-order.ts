/** One plan: those who wait are given the earliest slot one after another, in a given order. */
import { copyLane, emptyLane, takeSpan, type Lane } from './lane.ts'
import { lengthAt, slotOf, type Option, type Problem, type Task } from './problem.ts'

/** What a plan comes to: first nobody past a promise, then short waits. Whole numbers, so that any engine sums them alike. */
export interface Worth {
  /** Slots past promises, all together. */
  readonly late: number
  /** Slots waited, each as its weight says. */
  readonly cost: number
}

export const isLess = (a: Worth, b: Worth): boolean => a.late < b.late || (a.late === b.late && a.cost < b.cost)

/** By task: the slot and the option of each; -1 for one that has no place. */
export interface Slots {
  readonly slot: Int32Array
  readonly option: Int32Array
}

export interface Desk {
  readonly problem: Problem
  readonly lanes: readonly Lane[]
  /** The earliest slot of each task were it alone: no plan gives it a better one. */
  readonly alone: Int32Array
  readonly slots: Slots
  /** Placements tried so far, and how many are tried at most. */
  tried: number
  readonly mostTried: number
}

export const slotsFor = (tasks: number): Slots => ({ slot: new Int32Array(tasks), option: new Int32Array(tasks) })

export function deskFor(problem: Problem, mostTried: number): Desk {
  const alone = Int32Array.from(problem.tasks, (task) => earliestOf(problem.lanes, task, -1)?.slot ?? 0)
  const lanes = problem.lanes.map((lane) => emptyLane(lane.from.length))
  return { problem, lanes, alone, slots: slotsFor(problem.tasks.length), tried: 0, mostTried }
}

interface Found {
  readonly slot: number
  readonly option: number
}

/** The earliest slot of all its options, or of the one that it is pinned to; of two alike the one in front. */
function earliestOf(lanes: readonly Lane[], task: Task, pin: number): Found | null {
  const pinned = task.options[pin]
  if (pinned !== undefined) {
    const slot = slotOf(lanes, task, pinned, pinned.lastSlot)
    if (slot !== -1) return { slot, option: pin }
  }
  let best: Found | null = null
  for (let at = 0; at < task.options.length; at += 1) {
    const option = task.options[at] as Option // inside the list
    const slot = slotOf(lanes, task, option, best === null ? option.lastSlot : best.slot - 1)
    if (slot !== -1) best = { slot, option: at }
  }
  return best
}

export type Outcome =
  | { readonly kind: 'complete'; readonly worth: Worth }
  /** The task that would start after its promise. */
  | { readonly kind: 'late'; readonly task: number }
  /** It can not become better than the limit. */
  | { readonly kind: 'worse' }

export interface Attempt {
  /** Tasks in the order in which they are served. */
  readonly order: readonly number[]
  /** By task: the one option that it is to take; -1: whichever is earliest. */
  readonly pins: Int8Array
  /** Those who may start after their promise. */
  readonly mayBeLate: ReadonlySet<number>
  /** Given up as soon as it cannot be better. */
  readonly limit: Worth
}

const WORSE: Outcome = { kind: 'worse' }

/** Writes the plan into `desk.slots`, as far as it comes. */
export function tryOrder(desk: Desk, { order, pins, mayBeLate, limit }: Attempt): Outcome {
  const { problem, lanes, alone, slots } = desk
  for (let at = 0; at < lanes.length; at += 1) copyLane(problem.lanes[at] as Lane, lanes[at] as Lane) // as many of each
  let late = 0
  // What it costs at least: those not yet placed count as if each were alone.
  let cost = 0
  for (const at of order) cost += (problem.tasks[at] as Task).weight * (alone[at] as number)
  for (const at of order) {
    const task = problem.tasks[at] as Task // an order names tasks
    desk.tried += 1
    const found = earliestOf(lanes, task, pins[at] ?? -1)
    slots.slot[at] = found?.slot ?? -1
    slots.option[at] = found?.option ?? -1
    if ((found === null || found.slot > task.latest) && !mayBeLate.has(at)) return { kind: 'late', task: at }
    late += found === null ? NO_PLACE : Math.max(0, found.slot - task.due)
    if (found === null) continue
    cost += task.weight * (found.slot - (alone[at] as number))
    if (late > limit.late || (late === limit.late && cost >= limit.cost)) return WORSE
    occupy(lanes, task, found)
  }
  return { kind: 'complete', worth: { late, cost } }
}

/** As if it were late by ten years: no plan loses somebody's place to make others earlier. */
const NO_PLACE = 100_000

function occupy(lanes: readonly Lane[], task: Task, { slot, option: choice }: Found): void {
  const option = task.options[choice] as Option
  const span = { from: slot, to: slot + lengthAt(option, slot), nodes: option.nodes }
  takeSpan(lanes[option.lane] as Lane, span)
  if (task.approvalLane !== -1) takeSpan(lanes[task.approvalLane] as Lane, span)
}
