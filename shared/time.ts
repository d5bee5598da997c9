/**
 * Time as the broker speaks of it: instants are epoch milliseconds (`…At`, `start`, `end` inside the code) and RFC 3339
 * texts in UTC on the wire; intervals are half-open.
 */

export const SECOND_MS = 1_000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

/** An instant in epoch milliseconds. */
export type EpochMs = number

/** The last instant that a `Date` can hold, a full hour: where something ends whose end nobody knows. */
export const END_OF_TIME: EpochMs = 8.64e15

/** Half-open: `start` belongs to it, `end` does not. */
export interface Interval {
  readonly start: EpochMs
  readonly end: EpochMs
}

/** The full hour at or before `at`. */
export const hourFloor = (at: EpochMs): EpochMs => Math.floor(at / HOUR_MS) * HOUR_MS

/** The full hour at or after `at`. */
export const hourCeil = (at: EpochMs): EpochMs => Math.ceil(at / HOUR_MS) * HOUR_MS

/** RFC 3339 in UTC, without a fraction where it is zero: `2026-12-01T00:00:00Z`. */
export const toIso = (at: EpochMs): string => new Date(at).toISOString().replace('.000Z', 'Z')

export const toIsoOrNull = (at: EpochMs | null): string | null => (at === null ? null : toIso(at))
