/**
 * Why the broker says no to a caller: the codes of the wire contract. A `Refusal` is an answer, never logged as an
 * error; `broker/http/problem.ts` alone knows which status each code has.
 */

export const REFUSAL_CODES = [
  'invalid-request',
  'unauthorized',
  'insufficient-scope',
  'not-found',
  'method-not-allowed',
  'payload-too-large',
  'unsupported-media-type',
  'approval-unknown',
  'approval-revoked',
  'approval-exceeded',
  'demand-not-whole-nodes',
  'unsatisfiable',
  'no-capacity',
  'limit-below-committed',
  'invalid-inventory',
  'not-in-this-status',
  'too-many-webhooks',
  'idempotency-key-reused',
  'idempotency-in-flight',
  'events-gone',
  'stale',
  'rate-limited',
  'unavailable',
  'internal',
] as const

export type RefusalCode = (typeof REFUSAL_CODES)[number]

export interface FieldError {
  /** JSON pointer into the body (`/demand/nodes`), or to a member of the query (`/limit`); empty for the whole. */
  readonly pointer: string
  /** What it should be. */
  readonly detail: string
}

export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  /** Further members of the problem document: `errors`, `candidates`, `limit`, … */
  readonly members: Readonly<Record<string, unknown>>

  /** @param detail one sentence for the caller, with the figures */
  constructor(code: RefusalCode, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail)
    this.code = code
    this.members = members
  }
}

const sentenceOf = ({ pointer, detail }: FieldError): string => (pointer === '' ? detail : `${pointer}: ${detail}`)

export const invalidRequest = (errors: readonly FieldError[]): Refusal =>
  new Refusal('invalid-request', errors.map(sentenceOf).join('; '), { errors })
