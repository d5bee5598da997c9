/**
 * One cluster's free nodes over time. Everything that takes nodes (a reservation with its turnover, a drain, the part of
 * the full size that a phase has not brought yet) is a charge on an interval. The grid charges whole hours, rounded
 * outwards; what begins or ends inside an hour is kept beside it, so that an exact question is answered exactly without
 * reading all charges: only the hours in which something begins or ends are looked at closely.
 */
import { HOUR_MS, hourFloor, type EpochMs, type Interval } from '../../shared/time.ts'
import {
  addToHours,
  cloneGrid,
  earliestRun,
  firstHourBelow,
  freeInHour,
  gridOver,
  leastFree,
  levelEnd,
  wholeBlocks,
  type HourGrid,
} from './hour-grid.ts'

/** How far ahead anything is planned: three years. */
export const HORIZON_HOURS = 3 * 365 * 24

/** The grid begins a day before the hour it is made for and reaches 40 days past the horizon, then it is made anew. */
const HOURS_BEFORE = 24
const GRID_HOURS = wholeBlocks(HORIZON_HOURS + HOURS_BEFORE + 40 * 24)

export interface Charge extends Interval {
  readonly nodes: number
}

export interface Timeline {
  /** Nodes when nothing at all is charged. */
  readonly fullNodes: number
  readonly charges: Set<Charge>
  /** Hour of the epoch → charges that begin or end inside that hour. Lists are replaced, not changed: copies share them. */
  readonly edges: Map<number, readonly Charge[]>
  /** Hour of the epoch at which the grid begins. */
  originHour: number
  grid: HourGrid
}

/** Nothing may be held past this instant. A function of `now` alone, so that a replay sees the same one. */
export const horizonOf = (now: EpochMs): EpochMs => hourFloor(now) + HORIZON_HOURS * HOUR_MS

const hourOf = (at: EpochMs): number => Math.floor(at / HOUR_MS)
const hourAfter = (at: EpochMs): number => Math.ceil(at / HOUR_MS)

export function timelineOf(fullNodes: number, charges: Iterable<Charge>, now: EpochMs): Timeline {
  const timeline: Timeline = {
    fullNodes,
    charges: new Set(charges),
    edges: new Map(),
    originHour: 0,
    grid: gridOver(new Int32Array(0)),
  }
  for (const charge of timeline.charges) addEdges(timeline, charge)
  buildGrid(timeline, now)
  return timeline
}

export function cloneTimeline(timeline: Timeline): Timeline {
  const { charges, edges, grid } = timeline
  return { ...timeline, charges: new Set(charges), edges: new Map(edges), grid: cloneGrid(grid) }
}

/** Makes the grid cover `now` and the horizon from there. Changes what is quick to find, never an answer. */
export function coverFrom(timeline: Timeline, now: EpochMs): void {
  const hour = hourOf(now)
  const covered = hour >= timeline.originHour && hour + HORIZON_HOURS <= timeline.originHour + timeline.grid.hours
  if (!covered) buildGrid(timeline, now)
}

function buildGrid(timeline: Timeline, now: EpochMs): void {
  const originHour = hourOf(now) - HOURS_BEFORE
  const changes = new Int32Array(GRID_HOURS + 1)
  const within = (hour: number): number => Math.min(GRID_HOURS, Math.max(0, hour - originHour))
  for (const charge of timeline.charges) {
    const from = within(hourOf(charge.start))
    const to = within(hourAfter(charge.end))
    changes[from] = (changes[from] ?? 0) - charge.nodes
    changes[to] = (changes[to] ?? 0) + charge.nodes
  }
  const free = new Int32Array(GRID_HOURS)
  let nodes = timeline.fullNodes
  for (let hour = 0; hour < GRID_HOURS; hour += 1) {
    nodes += changes[hour] ?? 0
    free[hour] = nodes
  }
  timeline.originHour = originHour
  timeline.grid = gridOver(free)
}

const edgeHours = (charge: Charge): readonly number[] => {
  const hours = charge.start % HOUR_MS === 0 ? [] : [hourOf(charge.start)]
  if (charge.end % HOUR_MS !== 0 && hourOf(charge.end) !== hours[0]) hours.push(hourOf(charge.end))
  return hours
}

function addEdges(timeline: Timeline, charge: Charge): void {
  for (const hour of edgeHours(charge)) {
    timeline.edges.set(hour, [...(timeline.edges.get(hour) ?? []), charge])
  }
}

function removeEdges(timeline: Timeline, charge: Charge): void {
  for (const hour of edgeHours(charge)) {
    const left = (timeline.edges.get(hour) ?? []).filter((other) => other !== charge)
    if (left.length === 0) timeline.edges.delete(hour)
    else timeline.edges.set(hour, left)
  }
}

export function addCharge(timeline: Timeline, charge: Charge): void {
  timeline.charges.add(charge)
  addEdges(timeline, charge)
  const { originHour, grid } = timeline
  addToHours(grid, hourOf(charge.start) - originHour, hourAfter(charge.end) - originHour, -charge.nodes)
}

/** @param charge the very object that was added */
export function removeCharge(timeline: Timeline, charge: Charge): void {
  if (!timeline.charges.delete(charge)) return
  removeEdges(timeline, charge)
  const { originHour, grid } = timeline
  addToHours(grid, hourOf(charge.start) - originHour, hourAfter(charge.end) - originHour, charge.nodes)
}

/**
 * The first instant of the interval at which fewer than `nodes` are free, exactly; null when they are free throughout.
 * The interval does not begin before the grid does. Past the grid's end nothing is free.
 */
export function firstShortage(timeline: Timeline, interval: Interval, nodes: number): EpochMs | null {
  const { originHour, grid } = timeline
  const lastHour = hourAfter(interval.end) - originHour
  const end = Math.min(lastHour, grid.hours)
  let hour = firstHourBelow(grid, hourOf(interval.start) - originHour, end, nodes)
  while (hour !== -1) {
    const at = shortageInHour(timeline, hour, interval, nodes)
    if (at !== null) return at
    hour = firstHourBelow(grid, hour + 1, end, nodes)
  }
  return lastHour > grid.hours ? (originHour + grid.hours) * HOUR_MS : null
}

/** The same inside one hour, of which the grid says that it may be short. Free nodes fall only where a charge begins. */
function shortageInHour(timeline: Timeline, hour: number, interval: Interval, nodes: number): EpochMs | null {
  const hourStart = (timeline.originHour + hour) * HOUR_MS
  const from = Math.max(hourStart, interval.start)
  const to = Math.min(hourStart + HOUR_MS, interval.end)
  const charges = timeline.edges.get(timeline.originHour + hour)
  if (charges === undefined) return from
  const chargedAll = freeInHour(timeline.grid, hour)
  let first: EpochMs | null = freeAt(charges, chargedAll, from) < nodes ? from : null
  if (first !== null) return first
  for (const { start } of charges) {
    if (start <= from || start >= to || (first !== null && start >= first)) continue
    if (freeAt(charges, chargedAll, start) < nodes) first = start
  }
  return first
}

/** The grid charges every charge of an hour for all of it: those that do not hold at this instant are given back. */
function freeAt(charges: readonly Charge[], chargedAll: number, at: EpochMs): number {
  let free = chargedAll
  for (const charge of charges) if (at < charge.start || at >= charge.end) free += charge.nodes
  return free
}

/** Least free in the hours that the interval touches: exact or less, never more. Past the grid's end nothing is free. */
export function leastFreeIn(timeline: Timeline, interval: Interval): number {
  const { originHour, grid } = timeline
  const to = hourAfter(interval.end) - originHour
  return to > grid.hours ? 0 : leastFree(grid, hourOf(interval.start) - originHour, to)
}

/** Free nodes in the hour of this instant: exact or less, never more. */
export const freeInHourOf = (timeline: Timeline, at: EpochMs): number =>
  freeInHour(timeline.grid, hourOf(at) - timeline.originHour)

export interface HourSearch {
  readonly from: EpochMs
  readonly lastStart: EpochMs
  readonly lengthMs: number
  readonly nodes: number
  /** From the hour of this instant on everything counts as free. Default: nothing does. */
  readonly freeFrom?: EpochMs
}

/**
 * The first full hour in `[from, lastStart]` from which `nodes` are free for `lengthMs`, by the grid; null when there is
 * none that ends before the grid does.
 */
export function earliestFullHour(timeline: Timeline, search: HourSearch): EpochMs | null {
  const { originHour, grid } = timeline
  const hour = earliestRun(grid, {
    from: hourAfter(search.from) - originHour,
    lastStart: hourOf(search.lastStart) - originHour,
    length: hourAfter(search.lengthMs),
    nodes: search.nodes,
    freeFrom: search.freeFrom === undefined ? grid.hours : hourOf(search.freeFrom) - originHour,
  })
  return hour === -1 ? null : (originHour + hour) * HOUR_MS
}

export interface Level {
  /** Hours after that of `now`. */
  readonly from: number
  readonly free: number
}

/**
 * Free nodes from `now` to the grid's end, where no more are free, each level until the next begins. The first is exact
 * for what is left of the hour of `now`; the others are exact or less, never more. The grid covers `now`.
 */
export function levelsFrom({ originHour, grid, edges }: Timeline, now: EpochMs): Level[] {
  const first = hourOf(now) - originHour
  const levels = [{ from: 0, free: leastLeftOfHour(edges.get(hourOf(now)) ?? [], freeInHour(grid, first), now) }]
  for (let hour = first + 1; hour < grid.hours; hour = levelEnd(grid, hour))
    levels.push({ from: hour - first, free: freeInHour(grid, hour) })
  levels.push({ from: grid.hours - first, free: 0 })
  return levels
}

function leastLeftOfHour(charges: readonly Charge[], chargedAll: number, now: EpochMs): number {
  let least = freeAt(charges, chargedAll, now)
  for (const { start } of charges) if (start > now) least = Math.min(least, freeAt(charges, chargedAll, start))
  return least
}
