/** What a replay comes to: the figures by which policies are compared. */
import { DAY_MS, HOUR_MS, type EpochMs, type Interval } from '../../shared/time.ts'
import { phaseAt } from '../core/cluster.ts'
import type { Fleet } from './fleet.ts'
import type { Run } from './machine.ts'
import type { PolicyName } from './scheduler.ts'
import { stepsOf, timeWithoutFit, type Held } from './steps.ts'

/** As a program is told them; the names are those of the command's JSON. */
export interface Figures {
  readonly name: PolicyName
  readonly meanWaitHours: number
  readonly p95WaitHours: number
  /** Mean of the larger of 1 and (wait + use) ÷ the larger of the use and a day. */
  readonly boundedSlowdown: number
  /** Of requests of 120 nodes and more; null where there are none. */
  readonly bigMeanWaitHours: number | null
  readonly bigP95WaitHours: number | null
  /** Node-time used ÷ node-time there was, from the first submission to the last. */
  readonly use: number
  /** Share of that time in which some Blackwell cluster has 255 nodes that nobody holds. */
  readonly fits255: number
  readonly fits510: number
  /** Starts after the promised one. A policy that promises nothing slips nothing. */
  readonly promisesSlipped: number
}

const BIG_NODES = 120
const SLOWDOWN_BOUND_MS = DAY_MS
/** Whose free room for the largest jobs is watched. */
const WATCHED_ARCHITECTURE = 'blackwell'

export const waitMsOf = ({ startedAt, request }: Run): number => startedAt - request.submittedAt

export function figuresOf(name: PolicyName, runs: readonly Run[], fleet: Fleet): Figures {
  const waits = runs.map(waitMsOf)
  const bigWaits = runs.filter(({ request }) => request.nodes >= BIG_NODES).map(waitMsOf)
  const span = spanOf(runs)
  return {
    name,
    meanWaitHours: meanOf(waits) / HOUR_MS,
    p95WaitHours: p95Of(waits) / HOUR_MS,
    boundedSlowdown: meanOf(runs.map(boundedSlowdownOf)),
    bigMeanWaitHours: bigWaits.length === 0 ? null : meanOf(bigWaits) / HOUR_MS,
    bigP95WaitHours: bigWaits.length === 0 ? null : p95Of(bigWaits) / HOUR_MS,
    use: useIn(runs, fleet, span),
    fits255: shareWithRoom(runs, fleet, span, 255),
    fits510: shareWithRoom(runs, fleet, span, 510),
    promisesSlipped: runs.filter(({ promisedStart, startedAt }) => promisedStart !== null && startedAt > promisedStart)
      .length,
  }
}

function boundedSlowdownOf(run: Run): number {
  const { usedMs } = run.request
  return Math.max(1, (waitMsOf(run) + usedMs) / Math.max(usedMs, SLOWDOWN_BOUND_MS))
}

/** 0 of nothing. */
export const meanOf = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length

/** The least value that 95 of 100 do not exceed; 0 of nothing. */
export const p95Of = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.95) - 1] ?? 0

/** From the first submission to the last: before and after it the fleet only fills and empties. */
export function spanOf(runs: readonly Run[]): Interval {
  let [start, end] = [Number.POSITIVE_INFINITY, 0]
  for (const { request } of runs) {
    start = Math.min(start, request.submittedAt)
    end = Math.max(end, request.submittedAt)
  }
  return { start, end: Math.max(start, end) }
}

/** Share of the fleet's nodes in use; 0 of no time. */
export function useIn(runs: readonly Run[], fleet: Fleet, within: Interval): number {
  let used = 0
  for (const { request, startedAt, endedAt } of runs) used += request.nodes * overlapMs(within, startedAt, endedAt)
  let there = 0
  for (const { phases } of fleet.clusters)
    for (const [at, { from, nodes }] of phases.entries())
      there += nodes * overlapMs(within, from, phases[at + 1]?.from ?? Number.POSITIVE_INFINITY)
  return there === 0 ? 0 : used / there
}

const overlapMs = ({ start, end }: Interval, from: EpochMs, to: EpochMs): number =>
  Math.max(0, Math.min(end, to) - Math.max(start, from))

function shareWithRoom(runs: readonly Run[], fleet: Fleet, span: Interval, nodes: number): number {
  if (span.end <= span.start) return 0
  const clusters = fleet.clusters.filter(
    (cluster) => cluster.architecture === WATCHED_ARCHITECTURE && cluster.nodes >= nodes,
  )
  // There is no room only while none of them has it: what is missing at each of them is intersected.
  const takenPerCluster = clusters.map((cluster) => {
    const own: Held[] = runs
      .filter((run) => run.cluster === cluster)
      .map(({ request, startedAt, heldUntil }) => ({ start: startedAt, end: heldUntil, nodes: request.nodes }))
    return {
      steps: stepsOf(
        own,
        cluster.phases.map(({ from }) => from),
        span,
      ),
      cluster,
    }
  })
  if (takenPerCluster.length === 0) return 0
  const hasRoom = takenPerCluster.map(({ steps, cluster }) =>
    steps.map(({ start, end, held }) => ({
      start,
      end,
      fits: (phaseAt(cluster.phases, start)?.nodes ?? 0) - held >= nodes,
    })),
  )
  return 1 - timeWithoutFit(hasRoom, span) / (span.end - span.start)
}
