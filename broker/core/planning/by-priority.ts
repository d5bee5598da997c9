/**
 * The search, priority by priority: a higher one is planned as if those below it had no place yet, and they around it. So
 * a planned place may be lost to a higher priority, never one that is scheduled or runs; and a promise is broken for no
 * other reason, and only where no order that was tried keeps it.
 */
import { PRIORITIES, type Priority } from '../../../shared/approval.ts'
import type { EpochMs } from '../../../shared/time.ts'
import { applyOp, stateOf, type Calendar } from '../calendar.ts'
import type { Reservation, WaitingEntry } from '../calendar-op.ts'
import { reservationOf, waiting } from '../calendar-reads.ts'
import { limitsShares, mightExceedShare } from '../concentration.ts'
import type { Place } from '../placement/candidate.ts'
import type { Policy, SearchPolicy } from '../placement/policy.ts'
import { reservationFor, type Slip } from '../plan-change.ts'
import { firstShortage } from '../timeline.ts'
import { costOfWait, placeAt, problemOf, type Planned, type Problem } from './problem.ts'
import { NO_PLAN, searchPlan, type Found } from './search.ts'
import { costAlone, NO_PLACE, type Worth } from './try-order.ts'

export interface Searched {
  readonly slips: readonly Slip[]
  readonly tried: number
}

export interface SearchCircumstances {
  readonly now: EpochMs
  readonly policy: Policy
  readonly seed: number
  /** Who had no place before this re-plan: nobody has searched for theirs yet. */
  readonly newcomers: ReadonlySet<string>
}

/** Changes the places of those who wait; each has one afterwards who had one before. */
export function* searchByPriority(
  scratch: Calendar,
  { now, policy, seed, newcomers }: SearchCircumstances,
): Generator<undefined, Searched> {
  const { search } = policy
  if (search === null) return { slips: [], tried: 0 }
  const planned = yield* chosen(scratch, search, now)
  for (const { entry } of planned) {
    applyOp(scratch, { op: 'release', allocationId: entry.allocationId })
    yield
  }
  const slips: Slip[] = []
  const above: Reservation[] = []
  let tried = 0
  for (const priority of PRIORITIES) {
    const members = planned.filter(({ entry }) => entry.priority === priority)
    if (members.length === 0) continue
    const effort = members.some((one) => hasPlace(one) && newcomers.has(one.entry.allocationId)) ? 1 : search.again
    const plan = yield* planOf(scratch, members, { now, search, seed, effort })
    tried += plan.tried
    for (const [at, { entry }] of members.entries()) {
      const place = plan.places[at] ?? null
      if (place !== null) applyOp(scratch, { op: 'reserve', reservation: reservationFor(entry, place, 'planned') })
    }
    yield
    slips.push(...members.flatMap(({ entry, place }) => slipOf(scratch, entry, place, above)))
    above.push(...members.flatMap(({ entry }) => reservationOf(scratch, entry.allocationId) ?? []))
  }
  return { slips, tried }
}

/** Those whose planned start is nearest and the first who have no place, so many of each priority, in serving order. */
function* chosen(scratch: Calendar, search: SearchPolicy, now: EpochMs): Generator<undefined, Planned[]> {
  const all = new Map<Priority, Planned[]>(PRIORITIES.map((priority) => [priority, []]))
  for (const entry of waiting(scratch)) {
    const place = reservationOf(scratch, entry.allocationId)
    yield
    // Whose time has come, and who cannot begin for another reason, keeps the place. Idle-use never has one.
    if ((place?.start ?? now) < now || entry.priority === 'idle') continue
    // A share counts what is on the calendar: a place more might exceed it.
    if (place === null ? limitsShares(scratch) : mightExceedShare(scratch, entry.organizationId, now)) continue
    all.get(entry.priority)?.push({ entry, place })
  }
  const chosen: Planned[] = []
  for (const members of all.values()) {
    const placed = members.filter(hasPlace)
    yield
    const nearest = new Set<Planned>(yield* nearestOf(placed, search.entries))
    for (const one of members.filter(({ place }) => place === null).slice(0, search.placeless)) nearest.add(one)
    yield
    chosen.push(...members.filter((planned) => nearest.has(planned)))
  }
  return chosen
}

interface PlannedPlace extends Planned {
  readonly place: Reservation
}

const hasPlace = (planned: Planned): planned is PlannedPlace => planned.place !== null

/** Of two that start alike the first comes first. */
function* nearestOf(all: readonly PlannedPlace[], most: number): Generator<undefined, readonly PlannedPlace[]> {
  if (all.length <= most) return all
  // Numbers alone are sorted in a fraction of the time: of 10,000 most are not among the nearest.
  const last = Float64Array.from(all, ({ place }) => place.start).toSorted()[most - 1] ?? Number.POSITIVE_INFINITY
  yield
  return all
    .filter(({ place }) => place.start <= last)
    .toSorted((a, b) => a.place.start - b.place.start)
    .slice(0, most)
}

interface Circumstances extends Pick<SearchCircumstances, 'now' | 'seed'> {
  readonly search: SearchPolicy
  readonly effort: number
}

interface PlanOfPriority {
  /** By member; null where none is left. */
  readonly places: readonly (Place | null)[]
  readonly tried: number
}

function* planOf(
  scratch: Calendar,
  members: readonly Planned[],
  { now, search, seed, effort }: Circumstances,
): Generator<undefined, PlanOfPriority> {
  const stays = yield* areStillFree(scratch, members)
  const problem = yield* problemOf({ calendar: scratch, planned: members, now, stays, search })
  const present = stays ? worthOfPresent(problem) : NO_PLAN
  const { found, tried } = yield* searchPlan(problem, { policy: search, seed, effort, present })
  const kept = members.map(({ place }) => placeOf(scratch, place))
  return { places: found === null ? kept : placesIn(problem, found), tried }
}

/** Whether all of them together have room for the places that they had. */
function* areStillFree(scratch: Calendar, members: readonly Planned[]): Generator<undefined, boolean> {
  const taken: Reservation[] = []
  let all = true
  for (const { place } of members) {
    if (place === null) continue
    const { timeline } = stateOf(scratch, place.clusterId)
    all = firstShortage(timeline, { start: place.start, end: place.heldUntil }, place.nodes) === null
    if (!all) break
    applyOp(scratch, { op: 'reserve', reservation: place })
    taken.push(place)
    yield
  }
  for (const { allocationId } of taken) {
    applyOp(scratch, { op: 'release', allocationId })
    yield
  }
  return all
}

function worthOfPresent(problem: Problem): Worth {
  let [late, cost] = [0, 0]
  for (const task of problem.tasks) {
    const { present, due, weight } = task
    late += present === -1 ? NO_PLACE : Math.max(0, present - due)
    // Without a place it counts as every plan counts it that has none for it.
    cost += weight * (present === -1 ? costAlone(problem, task) : costOfWait(problem, present))
  }
  return { late, cost }
}

function placeOf(scratch: Calendar, place: Reservation | null): Place | null {
  if (place === null) return null
  const { clusterId, nodes, start, end, heldUntil } = place
  return { clusterId, providerId: stateOf(scratch, clusterId).cluster.providerId, nodes, start, end, heldUntil }
}

const placesIn = (problem: Problem, { slots }: Found): (Place | null)[] =>
  problem.tasks.map((task, at) => {
    const option = task.options[slots.option[at] ?? -1]
    return option === undefined ? null : placeAt(problem, task, option, slots.slot[at] ?? -1)
  })

function slipOf(
  scratch: Calendar,
  { allocationId, promisedStart }: WaitingEntry,
  had: Reservation | null,
  above: readonly Reservation[],
): Slip[] {
  const start = reservationOf(scratch, allocationId)?.start ?? Number.POSITIVE_INFINITY
  if (had === null || promisedStart === null || start <= promisedStart || start <= had.start) return []
  const inItsPlace = above.filter(
    ({ clusterId, ...other }) =>
      clusterId === had.clusterId && other.start < had.heldUntil && had.start < other.heldUntil,
  )
  // Somebody else of its own priority may have made way for them, and taken the place.
  const causes = inItsPlace.length > 0 ? inItsPlace : above
  return [{ allocationId, causedBy: causes.map((cause) => cause.allocationId) }]
}
