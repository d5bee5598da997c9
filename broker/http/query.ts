/**
 * The query of a request as plain texts that PostgreSQL can be asked about: each member once, so that nobody has to guess
 * which of two counts.
 */
import { type FieldError, invalidRequest } from '../../shared/refusal.ts'
import { jsonPointer } from './validation.ts'

/**
 * @param url path and query, as in the request line
 * @throws Refusal `invalid-request` at `/name` for a repeated member, and for one with U+0000
 */
export function readQuery(url: string): Readonly<Record<string, string>> {
  const start = url.indexOf('?')
  if (start === -1) return {}
  const members = new Map<string, string>()
  const faults = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (value.includes('\0')) faults.set(name, 'must not contain U+0000')
    if (members.has(name)) faults.set(name, 'must be given only once')
    members.set(name, value)
  }
  if (faults.size > 0) {
    throw invalidRequest([...faults].map(([name, detail]): FieldError => ({ pointer: jsonPointer([name]), detail })))
  }
  return Object.fromEntries(members)
}

/** The path of a request line, without the query. */
export const pathOf = (url: string): string => url.split('?', 1)[0] ?? url
