/**
 * When to look at nodes that boot: what their like took of late says when they may be up. Before that a look can only
 * find them booting; after it each look comes soon, so that they are late by little.
 */
import { SECOND_MS } from '../../shared/time.ts'

/** Of so many of late the shortest counts: each was seen some time after it was true. */
const REMEMBERED = 8
/** As much earlier than the shortest, so that shorter ones are found out. */
const EARLY = 0.97
/** Between two looks, as a share of the whole time. */
const STEP = 1 / 32
const SHORTEST_MS = 100
const LONGEST_MS = 5 * SECOND_MS

/** @param tookMs from the last answer to a create to a look that found all nodes up; oldest first */
export const rememberBoot = (tookMs: readonly number[], latest: number): number[] =>
  [...tookMs, latest].slice(-REMEMBERED)

/** @returns the pause before the next look; null where nothing is known */
export function pauseWhileBooting(tookMs: readonly number[], sinceAskedMs: number): number | null {
  if (tookMs.length === 0) return null
  const shortestMs = Math.min(...tookMs)
  const leftMs = Math.ceil(shortestMs * EARLY - sinceAskedMs)
  if (leftMs > 0) return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, leftMs))
  const overdueMs = sinceAskedMs - shortestMs
  return Math.min(LONGEST_MS, Math.ceil(Math.max(SHORTEST_MS, shortestMs * STEP, overdueMs / 8)))
}
