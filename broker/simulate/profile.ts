/**
 * Free nodes of one cluster over time, as exact steps: what the baselines plan with. It shares nothing with the broker's
 * calendar on purpose, so that neither can hide the other's mistakes.
 */
import type { EpochMs, Interval } from '../../shared/time.ts'
import type { Phase } from '../core/cluster.ts'

/** `free[i]` nodes from `times[i]` until `times[i + 1]`, the last for ever. */
export interface Profile {
  readonly times: EpochMs[]
  readonly free: number[]
}

export function profileOf(phases: readonly Phase[]): Profile {
  return { times: [0, ...phases.map(({ from }) => from)], free: [0, ...phases.map(({ nodes }) => nodes)] }
}

const freeFrom = (profile: Profile, step: number): number => profile.free[step] as number // callers stay inside
const timeOf = (profile: Profile, step: number): EpochMs => profile.times[step] ?? Number.POSITIVE_INFINITY

/** The step in which the instant lies. */
function stepAt({ times }: Profile, at: EpochMs): number {
  let [low, high] = [0, times.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((times[middle] as number) <= at)
      low = middle // `middle` lies between two places of the list
    else high = middle - 1
  }
  return low
}

export const freeAt = (profile: Profile, at: EpochMs): number => freeFrom(profile, stepAt(profile, at))

/** Takes nodes for the interval, as far as it is not forgotten; gives them back where they are less than zero. */
export function take(profile: Profile, interval: Interval, nodes: number): void {
  const start = Math.max(interval.start, timeOf(profile, 0))
  const { end } = interval
  if (start >= end) return
  const first = splitAt(profile, start)
  const last = splitAt(profile, end)
  for (let step = first; step < last; step += 1) profile.free[step] = freeFrom(profile, step) - nodes
  mergeAt(profile, last)
  mergeAt(profile, first)
}

/** @returns the step that begins at this instant, made where there was none */
function splitAt(profile: Profile, at: EpochMs): number {
  const step = stepAt(profile, at)
  if (timeOf(profile, step) === at) return step
  profile.times.splice(step + 1, 0, at)
  profile.free.splice(step + 1, 0, freeFrom(profile, step))
  return step + 1
}

function mergeAt(profile: Profile, step: number): void {
  if (step === 0 || freeFrom(profile, step) !== freeFrom(profile, step - 1)) return
  profile.times.splice(step, 1)
  profile.free.splice(step, 1)
}

/** Forgets what was before: only the step in which `now` lies is left of it. */
export function forgetBefore(profile: Profile, now: EpochMs): void {
  const past = stepAt(profile, now)
  profile.times.splice(0, past)
  profile.free.splice(0, past)
}

export function leastFree(profile: Profile, { start, end }: Interval): number {
  let step = stepAt(profile, start)
  let least = freeFrom(profile, step)
  for (step += 1; timeOf(profile, step) < end; step += 1) least = Math.min(least, freeFrom(profile, step))
  return least
}

export interface StartSearch {
  readonly from: EpochMs
  /** Only a start before it is of use; infinity: any. */
  readonly before: EpochMs
  readonly lengthMs: number
  readonly nodes: number
}

/** The earliest start, exactly; null when there is none early enough. */
export function earliestStart(profile: Profile, { from, before, lengthMs, nodes }: StartSearch): EpochMs | null {
  let start = from
  for (let step = stepAt(profile, start); start < before; step += 1) {
    if (timeOf(profile, step) >= start + lengthMs) return start
    if (freeFrom(profile, step) < nodes) start = timeOf(profile, step + 1)
  }
  return null
}
