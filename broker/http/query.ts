/** The query of a request as plain texts: each member once, so that nobody has to guess which of two counts. */
import { type FieldError, invalidRequest } from '../../shared/refusal.ts'
import { jsonPointer } from './validation.ts'

/**
 * @param url path and query, as in the request line
 * @throws Refusal `invalid-request` at `?name` for a repeated member
 */
export function readQuery(url: string): Readonly<Record<string, string>> {
  const start = url.indexOf('?')
  if (start === -1) return {}
  const members = new Map<string, string>()
  const repeated = new Set<string>()
  for (const [name, value] of new URLSearchParams(url.slice(start + 1))) {
    if (members.has(name)) repeated.add(name)
    members.set(name, value)
  }
  if (repeated.size > 0) {
    const errors = [...repeated].map(
      (name): FieldError => ({ pointer: jsonPointer([name]), detail: 'must be given only once' }),
    )
    throw invalidRequest(errors)
  }
  return Object.fromEntries(members)
}

/** The path of a request line, without the query. */
export const pathOf = (url: string): string => url.split('?', 1)[0] ?? url
