/**
 * The words that reasons are written in. Instants come out as `toIso` of `shared/time.ts` writes them, by integer
 * arithmetic alone: a decision writes some ten of them, and through `Date` they would cost more than all the rest of it.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, type EpochMs } from '../../shared/time.ts'

const DAYS_IN_400_YEARS = 146_097
/** Days from 0000-03-01, where the leap day comes last in its year, to 1970-01-01. */
const DAYS_BEFORE_EPOCH = 719_468

const two = (value: number): string => (value < 10 ? `0${value}` : `${value}`)

/** `2026-12-01T00:00:00Z`; the fraction, where there is one, in milliseconds. For the years 1000 to 9999. */
export function instantText(at: EpochMs): string {
  const days = Math.floor(at / DAY_MS)
  const inDay = at - days * DAY_MS
  const fraction = inDay % SECOND_MS
  const time = `${two(Math.floor(inDay / HOUR_MS))}:${two(Math.floor(inDay / MINUTE_MS) % 60)}:${two(Math.floor(inDay / SECOND_MS) % 60)}`
  return `${dateText(days + DAYS_BEFORE_EPOCH)}T${time}${fraction === 0 ? '' : `.${String(fraction).padStart(3, '0')}`}Z`
}

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

/** `1 node`, `64 nodes`. */
export const nodesText = (nodes: number): string => (nodes === 1 ? '1 node' : `${nodes} nodes`)

export const areText = (nodes: number): string => (nodes === 1 ? 'is' : 'are')
