/**
 * Refusals become problem documents (RFC 9457) here, and this is the only file that knows status codes: of refusals and
 * of successes alike.
 */
import type { Problem } from '../../shared/problem.ts'
import { REFUSAL_CODES, Refusal, type RefusalCode, invalidRequest } from '../../shared/refusal.ts'

export const SUCCESS_STATUS = { ok: 200, created: 201, accepted: 202, 'no-content': 204, 'not-modified': 304 } as const
export type Success = keyof typeof SUCCESS_STATUS

interface ProblemKind {
  readonly status: number
  readonly title: string
}

const PROBLEMS: Readonly<Record<RefusalCode, ProblemKind>> = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  unauthorized: { status: 401, title: 'A valid access token is needed' },
  'insufficient-scope': { status: 403, title: 'The token lacks a scope' },
  'not-found': { status: 404, title: 'There is no such thing here' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  'no-capacity': { status: 409, title: 'No capacity for the period' },
  'limit-below-committed': { status: 409, title: 'The limit is below what is committed' },
  'not-in-this-status': { status: 409, title: 'Not possible in this status' },
  'too-many-webhooks': { status: 409, title: 'There are as many webhooks as there may be' },
  'idempotency-in-flight': { status: 409, title: 'The same request is still being answered' },
  'events-gone': { status: 410, title: 'The events after this number are no longer kept' },
  stale: { status: 412, title: 'The resource has changed since it was read' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body is of another media type' },
  'approval-unknown': { status: 422, title: 'The approval is unknown' },
  'approval-revoked': { status: 422, title: 'The approval is revoked' },
  'approval-exceeded': { status: 422, title: 'More than the approval allows' },
  'demand-not-whole-nodes': { status: 422, title: 'The demand is not a number of whole nodes' },
  unsatisfiable: { status: 422, title: 'No cluster could ever serve this' },
  'invalid-inventory': { status: 422, title: 'The inventory’s file is not valid' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key belongs to another request' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  internal: { status: 500, title: 'The broker failed' },
  unavailable: { status: 503, title: 'The broker cannot answer just now' },
}

export const statusOf = (code: RefusalCode): number => PROBLEMS[code].status
export const titleOf = (code: RefusalCode): string => PROBLEMS[code].title
export const typeOf = (code: RefusalCode): string => `/problems/${code}`
export const isRefusalCode = (text: string): text is RefusalCode => REFUSAL_CODES.some((code) => code === text)

/** What never becomes a request, by Node's code of it; anything else is no HTTP. */
export const BROKEN_REQUESTS: Readonly<Record<string, { readonly status: number; readonly detail: string }>> = {
  HPE_HEADER_OVERFLOW: { status: 431, detail: 'The request line and headers are larger than 32 KiB.' },
  ERR_HTTP_REQUEST_TIMEOUT: { status: 408, detail: 'The request took too long to arrive.' },
}
export const NOT_HTTP = { status: 400, detail: 'This is not an HTTP request.' } as const
export const NO_HOST = { status: 400, detail: 'An HTTP/1.1 request names its host.' } as const
export const TWO_HOSTS = { status: 400, detail: 'A request names its host only once.' } as const
export const UNKNOWN_EXPECTATION = { status: 417, detail: 'Of all expectations only 100-continue is met.' } as const

/** The problem document of what never reached a route, and so has no path. */
export const brokenProblem = ({ status, detail }: { readonly status: number; readonly detail: string }): Problem => ({
  ...problemOf(invalidRequest([{ pointer: '', detail }]), '').body,
  status,
  detail,
})

/** The status of `/readyz`. */
export const readinessStatus = (ok: boolean): number => (ok ? SUCCESS_STATUS.ok : PROBLEMS.unavailable.status)

export interface ProblemAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: Problem
}

/** @param instance path of the request */
export function problemOf(refusal: Refusal, instance: string): ProblemAnswer {
  const { code, message, members } = refusal
  return {
    status: statusOf(code),
    headers: headersOf(refusal),
    // A refusal's own members come first: none of them may take the place of a standard one.
    body: {
      ...members,
      type: typeOf(code),
      title: titleOf(code),
      status: statusOf(code),
      detail: message,
      instance,
      code,
    },
  }
}

/** What is not a refusal is a bug, or a dependency that is away and will be back: the caller learns no more than that. */
export function asRefusal(error: unknown, isPassing = false): Refusal {
  if (error instanceof Refusal) return error
  return isPassing
    ? new Refusal('unavailable', 'The broker cannot answer just now. What was asked for may have been done: ask again.')
    : new Refusal('internal', 'The broker failed to answer. Its log has the cause under this request id.')
}

/** How long a caller waits before asking again what cannot be answered now. */
const RETRY_AFTER_SECONDS = 5
const RETRY_LATER: ReadonlySet<RefusalCode> = new Set(['unavailable', 'idempotency-in-flight'])

function headersOf({ code, message, members }: Refusal): Record<string, string> {
  if (code === 'unauthorized') return { 'WWW-Authenticate': challenge(members['error'], message) }
  if (code === 'insufficient-scope') {
    const { scope } = members
    const wanted = typeof scope === 'string' ? `, scope="${scope}"` : '' // a caller who is bound needs no other scope
    return { 'WWW-Authenticate': `${challenge('insufficient_scope', message)}${wanted}` }
  }
  if (RETRY_LATER.has(code)) return { 'Retry-After': String(RETRY_AFTER_SECONDS) }
  return {}
}

/** RFC 6750: a request without a token gets no error code. */
function challenge(error: unknown, description: string): string {
  const realm = 'Bearer realm="gpu-broker"'
  if (typeof error !== 'string') return realm
  const quotable = description.replaceAll(/[^\x20-\x7e]|["\\]/g, "'")
  return `${realm}, error="${error}", error_description="${quotable}"`
}
