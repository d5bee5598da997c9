/** One plan: those who wait are given the earliest slot one after another, in a given order. */
import { copyLanes, laneSetOf, takeSpan, type Lane, type LaneSet } from './lane.ts'
import { costOfWait, lengthAt, slotOf, type Option, type Problem, type Task } from './problem.ts'

/** What a plan comes to: first nobody past a promise, then short waits. Whole numbers, so that any engine sums them alike. */
export interface Worth {
  /** Slots past promises, all together. */
  readonly late: number
  /** What all waits cost together, each as its weight says. */
  readonly cost: number
}

export const isLess = (a: Worth, b: Worth): boolean => a.late < b.late || (a.late === b.late && a.cost < b.cost)

/** By task: the slot and the option of each; -1 for one that has no place. */
export interface Slots {
  readonly slot: Int32Array
  readonly option: Int32Array
}

/** How far a plan had come before its `position`-th task was placed. */
interface Mark {
  readonly lanes: LaneSet
  late: number
  /** What it costs at least: those not yet placed count as if each were alone. */
  cost: number
}

/** The plan of the last order that was complete, with marks every so many tasks: one like it is tried from where they part. */
interface Kept {
  readonly slots: Slots
  readonly marks: Mark[]
}

export interface Desk {
  readonly problem: Problem
  /** What the wait of each task costs were it alone, before its weight: no plan makes it cheaper. */
  readonly alone: Int32Array
  /** What a plan costs in which nobody is in anybody's way, and how late it is by those for whom there is no place at all. */
  readonly floor: number
  readonly floorLate: number
  readonly kept: Kept
  /** The plan at hand. Its first mark is never used: every plan begins at that of `kept`. */
  readonly trial: Kept & { readonly lanes: LaneSet }
  /** Tasks from mark to mark. */
  readonly stride: number
  /** Placements tried so far, and how many are tried at most. */
  tried: number
  readonly mostTried: number
}

const slotsFor = (tasks: number): Slots => ({ slot: new Int32Array(tasks), option: new Int32Array(tasks) })

export function copySlots(source: Slots, into: Slots): void {
  into.slot.set(source.slot)
  into.option.set(source.option)
}

export const cloneSlots = ({ slot, option }: Slots): Slots => ({ slot: slot.slice(), option: option.slice() })

/** Copying a mark costs as much as some placements: few tasks have one each few, many have sixteen in all. */
const LEAST_STRIDE = 6
const MOST_MARKS = 16

/** Yields after each task. */
export function* deskFor(problem: Problem, mostTried: number): Generator<undefined, Desk> {
  const { lanes, tasks } = problem
  const alone = new Int32Array(tasks.length)
  let [floor, floorLate] = [0, 0]
  for (const [at, task] of tasks.entries()) {
    const cost = costAlone(problem, task)
    alone[at] = cost
    floor += task.weight * cost
    if (earliestOf(lanes, task, -1) === null) floorLate += NO_PLACE
    yield
  }
  const stride = Math.max(LEAST_STRIDE, Math.ceil(tasks.length / MOST_MARKS))
  const marksFor = (): Mark[] =>
    Array.from({ length: Math.ceil(tasks.length / stride) }, () => ({ lanes: laneSetOf(lanes), late: 0, cost: floor }))
  const kept = { slots: slotsFor(tasks.length), marks: marksFor() }
  yield
  const trial = { slots: slotsFor(tasks.length), marks: marksFor(), lanes: laneSetOf(lanes) }
  return { problem, alone, floor, floorLate, kept, trial, stride, tried: 0, mostTried }
}

/** What its wait costs were it alone, before its weight; 0 where there is no place for it at all. */
export const costAlone = (problem: Problem, task: Task): number =>
  costOfWait(problem, earliestOf(problem.lanes, task, -1)?.slot ?? 0)

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
  /** So many of the first stand, and are bound, as in the last order that was complete. */
  readonly shared: number
  /** By task: the one option that it is to take; -1: whichever is earliest. */
  readonly pins: Int8Array
  /** Those who may start after their promise. */
  readonly mayBeLate: ReadonlySet<number>
  /** Given up as soon as it cannot be better. */
  readonly limit: Worth
}

const WORSE: Outcome = { kind: 'worse' }

/** Writes the plan into `desk.kept`, if it is complete. */
export function tryOrder(desk: Desk, { order, shared, pins, mayBeLate, limit }: Attempt): Outcome {
  const { problem, alone, trial, kept, stride } = desk
  const { slots } = trial
  const { lanes } = trial.lanes
  const firstMark = Math.min(Math.floor(shared / stride), kept.marks.length - 1)
  const begin = kept.marks[firstMark] as Mark // the last that both orders come by
  copyLanes(begin.lanes, trial.lanes)
  let { late, cost } = begin
  for (let position = firstMark * stride; position < order.length; position += 1) {
    if (position % stride === 0 && position > firstMark * stride)
      setMark(trial.marks[position / stride] as Mark, trial.lanes, { late, cost })
    const at = order[position] as number // inside the order
    const task = problem.tasks[at] as Task // an order names tasks
    desk.tried += 1
    const found = earliestOf(lanes, task, pins[at] ?? -1)
    slots.slot[at] = found?.slot ?? -1
    slots.option[at] = found?.option ?? -1
    // Who has no place now may be left without one.
    const mustKeep = task.present !== -1 && !mayBeLate.has(at)
    if (mustKeep && (found === null || found.slot > task.latest)) return { kind: 'late', task: at }
    late += found === null ? NO_PLACE : Math.max(0, found.slot - task.due)
    if (found === null) continue
    cost += task.weight * (costOfWait(problem, found.slot) - (alone[at] as number))
    if (late > limit.late || (late === limit.late && cost >= limit.cost)) return WORSE
    occupy(lanes, task, found)
  }
  keepTrial(desk, order, firstMark)
  return { kind: 'complete', worth: { late, cost } }
}

function setMark(mark: Mark, lanes: LaneSet, { late, cost }: Worth): void {
  copyLanes(lanes, mark.lanes)
  mark.late = late
  mark.cost = cost
}

function keepTrial({ kept, trial, stride }: Desk, order: readonly number[], firstMark: number): void {
  for (let position = firstMark * stride; position < order.length; position += 1) {
    const at = order[position] as number // inside the order
    kept.slots.slot[at] = trial.slots.slot[at] as number
    kept.slots.option[at] = trial.slots.option[at] as number
  }
  for (let index = firstMark + 1; index < kept.marks.length; index += 1) {
    const before = kept.marks[index] as Mark // as many of each
    kept.marks[index] = trial.marks[index] as Mark
    trial.marks[index] = before
  }
}

/** As if it were late by ten years: no plan loses somebody's place to make others earlier. */
export const NO_PLACE = 100_000

function occupy(lanes: readonly Lane[], task: Task, { slot, option: choice }: Found): void {
  const option = task.options[choice] as Option
  const span = { from: slot, to: slot + lengthAt(option, slot), nodes: option.nodes }
  takeSpan(lanes[option.lane] as Lane, span)
  if (task.approvalLane !== -1) takeSpan(lanes[task.approvalLane] as Lane, span)
}
