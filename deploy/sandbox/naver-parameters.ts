/**
 * The parameters of a call, from the query or the form alike: `name`, `name.N` (N from 1) and `name.N.member`. Names that
 * an action does not know are ignored, as the operator's own clients of different ages send different ones.
 */
import { invalidParameter } from './naver-errors.ts'
import type { Format } from './naver-wire.ts'

export interface Parameters {
  /** Null where it is missing or empty: this API makes no difference. */
  text(name: string): string | null
  required(name: string): string
  integer(name: string, range: { readonly min: number; readonly max: number }): number | null
  flag(name: string): boolean | null
  /** `name.1`, `name.2`, … in the order of their numbers; gaps are passed over. */
  list(name: string): readonly string[]
  /** `name.1.member`, …: the parameters of each element. */
  records(name: string): readonly Parameters[]
}

const MAX_LIST = 1_000

interface Sent {
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: { readonly 'content-type'?: string | undefined }
  readonly body: Buffer
}

/** All parameters of a call, those of the form before those of the query; null for a body that is not a form. */
export function readForm({ method, query, headers, body }: Sent): Parameters | null {
  const values = new Map(query)
  if (method === 'POST' && body.length > 0) {
    if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) return null
    for (const [name, value] of new URLSearchParams(body.toString('utf8'))) values.set(name, value)
  }
  return parameters(values)
}

export const formatOf = (given: Parameters): Format =>
  given.text('responseFormatType')?.toLowerCase() === 'json' ? 'json' : 'xml'

export function parameters(values: ReadonlyMap<string, string>): Parameters {
  const text = (name: string): string | null => {
    const value = values.get(name)
    return value === undefined || value === '' ? null : value
  }
  return {
    text,
    required(name) {
      const value = text(name)
      if (value === null) throw invalidParameter(name, 'is required.')
      return value
    },
    integer(name, { min, max }) {
      const value = text(name)
      if (value === null) return null
      const number = Number(value)
      if (!/^-?\d{1,12}$/.test(value) || number < min || number > max) {
        throw invalidParameter(name, `must be an integer from ${min} to ${max}.`)
      }
      return number
    },
    flag(name) {
      const value = text(name)?.toLowerCase() ?? null
      if (value === null) return null
      if (value !== 'true' && value !== 'false') throw invalidParameter(name, 'must be true or false.')
      return value === 'true'
    },
    list: (name) => numbers(values, name).flatMap((n) => text(`${name}.${n}`) ?? []),
    records: (name) => numbers(values, name).map((n) => parameters(under(values, `${name}.${n}.`))),
  }
}

/** The N of `name.N…` that occur, ascending. */
function numbers(values: ReadonlyMap<string, string>, name: string): number[] {
  const found = new Set<number>()
  for (const key of values.keys()) {
    if (!key.startsWith(`${name}.`)) continue
    const match = /^[1-9]\d{0,5}/.exec(key.slice(name.length + 1))
    if (match !== null) found.add(Number(match[0]))
  }
  if (found.size > MAX_LIST) throw invalidParameter(name, `holds more than ${MAX_LIST} elements.`)
  return [...found].sort((a, b) => a - b)
}

function under(values: ReadonlyMap<string, string>, prefix: string): Map<string, string> {
  const members = [...values].filter(([key]) => key.startsWith(prefix))
  return new Map(members.map(([key, value]) => [key.slice(prefix.length), value]))
}
