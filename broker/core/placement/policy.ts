/**
 * The named, versioned policy: every number that placement weighs with, as data. A decision stores the version that it
 * was made under; a number changes only together with the version, or old decisions could not be replayed.
 */
import { DAY_MS } from '../../../shared/time.ts'

export const SCORE_PARTS = ['preference', 'fit', 'energy', 'balance'] as const
export type ScorePart = (typeof SCORE_PARTS)[number]

/** How much the plan of those who wait is searched for. Counted in tries, never in time: a replay tries the same. */
export interface SearchPolicy {
  /** At most so many are planned together, those whose planned start is nearest; others keep their places. */
  readonly entries: number
  /** So many of each priority who have no place are planned with them, the first in serving order: lower ones may be in their way. */
  readonly placeless: number
  /** At most so many placements are tried for one priority. */
  readonly placements: number
  /** Where more than so many are planned together, fewer with the square of it, so that a long waitlist is planned no longer. */
  readonly crowd: number
  /** So often one order is tried again with whoever broke his promise in front. */
  readonly repairs: number
  /** Each possible move of one task is made so often on average, and the search goes on for longer where it gains late. */
  readonly patience: number
  /** The share of tries and patience where all had a place before: their plan was searched for then, and goes on from there. */
  readonly again: number
  /** The wait of a request of so many nodes or more counts `bigWeight` times, and once more for every `bigAgeHours` that it has waited. */
  readonly bigNodes: number
  readonly bigWeight: number
  readonly bigAgeHours: number
  /** An hour of wait within so many from now counts `nearWeight` times, a later one once: what lies far off moves anyhow. */
  readonly nearHours: number
  readonly nearWeight: number
}

export interface Policy {
  readonly version: string
  readonly weights: Readonly<Record<ScorePart, number>>
  /** A promise is the planned start plus the larger of `leastMs` and the planned wait divided by `waitDivisor`. */
  readonly promiseSlack: { readonly leastMs: number; readonly waitDivisor: number }
  /**
   * A re-plan goes through the waitlist once, and then again for starts at this very instant while it has found one, so
   * that nodes do not stand idle between two re-plans: at most so many times in all.
   */
  readonly replanPasses: number
  /** Null: the present plan is kept as it is. */
  readonly search: SearchPolicy | null
}

/** The plain plan: nobody is ever made later for somebody else. */
export const EARLIEST_FIT_1: Policy = {
  version: 'earliest-fit-1',
  weights: { preference: 8, fit: 4, energy: 2, balance: 1 },
  promiseSlack: { leastMs: 7 * DAY_MS, waitDivisor: 2 },
  replanPasses: 8,
  search: null,
}

/** More than anybody plans ahead, or waits. */
const NEVER_HOURS = 1_000_000

/** As the first, and the plan of those who wait is searched for. */
const EARLIEST_FIT_2: Policy = {
  ...EARLIEST_FIT_1,
  version: 'earliest-fit-2',
  search: {
    entries: 256,
    placeless: 0,
    placements: 200_000,
    crowd: 40,
    repairs: 40,
    patience: 5,
    again: 0.1,
    bigNodes: 120,
    bigWeight: 6,
    bigAgeHours: NEVER_HOURS,
    nearHours: NEVER_HOURS,
    nearWeight: 1,
  },
}

/** As the second, but it counts the next day for more than what comes after it, large ones for the more the longer they wait, and looks for room for who has none. */
const EARLIEST_FIT_3: Policy = {
  ...EARLIEST_FIT_2,
  version: 'earliest-fit-3',
  search: EARLIEST_FIT_2.search && {
    ...EARLIEST_FIT_2.search,
    placeless: 16,
    bigWeight: 3,
    bigAgeHours: 60,
    nearHours: 24,
    nearWeight: 4,
  },
}

/** Every policy that a decision was ever made under, by version. */
export const POLICIES: ReadonlyMap<string, Policy> = new Map(
  [EARLIEST_FIT_1, EARLIEST_FIT_2, EARLIEST_FIT_3].map((policy) => [policy.version, policy]),
)

export const DEFAULT_POLICY: Policy = EARLIEST_FIT_3
