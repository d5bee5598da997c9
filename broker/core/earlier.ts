/**
 * What would let somebody who waits start earlier, while everybody else keeps the plan of the moment: fewer nodes, another
 * architecture, a shorter period. Each answer is the start that the calendar gives to the changed request, not a guess.
 */
import { HOUR_MS, type EpochMs } from '../../shared/time.ts'
import { coverNow, type Calendar } from './calendar.ts'
import type { WaitingEntry } from './calendar-op.ts'
import { isSuspended, reservationOf } from './calendar-reads.ts'
import { withOps } from './calendar-undo.ts'
import { nodesFor, type Cluster } from './cluster.ts'
import { dearestOf } from './commitments.ts'
import { factsAllow, questionOf } from './placement/feasible.ts'
import { durationOf, type PlacementRequest, type RequestedPeriod } from './placement/request.ts'
import { earliestPlace } from './placement/search.ts'
import { windowOfWait } from './placement/window.ts'

export type EarlierStart =
  | { readonly change: 'nodes'; readonly to: number; readonly start: EpochMs }
  | { readonly change: 'architecture'; readonly to: string; readonly start: EpochMs }
  /** `to` in hours. */
  | { readonly change: 'duration'; readonly to: number; readonly start: EpochMs }

interface Wait {
  readonly calendar: Calendar
  readonly entry: WaitingEntry
  readonly now: EpochMs
  /** The first start that the request allows. */
  readonly from: EpochMs
  /** The earliest that it can have as it stands; null: none. */
  readonly start: EpochMs | null
}

/**
 * One change at a time; empty where none helps. Of nodes and of hours it names the most that can be kept for the earliest
 * start that such a change can bring, and the most that can be kept for half of the wait, where that is more. Where
 * nothing is planned, the second is the most for any start at all.
 */
export function earlierStarts(calendar: Calendar, entry: WaitingEntry, now: EpochMs): EarlierStart[] {
  coverNow(calendar, now)
  const { from } = windowOfWait(entry.request.period, now)
  const planned = reservationOf(calendar, entry.allocationId)?.start ?? null
  return withOps(calendar, [{ op: 'release', allocationId: entry.allocationId }], () => {
    const as = { calendar, entry, now, from }
    const start = earliestStart({ ...as, start: null }, entry.request, planned) ?? planned
    if (start !== null && start <= from) return []
    const wait = { ...as, start }
    return [...fewerNodes(wait), ...otherArchitectures(wait), ...shorterPeriods(wait)]
  })
}

/** At any cluster, before `before`; null where nothing starts by then. */
function earliestStart({ calendar, now }: Wait, request: PlacementRequest, before: EpochMs | null): EpochMs | null {
  const window = windowOfWait(request.period, now)
  let earliest: EpochMs | null = null
  for (const state of calendar.listed) {
    const { cluster } = state
    if (isSuspended(calendar, cluster) || !factsAllow(questionOf(cluster, request, window.from))) continue
    const place = earliestPlace(calendar, state, { request, window, now, before: earliest ?? before })
    if (place !== null) earliest = place.start
  }
  return earliest
}

function fewerNodes(wait: Wait): EarlierStart[] {
  const { request } = wait.entry
  const most = Math.min(fewestNodes(wait) - 1, wait.calendar.largestNodes)
  return reduced(wait, { most, of: (nodes) => ({ ...request, demand: { nodes } }) }).map((found) => ({
    change: 'nodes',
    ...found,
  }))
}

/** What the demand comes to where it takes the fewest. */
function fewestNodes({ calendar, entry: { request }, from }: Wait): number {
  const listed = calendar.listed.map(({ cluster }) => cluster)
  const able = listed.filter((cluster) => factsAllow(questionOf(cluster, request, from)))
  return Math.min(...(able.length > 0 ? able : listed).map((cluster) => nodesFor(cluster, request.demand)))
}

function shorterPeriods(wait: Wait): EarlierStart[] {
  const { request } = wait.entry
  const most = Math.ceil(durationOf(request.period) / HOUR_MS) - 1
  const of = (hours: number): PlacementRequest => ({ ...request, period: lasting(request.period, hours * HOUR_MS) })
  return reduced(wait, { most, of }).map((found) => ({ change: 'duration', ...found }))
}

const lasting = (period: RequestedPeriod, durationMs: number): RequestedPeriod =>
  period.kind === 'fixed' ? { ...period, end: period.start + durationMs } : { ...period, durationMs }

interface Reduction {
  readonly most: number
  /** The request with so much of what is reduced, at least 1. */
  readonly of: (kept: number) => PlacementRequest
}

/** Less never starts later, so halving finds the most: two searches for each bit of `most`, and no more. */
function reduced(wait: Wait, { most, of }: Reduction): { readonly to: number; readonly start: EpochMs }[] {
  const reached = most < 1 ? null : earliestStart(wait, of(1), wait.start)
  if (reached === null) return []
  const halfOfWait = wait.start === null ? null : wait.from + Math.ceil((wait.start - wait.from) / 2)
  const kept = [reached + 1, halfOfWait].map((before) =>
    largest(most, (amount) => earliestStart(wait, of(amount), before) !== null),
  )
  return [...new Set(kept)].flatMap((to) => {
    const start = to === 0 ? null : earliestStart(wait, of(to), wait.start)
    return start === null ? [] : [{ to, start }]
  })
}

/** The largest of 1…`most` that fits, where all below one that fits do; 0: none. */
function largest(most: number, fits: (amount: number) => boolean): number {
  let fitting = 0
  let tooMany = most + 1
  while (tooMany - fitting > 1) {
    const middle = Math.floor((fitting + tooMany) / 2)
    if (fits(middle)) fitting = middle
    else tooMany = middle
  }
  return fitting
}

/** Everything else that it requires stays, but the model of GPU, which goes with the architecture. */
function otherArchitectures(wait: Wait): EarlierStart[] {
  const { calendar, entry, from } = wait
  const { gpuModels: _, ...requires } = entry.request.requires
  const serves = ({ cluster }: { readonly cluster: Cluster }) => factsAllow(questionOf(cluster, entry.request, from))
  const present = new Set(calendar.listed.filter(serves).map(({ cluster }) => cluster.architecture))
  const listed = new Set(calendar.listed.map(({ cluster }) => cluster.architecture))
  const others = [...listed].filter((architecture) => !present.has(architecture))
  return others.toSorted().flatMap((architecture) => {
    const request = { ...withinWhatItHolds(wait), requires: { ...requires, architectures: [architecture] } }
    const start = earliestStart(wait, request, wait.start)
    return start === null ? [] : [{ change: 'architecture', to: architecture, start }]
  })
}

/** The same compute may take more nodes elsewhere; of its approval it surely has the GPU-time that it holds now. */
function withinWhatItHolds({ calendar, entry }: Wait): PlacementRequest {
  const { approval } = entry.request
  const gpuMsLeft = dearestOf(calendar, entry)
  return approval === null ? entry.request : { ...entry.request, approval: { ...approval, gpuMsLeft } }
}
