/**
 * Free nodes of one cluster, hour by hour, with the least and the most of every block of 64 hours beside them, so that
 * "is it free throughout" and "from when is it free long enough" skip whole blocks. An hour holds the least that is free
 * at any instant of it (and may hold less, never more). Hours are counted from the grid's own origin; below zero is a
 * shortfall, and is kept.
 */

const BLOCK_SHIFT = 6
const BLOCK_HOURS = 1 << BLOCK_SHIFT

export interface HourGrid {
  /** Hours covered, a multiple of 64. */
  readonly hours: number
  readonly free: Int32Array
  readonly blockLeast: Int32Array
  readonly blockMost: Int32Array
}

/** @param free one number per hour, a multiple of 64 of them; the grid keeps and changes it */
export function gridOver(free: Int32Array): HourGrid {
  const blocks = free.length >> BLOCK_SHIFT
  const grid = {
    hours: free.length,
    free,
    blockLeast: new Int32Array(blocks),
    blockMost: new Int32Array(blocks),
  }
  for (let block = 0; block < blocks; block += 1) summarise(grid, block)
  return grid
}

export const cloneGrid = (grid: HourGrid): HourGrid => ({
  hours: grid.hours,
  free: grid.free.slice(),
  blockLeast: grid.blockLeast.slice(),
  blockMost: grid.blockMost.slice(),
})

/** Whole hours, rounded up to whole blocks. */
export const wholeBlocks = (hours: number): number => Math.ceil(hours / BLOCK_HOURS) * BLOCK_HOURS

const valueAt = (values: Int32Array, index: number): number => values[index] as number // callers stay inside the grid

/** Reads one hour of the grid; outside of it: 0, because nothing is promised there. */
export const freeInHour = (grid: HourGrid, hour: number): number => grid.free[hour] ?? 0

/** The first hour after this one at which another number is free; the grid's end when there is none. */
export function levelEnd(grid: HourGrid, hour: number): number {
  const level = valueAt(grid.free, hour)
  let next = hour + 1
  while (next < grid.hours) {
    const block = next >> BLOCK_SHIFT
    const isLevel = valueAt(grid.blockLeast, block) === level && valueAt(grid.blockMost, block) === level
    if (!isLevel && valueAt(grid.free, next) !== level) return next
    next = isLevel ? (block + 1) << BLOCK_SHIFT : next + 1
  }
  return grid.hours
}

function summarise(grid: HourGrid, block: number): void {
  const from = block << BLOCK_SHIFT
  let least = valueAt(grid.free, from)
  let most = least
  for (let hour = from + 1; hour < from + BLOCK_HOURS; hour += 1) {
    const value = valueAt(grid.free, hour)
    if (value < least) least = value
    if (value > most) most = value
  }
  grid.blockLeast[block] = least
  grid.blockMost[block] = most
}

/** Adds to every hour of `[from, to)` as far as the grid covers it. */
export function addToHours(grid: HourGrid, from: number, to: number, nodes: number): void {
  const first = Math.max(0, from)
  const end = Math.min(grid.hours, to)
  if (first >= end) return
  for (let hour = first; hour < end; hour += 1) grid.free[hour] = valueAt(grid.free, hour) + nodes
  const lastBlock = (end - 1) >> BLOCK_SHIFT
  for (let block = first >> BLOCK_SHIFT; block <= lastBlock; block += 1) {
    const blockStart = block << BLOCK_SHIFT
    if (blockStart < first || blockStart + BLOCK_HOURS > end) {
      summarise(grid, block)
      continue
    }
    grid.blockLeast[block] = valueAt(grid.blockLeast, block) + nodes
    grid.blockMost[block] = valueAt(grid.blockMost, block) + nodes
  }
}

/** Least free in `[from, to)`, which lies inside the grid and is not empty. */
export function leastFree(grid: HourGrid, from: number, to: number): number {
  let least = Number.MAX_SAFE_INTEGER
  let hour = from
  while (hour < to) {
    const block = hour >> BLOCK_SHIFT
    const blockStart = block << BLOCK_SHIFT
    if (hour === blockStart && blockStart + BLOCK_HOURS <= to) {
      least = Math.min(least, valueAt(grid.blockLeast, block))
      hour += BLOCK_HOURS
      continue
    }
    const stop = Math.min(to, blockStart + BLOCK_HOURS)
    for (; hour < stop; hour += 1) least = Math.min(least, valueAt(grid.free, hour))
  }
  return least
}

/** The first hour of `[from, to)` with fewer than `nodes` free; -1 when there is none. */
export function firstHourBelow(grid: HourGrid, from: number, to: number, nodes: number): number {
  let hour = from
  while (hour < to) {
    const block = hour >> BLOCK_SHIFT
    const stop = Math.min(to, (block + 1) << BLOCK_SHIFT)
    if (valueAt(grid.blockLeast, block) < nodes) {
      for (; hour < stop; hour += 1) if (valueAt(grid.free, hour) < nodes) return hour
    }
    hour = stop
  }
  return -1
}

/** The last hour of `[from, to)` with fewer than `nodes` free; -1 when there is none. */
function lastHourBelow(grid: HourGrid, from: number, to: number, nodes: number): number {
  let hour = to - 1
  while (hour >= from) {
    const block = hour >> BLOCK_SHIFT
    const stop = Math.max(from, block << BLOCK_SHIFT)
    if (valueAt(grid.blockLeast, block) < nodes) {
      for (; hour >= stop; hour -= 1) if (valueAt(grid.free, hour) < nodes) return hour
    }
    hour = stop - 1
  }
  return -1
}

/** The first hour of `[from, to)` with at least `nodes` free; -1 when there is none. */
function firstHourWith(grid: HourGrid, from: number, to: number, nodes: number): number {
  let hour = from
  while (hour < to) {
    const block = hour >> BLOCK_SHIFT
    const stop = Math.min(to, (block + 1) << BLOCK_SHIFT)
    if (valueAt(grid.blockMost, block) >= nodes) {
      for (; hour < stop; hour += 1) if (valueAt(grid.free, hour) >= nodes) return hour
    }
    hour = stop
  }
  return -1
}

export interface RunSearch {
  readonly from: number
  readonly lastStart: number
  /** In hours. */
  readonly length: number
  readonly nodes: number
  /** From this hour on everything counts as free; none is past the grid's end. */
  readonly freeFrom: number
}

/**
 * The first hour in `[from, lastStart]` from which `nodes` are free for `length` hours on end; -1 when there is none.
 * What was once seen free throughout is not looked at again, so that one search reads each hour at most twice.
 */
export function earliestRun(grid: HourGrid, { from, lastStart, length, nodes, freeFrom }: RunSearch): number {
  const end = Math.min(lastStart, grid.hours - length) + 1
  let start = firstHourWith(grid, Math.max(0, from), end, nodes)
  let freeUntil = start
  while (start !== -1) {
    const below = lastHourBelow(grid, Math.max(start, freeUntil), Math.min(start + length, freeFrom), nodes)
    if (below === -1) return start
    // All between `below` and the end of this window is free: only what lies beyond is still to be seen.
    freeUntil = start + length
    start = firstHourWith(grid, below + 1, end, nodes)
  }
  return -1
}
