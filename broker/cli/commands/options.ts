/** How single options are read: numbers, instants, repeatable ones. Errors name what the option should be. */
import { InvalidArgumentError } from 'commander'
import { toIso } from '../../../shared/time.ts'

export function wholeNumber(text: string): number {
  if (!/^[0-9]{1,9}$/.test(text) || Number(text) < 1)
    throw new InvalidArgumentError('It must be a whole number above 0.')
  return Number(text)
}

export function positiveNumber(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It must be a number above 0.')
  return value
}

/** `now`, a day (its first instant in UTC), or an RFC 3339 time. */
export const instantOption =
  (now: () => number) =>
  (text: string): string => {
    if (text === 'now') return toIso(now())
    if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return `${text}T00:00:00Z`
    if (/T.*(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text))) return text
    throw new InvalidArgumentError(
      'It must be "now", a day such as 2026-12-01, or a time such as 2026-12-01T09:00:00+09:00.',
    )
  }

/** An option that may be given several times, or with commas. */
export const repeated = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  ...text.split(',').map((part) => part.trim()),
]

/** An option that may be given several times, commas belonging to it. */
export const repeatedWhole = (text: string, before: readonly string[] = []): readonly string[] => [...before, text]

/** `key=value`, gathered into one record. */
export function keyValue(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const cut = text.indexOf('=')
  if (cut < 1) throw new InvalidArgumentError('It must be key=value.')
  return { ...before, [text.slice(0, cut)]: text.slice(cut + 1) }
}
