/** How single options are read: numbers, instants, repeatable ones. Errors name what the option should be. */
import { type Command, InvalidArgumentError } from 'commander'
import { toIso } from '../../../shared/time.ts'
import type { Io } from '../io.ts'

type Words = Pick<Io, 't'>

export const wholeNumber =
  ({ t }: Words) =>
  (text: string): number => {
    if (!/^[0-9]{1,9}$/.test(text) || Number(text) < 1)
      throw new InvalidArgumentError(t('It must be a whole number above 0.'))
    return Number(text)
  }

export const fromZero =
  ({ t }: Words) =>
  (text: string): number => {
    if (!/^[0-9]{1,9}$/.test(text)) throw new InvalidArgumentError(t('It must be a whole number, 0 or more.'))
    return Number(text)
  }

export const positiveNumber =
  ({ t }: Words) =>
  (text: string): number => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError(t('It must be a number above 0.'))
    return value
  }

/** `now`, a day (its first instant in UTC), or an RFC 3339 time. */
export const instantOption =
  ({ now, t }: Words & Pick<Io, 'now'>) =>
  (text: string): string => {
    if (text === 'now') return toIso(now())
    if (/^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))) return `${text}T00:00:00Z`
    if (/T.*(Z|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text))) return text
    throw new InvalidArgumentError(
      t('It must be "now", a day such as 2026-12-01, or a time such as 2026-12-01T09:00:00+09:00.'),
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
export const keyValue =
  ({ t }: Words) =>
  (text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> => {
    const cut = text.indexOf('=')
    if (cut < 1) throw new InvalidArgumentError(t('It must be key=value.'))
    return { ...before, [text.slice(0, cut)]: text.slice(cut + 1) }
  }

export interface LimitOption {
  readonly limit: number
}

const DEFAULT_LIMIT = 200

/** Of lists that may be longer than anybody reads. */
export const addLimit = (command: Command, io: Io, atMost = DEFAULT_LIMIT): Command =>
  command.option('--limit <n>', io.t('at most so many'), wholeNumber(io), atMost)

export interface ReasonOption {
  readonly reason?: string
}

export const addReason = (command: Command, { t }: Words): Command =>
  command.option('--reason <text>', t('why, for the audit trail'))

/** The body of an action that may say why. */
export const reasonOf = ({ reason }: ReasonOption): ReasonOption => (reason === undefined ? {} : { reason })
