/** What the report draws: use over time, and waits by size. */
import { HOUR_MS } from '../../shared/time.ts'
import type { Fleet } from './fleet.ts'
import { meanOf, p95Of, spanOf, useIn, waitMsOf } from './figures.ts'
import type { Run } from './machine.ts'

const BUCKETS = 120

/** Share of the fleet in use in each of equal parts of the time from the first submission to the last. */
export function useOverTime(runs: readonly Run[], fleet: Fleet): number[] {
  const { start, end } = spanOf(runs)
  const widthMs = (end - start) / BUCKETS
  if (widthMs <= 0) return []
  return Array.from({ length: BUCKETS }, (_, at) =>
    useIn(runs, fleet, { start: start + at * widthMs, end: start + (at + 1) * widthMs }),
  )
}

export interface WaitOfSize {
  /** `32–63`, in nodes. */
  readonly size: string
  readonly requests: number
  readonly meanHours: number
  readonly p95Hours: number
}

const SIZES = [1, 8, 32, 64, 120, 255] as const

/** One for each class of sizes that anybody asked for, small ones first. */
export function waitsBySize(runs: readonly Run[]): WaitOfSize[] {
  return SIZES.flatMap((least, at) => {
    const beyond = SIZES[at + 1] ?? Number.POSITIVE_INFINITY
    const waits = runs.filter(({ request }) => request.nodes >= least && request.nodes < beyond).map(waitMsOf)
    if (waits.length === 0) return []
    const size = Number.isFinite(beyond) ? `${least}–${beyond - 1}` : `${least} and more`
    return [{ size, requests: waits.length, meanHours: meanOf(waits) / HOUR_MS, p95Hours: p95Of(waits) / HOUR_MS }]
  })
}
