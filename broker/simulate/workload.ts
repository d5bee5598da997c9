/** From lines of a trace to what is asked of a fleet: a window of it, stretched and compressed, with what logs do not say drawn from a seed. */
import { DAY_MS, SECOND_MS, type EpochMs } from '../../shared/time.ts'
import { horizonOf } from '../core/timeline.ts'
import { draw, drawn } from './draw.ts'
import type { Fleet } from './fleet.ts'
import type { TraceJob } from './trace.ts'

export interface SimRequest {
  /** That of the log with the line's number: never shared. */
  readonly id: string
  /** Place in the order of submission, from 0. */
  readonly order: number
  readonly submittedAt: EpochMs
  readonly nodes: number
  readonly architecture: string
  readonly organizationId: string
  /** The period asked for: all that a policy knows. */
  readonly grantedMs: number
  /** How long it is used, never longer: what is left is released early. */
  readonly usedMs: number
}

export interface Workload {
  readonly requests: readonly SimRequest[]
  /** Requests that no cluster of the fleet could ever hold, or that ask for longer than anybody plans ahead. */
  readonly leftOut: number
  /** Node-time used ÷ what the whole fleet has from the first submission to the last. */
  readonly load: number
}

/** `r1`: Theta's sizes brought to the largest cluster's, its hours to days. Synthetic, and to be called so. */
export type Stretch = 'none' | 'r1'

interface Factors {
  readonly nodes: number
  readonly time: number
}

const FACTORS: Readonly<Record<Stretch, Factors>> = {
  none: { nodes: 1, time: 1 },
  r1: { nodes: 510 / 4_360, time: 24 },
}

export interface WindowOptions {
  /** Lines passed over at the beginning. */
  readonly offset: number
  /** Most requests taken. */
  readonly requests: number
  readonly stretch: Stretch
  /** Arrivals are brought together or apart until it is reached; null: as they came. */
  readonly load: number | null
  readonly seed: number
  /** The first submission. */
  readonly startAt: EpochMs
}

export function workloadOf(jobs: readonly TraceJob[], fleet: Fleet, options: WindowOptions): Workload {
  const { offset, requests: most, startAt } = options
  const taken = jobs.slice(offset, offset + most)
  const drafts = taken.map((job, at) => draftOf(job, offset + at, fleet, options)).filter((request) => request !== null)
  const first = drafts[0]?.submittedAfterMs ?? 0
  const spanMs = (drafts.at(-1)?.submittedAfterMs ?? 0) - first
  const nodeMs = drafts.reduce((sum, { nodes, usedMs }) => sum + nodes * usedMs, 0)
  // Where all come at once there is no time between them to change.
  const factor = options.load === null || spanMs === 0 ? 1 : nodeMs / (options.load * fleet.nodes * spanMs)
  const requests = drafts.map(({ submittedAfterMs, ...draft }, order) => ({
    ...draft,
    order,
    submittedAt: startAt + Math.round((submittedAfterMs - first) * factor),
  }))
  const load = spanMs === 0 ? 0 : nodeMs / (fleet.nodes * spanMs * factor)
  return { requests, leftOut: taken.length - drafts.length, load }
}

type Draft = Omit<SimRequest, 'order' | 'submittedAt'> & { readonly submittedAfterMs: number }

function draftOf(job: TraceJob, line: number, fleet: Fleet, { stretch, seed, startAt }: WindowOptions): Draft | null {
  const factors = FACTORS[stretch]
  const nodes = Math.max(1, Math.round(job.nodes * factors.nodes))
  const inMs = (seconds: number): number => Math.max(1, Math.round(seconds * SECOND_MS * factors.time))
  const grantedMs = inMs(job.askedSeconds ?? job.runSeconds)
  const large = fleet.architectures.filter(({ largestNodes }) => nodes <= largestNodes)
  const architecture = drawn(large, draw(seed, 'architecture', line))
  if (architecture === null || grantedMs > horizonOf(startAt) - startAt - DAY_MS) return null
  return {
    // Logs that were put together from several use an id twice; a place on a calendar is had once.
    id: `${job.id}#${line}`,
    submittedAfterMs: Math.round(job.submitSeconds * SECOND_MS * factors.time),
    nodes,
    architecture: architecture.name,
    organizationId: drawn(ORGANIZATIONS, draw(seed, 'organization', line))?.id ?? '',
    grantedMs,
    usedMs: Math.min(grantedMs, inMs(job.runSeconds)),
  }
}

const ORGANIZATION_COUNT = 12

/** The first asks for most, each one after it for less: no log of ours says who asked. */
const ORGANIZATIONS = Array.from({ length: ORGANIZATION_COUNT }, (_, at) => ({
  id: `org-${String(at + 1).padStart(2, '0')}`,
  weight: 1 / (at + 1),
}))
