/**
 * When to look at nodes that boot: what their like took of late says when they may be up. Before that a look can only
 * find them booting; after it each look comes soon, so that they are late by little. How long they really take lies
 * between the last look that did not find them up and the first that did; each time the gap is made smaller.
 */
import { SECOND_MS } from '../../shared/time.ts'

/** In ms from the answer to the last create. */
export interface SeenBoot {
  /** The last look that found some of them booting; 0 where there was none. */
  readonly notYetMs: number
  /** The first look that found all of them up. */
  readonly upMs: number
}

/** Of so many of late the shortest counts: each was seen some time after it was true. */
const REMEMBERED = 8
/** Not earlier than this share of the shortest, however little is known of when they were still booting. */
const EARLIEST = 0.85
/** Of the whole time: a smaller gap is not worth another look. */
const CLOSE = 1 / 128
/** Between two looks, as a share of the whole time. */
const STEP = 1 / 32
const SHORTEST_MS = 100
const LONGEST_MS = 5 * SECOND_MS

/** @param seen oldest first */
export const rememberBoot = (seen: readonly SeenBoot[], latest: SeenBoot): SeenBoot[] =>
  [...seen, latest].slice(-REMEMBERED)

/** @returns the pause before the next look; null where nothing is known */
export function pauseWhileBooting(seen: readonly SeenBoot[], sinceAskedMs: number): number | null {
  if (seen.length === 0) return null
  const shortestMs = Math.min(...seen.map(({ upMs }) => upMs))
  const firstMs = firstLookMs(seen, shortestMs)
  const leftMs = Math.ceil((sinceAskedMs < firstMs ? firstMs : shortestMs) - sinceAskedMs)
  if (leftMs > 0) return Math.min(LONGEST_MS, leftMs)
  const overdueMs = sinceAskedMs - shortestMs
  return Math.min(LONGEST_MS, Math.ceil(Math.max(SHORTEST_MS, shortestMs * STEP, overdueMs / 8)))
}

/** Half-way into the gap, and then at its end; where the gap is closed, at its end alone. */
function firstLookMs(seen: readonly SeenBoot[], shortestMs: number): number {
  const stillBooting = seen.map(({ notYetMs }) => notYetMs).filter((ms) => ms < shortestMs)
  const earliestMs = Math.max(shortestMs * EARLIEST, ...stillBooting)
  return shortestMs - earliestMs > shortestMs * CLOSE ? (earliestMs + shortestMs) / 2 : shortestMs
}
