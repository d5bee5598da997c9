/**
 * Free nodes over time as steps in typed arrays, for planning over and over: one lane per cluster, and one per approval
 * whose limit may bind. Time is counted in slots: slot 0 is what is left of the hour of `now`, slot k the k-th hour after
 * it. What a plan took is never given back: lanes are copied from where plans part.
 */

export interface Lane {
  /** `free[i]` nodes from slot `from[i]` until `from[i + 1]`; the last for ever. */
  readonly from: Int32Array
  readonly free: Int32Array
  steps: number
}

/** @param steps how many it can ever hold */
export const emptyLane = (steps: number): Lane => ({
  from: new Int32Array(steps),
  free: new Int32Array(steps),
  steps: 0,
})

/** Adds a step behind all others; nothing where the level stays. */
export function appendStep(lane: Lane, from: number, free: number): void {
  if (lane.steps > 0 && lane.free[lane.steps - 1] === free) return
  lane.from[lane.steps] = from
  lane.free[lane.steps] = free
  lane.steps += 1
}

/** Lanes in one piece of memory, so that all of them are copied at once. */
export interface LaneSet {
  readonly cells: Int32Array
  readonly lanes: readonly Lane[]
}

/** With room for as much as these have room for, and what they hold. */
export function laneSetOf(sources: readonly Lane[]): LaneSet {
  const cells = new Int32Array(sources.reduce((sum, { from }) => sum + 2 * from.length, 0))
  let used = 0
  const part = (source: Int32Array): Int32Array => {
    const cellsOfPart = cells.subarray(used, used + source.length)
    cellsOfPart.set(source)
    used += source.length
    return cellsOfPart
  }
  const lanes = sources.map((source) => ({ from: part(source.from), free: part(source.free), steps: source.steps }))
  return { cells, lanes }
}

/** @param into made from the same lanes */
export function copyLanes(source: LaneSet, into: LaneSet): void {
  into.cells.set(source.cells)
  for (const [at, { steps }] of source.lanes.entries()) (into.lanes[at] as Lane).steps = steps // as many of each
}

const valueAt = (values: Int32Array, index: number): number => values[index] as number // callers stay inside the lane

/** The step in which the slot lies. */
function stepAt({ from, steps }: Lane, slot: number): number {
  let [low, high] = [0, steps - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (valueAt(from, middle) <= slot) low = middle
    else high = middle - 1
  }
  return low
}

export interface Span {
  readonly from: number
  /** The first slot after it. */
  readonly to: number
  readonly nodes: number
}

/** Whether so many are free throughout. */
export function isFree(lane: Lane, { from, to, nodes }: Span): boolean {
  for (let step = stepAt(lane, from); step < lane.steps && valueAt(lane.from, step) < to; step += 1)
    if (valueAt(lane.free, step) < nodes) return false
  return true
}

export interface SlotSearch {
  readonly from: number
  readonly last: number
  readonly length: number
  readonly nodes: number
}

/** The first slot in `[from, last]` from which so many are free for so long; -1 when there is none. */
export function earliestSlot(lane: Lane, { from, last, length, nodes }: SlotSearch): number {
  let start = from
  for (let step = stepAt(lane, from); step < lane.steps; step += 1) {
    const begin = valueAt(lane.from, step)
    if (begin >= start + length) break
    if (valueAt(lane.free, step) >= nodes) continue
    if (step + 1 === lane.steps) return -1
    start = valueAt(lane.from, step + 1)
    if (start > last) return -1
  }
  return start <= last ? start : -1
}

export function takeSpan(lane: Lane, { from, to, nodes }: Span): void {
  const first = splitAt(lane, from)
  const last = splitAt(lane, to)
  for (let step = first; step < last; step += 1) lane.free[step] = valueAt(lane.free, step) - nodes
}

/** @returns the step that begins at this slot, made where there was none */
function splitAt(lane: Lane, slot: number): number {
  const step = stepAt(lane, slot)
  if (valueAt(lane.from, step) === slot) return step
  lane.from.copyWithin(step + 2, step + 1, lane.steps)
  lane.free.copyWithin(step + 2, step + 1, lane.steps)
  lane.from[step + 1] = slot
  lane.free[step + 1] = valueAt(lane.free, step)
  lane.steps += 1
  return step + 1
}
