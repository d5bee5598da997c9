/** The `Idempotency-Key` header → what a use case needs to tell a repetition from a new request. */
import { createHash } from 'node:crypto'
import { invalidRequest } from '../../shared/refusal.ts'
import type { Idempotency } from '../app/command.ts'

const VISIBLE_ASCII = /^[\x21-\x7e]{1,255}$/

/**
 * The key; null for none.
 *
 * @throws Refusal `invalid-request`
 */
export function idempotencyKey(header: string | undefined): string | null {
  if (header === undefined) return null
  if (VISIBLE_ASCII.test(header)) return header
  throw invalidRequest([{ pointer: '', detail: 'header Idempotency-Key must be 1 to 255 visible ASCII characters' }])
}

interface Digested {
  readonly key: string
  readonly method: string
  /** Without the query. */
  readonly path: string
  /** Parsed; undefined for none. */
  readonly body: unknown
}

/** The digest does not depend on white space or on the order of members: neither changes what is asked for. */
export function idempotencyOf({ key, method, path, body }: Digested): Idempotency {
  const asked = `${method} ${path}\n${canonicalJson(body)}`
  return { key, digest: createHash('sha256').update(asked).digest('hex') }
}

/** Members sorted by name. Depth is bounded by whoever parsed the value. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? ''
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`
}
