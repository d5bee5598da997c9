/**
 * Those who wait and are planned together, as a search sees them: what is free without them, and for each the clusters
 * that may serve it with the slots at which it may start. Hours are rounded outwards as on the calendar's grid, so that a
 * plan made here always fits there.
 */
import { HOUR_MS, hourFloor, type EpochMs } from '../../../shared/time.ts'
import type { Calendar, ClusterState } from '../calendar.ts'
import type { Reservation, WaitingEntry } from '../calendar-op.ts'
import { isSuspended, openUntil } from '../calendar-reads.ts'
import { nodesFor } from '../cluster.ts'
import { commitmentsOf } from '../commitments.ts'
import type { Place } from '../placement/candidate.ts'
import type { SearchPolicy } from '../placement/policy.ts'
import { factsAllow, questionOf } from '../placement/feasible.ts'
import { clusterWindow, windowOfWait, type StartWindow } from '../placement/window.ts'
import { levelsFrom } from '../timeline.ts'
import { appendStep, emptyLane, earliestSlot, isFree, type Lane } from './lane.ts'

/** One cluster that may serve a task. */
export interface Option {
  readonly state: ClusterState
  readonly lane: number
  readonly nodes: number
  /** Where a start at exactly the first instant lies, and for how many slots it holds its nodes; -1: none is allowed. */
  readonly firstSlot: number
  readonly firstLength: number
  /** The first full hour after that, the last one, and how long such a start holds its nodes. */
  readonly laterSlot: number
  readonly lastSlot: number
  readonly length: number
}

export interface Task {
  readonly entry: WaitingEntry
  readonly window: StartWindow
  /** Those that win a tie come first. */
  readonly options: readonly Option[]
  /** The last slot that keeps its promise. */
  readonly due: number
  /** The last slot that makes nobody later who is past his promise already. */
  readonly latest: number
  /** What its wait counts, beside those of others. */
  readonly weight: number
  /** The lane of its approval, where the limit of that may bind; else -1. */
  readonly approvalLane: number
  /** The slot of its present place; -1 where it has none. */
  readonly present: number
}

export interface Problem {
  /** The instant of slot 0 is `now`; slot k begins k hours after this. */
  readonly origin: EpochMs
  /** What is free without any of the tasks. */
  readonly lanes: readonly Lane[]
  readonly tasks: readonly Task[]
  /** The slots before this one cost `nearWeight` each, all others 1. */
  readonly nearSlots: number
  readonly nearWeight: number
  /** Whether all present places are still free: then the present plan is a way out. */
  readonly stays: boolean
}

/** What is taken out of the calendar to be planned together: an entry and the place that it has. */
export interface Planned {
  readonly entry: WaitingEntry
  readonly place: Reservation | null
}

export interface ProblemOptions {
  /** Without the reservations of those who are planned. */
  readonly calendar: Calendar
  readonly planned: readonly Planned[]
  readonly now: EpochMs
  readonly stays: Problem['stays']
  readonly search: SearchPolicy
}

const NO_LIMIT = 0x7fffffff

/** Yields after each lane and each task: of many it takes some milliseconds in all. */
export function* problemOf({ calendar, planned, now, stays, search }: ProblemOptions): Generator<undefined, Problem> {
  const origin = hourFloor(now)
  const room = 2 * planned.length + 2
  const lanes: Lane[] = []
  for (const state of calendar.listed) {
    lanes.push(laneOf(state, now, room))
    yield
  }
  const approvals = yield* approvalLanes(calendar, planned, origin, { lanes, room })
  const tasks: Task[] = []
  for (const { entry, place } of planned) {
    const window = windowOfWait(entry.request.period, now)
    const options = optionsOf(calendar, entry, window, now)
    const { approval } = entry.request
    const nodes = options.reduce((most, option) => Math.max(most, option.nodes), 0)
    const due = entry.promisedStart === null ? NO_LIMIT : Math.floor((entry.promisedStart - origin) / HOUR_MS)
    const present = place === null ? -1 : Math.max(0, Math.floor((place.start - origin) / HOUR_MS))
    tasks.push({
      entry,
      window,
      options,
      due,
      latest: stays ? Math.max(due, present) : due,
      weight: weightOf(nodes, now - entry.since, search),
      approvalLane: approval === null ? -1 : (approvals.get(approval.approvalId) ?? -1),
      present,
    })
    yield
  }
  const { nearHours, nearWeight } = search
  return { origin, lanes, tasks, nearSlots: nearHours, nearWeight, stays }
}

const weightOf = (nodes: number, waitedMs: number, { bigNodes, bigWeight, bigAgeHours }: SearchPolicy): number =>
  nodes < bigNodes ? 1 : bigWeight + Math.floor(Math.max(0, waitedMs) / (bigAgeHours * HOUR_MS))

/** What a start at this slot costs, before the task's weight. */
export const costOfWait = ({ nearSlots, nearWeight }: Problem, slot: number): number =>
  slot <= nearSlots ? slot * nearWeight : nearSlots * (nearWeight - 1) + slot

function laneOf({ timeline }: ClusterState, now: EpochMs, room: number): Lane {
  const levels = levelsFrom(timeline, now)
  const lane = emptyLane(levels.length + room)
  for (const { from, free } of levels) appendStep(lane, from, free)
  return lane
}

const HOURS = (ms: number): number => Math.ceil(ms / HOUR_MS)

function optionsOf(calendar: Calendar, { request }: WaitingEntry, window: StartWindow, now: EpochMs): Option[] {
  const origin = hourFloor(now)
  const options: Option[] = []
  for (const [lane, state] of calendar.listed.entries()) {
    const { cluster } = state
    if (isSuspended(calendar, cluster) || !factsAllow(questionOf(cluster, request, window.from))) continue
    const circumstances = { now, openUntil: openUntil(calendar, cluster.providerId, now) }
    const limits = clusterWindow(cluster, request, window, circumstances)
    const firstSlot = Math.floor((window.from - origin) / HOUR_MS)
    options.push({
      state,
      lane,
      nodes: nodesFor(cluster, request.demand),
      firstSlot: limits.fromIsOpen ? firstSlot : -1,
      firstLength: HOURS(window.endAtFrom + cluster.turnoverMs - origin) - firstSlot,
      laterSlot: Math.floor((limits.laterFrom - origin) / HOUR_MS),
      lastSlot: Math.floor((limits.lastStart - origin) / HOUR_MS),
      length: HOURS(window.durationMs + cluster.turnoverMs),
    })
  }
  return options.toSorted((a, b) => a.state.cluster.nodes - b.state.cluster.nodes || a.lane - b.lane)
}

/** The earliest slot of one option beside what the lanes hold, at most `last`; -1 when there is none. */
export function slotOf(lanes: readonly Lane[], task: Task, option: Option, last: number): number {
  const lane = lanes[option.lane] as Lane // options are made from the lanes
  const { nodes, firstSlot } = option
  const approval = task.approvalLane === -1 ? undefined : lanes[task.approvalLane]
  if (firstSlot !== -1 && firstSlot <= last) {
    const first = { from: firstSlot, to: firstSlot + option.firstLength, nodes }
    if (isFree(lane, first) && (approval === undefined || isFree(approval, first))) return firstSlot
  }
  const search = { from: option.laterSlot, last: Math.min(last, option.lastSlot), length: option.length, nodes }
  let slot = earliestSlot(lane, search)
  if (approval === undefined) return slot
  while (slot !== -1) {
    const allowed = earliestSlot(approval, { ...search, from: slot })
    if (allowed === slot || allowed === -1) return allowed
    slot = earliestSlot(lane, { ...search, from: allowed })
  }
  return slot
}

export const lengthAt = (option: Option, slot: number): number =>
  slot === option.firstSlot ? option.firstLength : option.length

export function placeAt({ origin }: Problem, { window }: Task, option: Option, slot: number): Place {
  const { cluster } = option.state
  const isFirst = slot === option.firstSlot
  const start = isFirst ? window.from : origin + slot * HOUR_MS
  const end = isFirst ? window.endAtFrom : start + window.durationMs
  const { id: clusterId, providerId, turnoverMs } = cluster
  return { clusterId, providerId, nodes: option.nodes, start, end, heldUntil: end + turnoverMs }
}

interface Into {
  /** What is there; lanes of approvals are added behind. */
  readonly lanes: Lane[]
  readonly room: number
}

/** Approval id → its lane, for those that could not run all at once. */
function* approvalLanes(
  calendar: Calendar,
  planned: readonly Planned[],
  origin: EpochMs,
  { lanes, room }: Into,
): Generator<undefined, Map<string, number>> {
  const found = new Map<string, number>()
  const byApproval = Map.groupBy(planned, ({ entry }) => entry.request.approval?.approvalId ?? null)
  for (const [approvalId, members] of byApproval) {
    yield
    const maxNodes = members[0]?.entry.request.approval?.maxNodes
    if (approvalId === null || maxNodes === undefined) continue
    const most = ({ entry }: Planned): number =>
      calendar.listed.reduce((nodes, { cluster }) => Math.max(nodes, nodesFor(cluster, entry.request.demand)), 0)
    const reserved = calendar.approvals.get(approvalId)?.reservedNodes ?? 0
    if (members.reduce((sum, member) => sum + most(member), reserved) <= maxNodes) continue
    found.set(approvalId, lanes.length)
    lanes.push(approvalLane(calendar, { approvalId, maxNodes, origin, room }))
  }
  return found
}

function approvalLane(
  calendar: Calendar,
  wanted: { readonly approvalId: string; readonly maxNodes: number; readonly origin: EpochMs; readonly room: number },
): Lane {
  const slotFrom = (at: EpochMs): number => Math.max(0, Math.floor((at - wanted.origin) / HOUR_MS))
  const slotTo = (at: EpochMs): number => Math.max(0, HOURS(at - wanted.origin))
  const changes = commitmentsOf(calendar, wanted.approvalId).flatMap(({ interval, nodes }) =>
    interval === null
      ? []
      : [
          { slot: slotFrom(interval.start), by: -nodes },
          { slot: slotTo(interval.end), by: nodes },
        ],
  )
  const lane = emptyLane(changes.length + 1 + wanted.room)
  let free = wanted.maxNodes
  const bySlot = Map.groupBy(
    [{ slot: 0, by: 0 }, ...changes].toSorted((a, b) => a.slot - b.slot),
    ({ slot }) => slot,
  )
  for (const [slot, here] of bySlot) {
    free = here.reduce((sum, { by }) => sum + by, free)
    appendStep(lane, slot, free)
  }
  return lane
}
