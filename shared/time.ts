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

const FIRST_SHORT_YEAR = Date.parse('1000-01-01T00:00:00Z')
const LAST_SHORT_YEAR = Date.parse('9999-12-31T23:59:59.999Z')

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

/**
 * RFC 3339 in UTC, without a fraction where it is zero: `2026-12-01T00:00:00Z`. By integer arithmetic, which takes a fifth
 * of the time that `Date` does: a decision writes ten of them, a list of fifty allocations hundreds.
 *
 * @throws RangeError for what is no instant
 */
export function toIso(at: EpochMs): string {
  if (!(at >= FIRST_SHORT_YEAR && at <= LAST_SHORT_YEAR)) return new Date(at).toISOString().replace('.000Z', 'Z')
  const days = Math.floor(at / DAY_MS)
  const inDay = at - days * DAY_MS
  const fraction = inDay % SECOND_MS
  const time = `${two(Math.floor(inDay / HOUR_MS))}:${two(Math.floor(inDay / MINUTE_MS) % 60)}:${two(Math.floor(inDay / SECOND_MS) % 60)}`
  return `${dateText(days + DAYS_BEFORE_EPOCH)}T${time}${fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`}Z`
}

const DAYS_IN_400_YEARS = 146_097
/** Days from 0000-03-01, where the leap day comes last in its year, to 1970-01-01. */
const DAYS_BEFORE_EPOCH = 719_468

export const toIsoOrNull = (at: EpochMs | null): string | null => (at === null ? null : toIso(at))

/** @param days since 0000-03-01 of the proleptic Gregorian calendar */
function dateText(days: number): string {
  const cycle = Math.floor(days / DAYS_IN_400_YEARS)
  const dayOfCycle = days - cycle * DAYS_IN_400_YEARS
  const leapDays = Math.floor(dayOfCycle / 1_460) - Math.floor(dayOfCycle / 36_524) + Math.floor(dayOfCycle / 146_096)
  const year = Math.floor((dayOfCycle - leapDays) / 365)
  const dayOfYear = dayOfCycle - (365 * year + Math.floor(year / 4) - Math.floor(year / 100))
  // Months from March on: 31, 30, 31, 30, 31 repeats, which is what 153 days in 5 months say.
  const month = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * month + 2) / 5) + 1
  const january = month >= 10
  return `${year + cycle * 400 + (january ? 1 : 0)}-${two(january ? month - 9 : month + 3)}-${two(day)}`
}
