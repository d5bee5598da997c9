/** Months in UTC, as usage is settled by. */
import type { Interval } from '../../shared/time.ts'

/** @param period `2026-12` */
export function monthOf(period: string): Interval {
  const [year = 0, month = 1] = period.split('-').map(Number)
  return { start: Date.UTC(year, month - 1), end: Date.UTC(year, month) }
}
