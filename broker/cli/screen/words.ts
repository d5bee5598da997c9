/** Figures as people read them. */
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../../shared/time.ts'

const NUMBER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 })

export const NONE = '–'

/** `4,080`. */
export const count = (value: number): string => NUMBER.format(value)

/** `2026-12-01 00:00`, in UTC; a column's head or the sentence says so. */
export const instant = (text: string | null): string =>
  text === null ? NONE : new Date(text).toISOString().slice(0, 16).replace('T', ' ')

export const orNone = (text: string | null): string => text ?? NONE

/** `420 ms`, `2.1 s`, `3 min 5 s`, `4 h 10 min`, `12 d 3 h`: two figures at most. */
export function duration(ms: number): string {
  if (ms < SECOND_MS) return `${Math.round(ms)} ms`
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(1)} s`
  if (ms < HOUR_MS) return two(ms, MINUTE_MS, 'min', SECOND_MS, 's')
  return ms < DAY_MS ? two(ms, HOUR_MS, 'h', MINUTE_MS, 'min') : two(ms, DAY_MS, 'd', HOUR_MS, 'h')
}

function two(ms: number, largeMs: number, large: string, smallMs: number, small: string): string {
  const rest = Math.floor((ms % largeMs) / smallMs)
  const whole = `${Math.floor(ms / largeMs)} ${large}`
  return rest === 0 ? whole : `${whole} ${rest} ${small}`
}
