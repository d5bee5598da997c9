/** `?from=&to=` of a query → the range that is meant. */
import { z } from 'zod'
import { invalidRequest } from '../../shared/refusal.ts'
import { Instant } from '../../shared/text.ts'
import { DAY_MS, type EpochMs } from '../../shared/time.ts'
import type { Range } from '../app/command.ts'

const DEFAULT_LENGTH_MS = 90 * DAY_MS
export const MAX_YEARS = 3

/** A `+` that was not escaped arrives as a space; no time has one, so what was meant is plain. */
export const InstantInQuery = z.preprocess(
  (value) => (typeof value === 'string' ? value.replace(/ (\d\d:\d\d)$/, '+$1') : value),
  Instant,
)

export const AvailabilityQuery = z.strictObject({
  from: InstantInQuery.optional().meta({ description: 'Default: now.', example: '2026-12-01T00:00:00Z' }),
  to: InstantInQuery.optional().meta({
    description: 'At most 3 years after `from`; default: 90 days after it.',
    example: '2027-03-01T00:00:00Z',
  }),
})

/** @throws Refusal `invalid-request` for a range that is empty or longer than three years */
export function rangeOf(query: z.infer<typeof AvailabilityQuery>, now: EpochMs): Range {
  const from = query.from === undefined ? now : Date.parse(query.from)
  const to = query.to === undefined ? from + DEFAULT_LENGTH_MS : Date.parse(query.to)
  assertWithinYears({ from, to })
  return { from, to }
}

/**
 * Of a list whose range may be open at either end: null there.
 *
 * @throws Refusal `invalid-request` for a range that is empty
 */
export function openRangeOf(query: z.infer<typeof AvailabilityQuery>): { from: EpochMs | null; to: EpochMs | null } {
  const from = query.from === undefined ? null : Date.parse(query.from)
  const to = query.to === undefined ? null : Date.parse(query.to)
  if (from !== null && to !== null) assertNotEmpty({ from, to })
  return { from, to }
}

function assertNotEmpty({ from, to }: Range): void {
  if (to <= from) throw invalidRequest([{ pointer: '/to', detail: 'must be after from' }])
}

/** @throws Refusal `invalid-request` at `/to` for a range that is empty or longer than three years */
export function assertWithinYears(range: Range): void {
  assertNotEmpty(range)
  const latest = new Date(range.from)
  latest.setUTCFullYear(latest.getUTCFullYear() + MAX_YEARS)
  if (range.to > latest.getTime()) {
    throw invalidRequest([{ pointer: '/to', detail: `must be at most ${MAX_YEARS} years after from` }])
  }
}
