/**
 * The named, versioned policy: every number that placement weighs with, as data. A decision stores the version that it
 * was made under; a number changes only together with the version, or old decisions could not be replayed.
 */
import { DAY_MS } from '../../../shared/time.ts'

export const SCORE_PARTS = ['preference', 'fit', 'energy', 'balance'] as const
export type ScorePart = (typeof SCORE_PARTS)[number]

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
}

export const DEFAULT_POLICY: Policy = {
  version: 'earliest-fit-1',
  weights: { preference: 8, fit: 4, energy: 2, balance: 1 },
  promiseSlack: { leastMs: 7 * DAY_MS, waitDivisor: 2 },
  replanPasses: 8,
}
