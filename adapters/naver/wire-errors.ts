/**
 * What Naver's refusals mean. The gateway and the services behind it each have a shape of their own, in JSON or, where
 * the gateway forgot what was asked of it, in XML; all are read for a code and a message, and the rest is a table.
 */
import { type HttpAnswer, retryAfterMs } from '../http.ts'
import { type Effect, ProviderError, type ProviderErrorKind } from '../../shared/provider-error.ts'

/** What is known of return codes; the configuration adds to it. */
const KNOWN_CODES: Readonly<Record<string, ProviderErrorKind>> = {
  '1100031': 'busy', // the server is in operation
  '1101003': 'busy', // the storage of the server is in operation: stopped or terminated too early
  '1003016': 'busy', // public IP: the server is not ready for it
  '1080101': 'busy', // public IP: still initialising
  '25031': 'busy', // public IP: changing
  '25032': 'busy', // public IP: changing
  '23003': 'busy', // object in operation, from the time before VPCs
  '23006': 'busy', // likewise
  '25013': 'busy', // likewise
  '25017': 'busy', // likewise
  '3005004': 'quota-exceeded', // limit of servers of this kind, zero until support raises it
  '1015009': 'quota-exceeded', // limit of the VPC
  '28102': 'not-found', // public IP: not associated, so there is nothing to undo
}

/**
 * The gateway's codes for "too many calls", should they ever come under another status than 429. Its code 400 means the
 * same, but under any other status it looks too much like an HTTP status that somebody repeated.
 */
const GATEWAY_THROTTLE_CODES: ReadonlySet<string> = new Set(['410', '420'])

interface CodeLists {
  readonly outOfCapacityCodes: readonly string[]
  readonly quotaCodes: readonly string[]
  readonly busyCodes: readonly string[]
  readonly notFoundCodes: readonly string[]
}

interface Complaint {
  /** `gateway`: the request did not reach the service, or the service did not answer it. */
  readonly from: 'gateway' | 'service' | 'unknown'
  readonly code: string | null
  readonly message: string | null
}

/** The refusal in an answer, whatever its shape; null where the body says none. */
export function complaintIn(body: string): Complaint | null {
  const json = parsedObject(body)
  if (json !== null) return complaintInJson(json)
  return complaintInXml(body)
}

function parsedObject(body: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(body)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const textOf = (value: unknown): string | null =>
  typeof value === 'string' || typeof value === 'number' ? String(value) : null

function complaintInJson(json: Record<string, unknown>): Complaint | null {
  const gateway = json['error']
  if (isObject(gateway))
    return { from: 'gateway', code: textOf(gateway['errorCode']), message: textOf(gateway['message']) }
  const service = json['responseError']
  if (!isObject(service)) return null
  return {
    from: 'service',
    code: textOf(service['returnCode'] ?? service['responseCode']),
    message: textOf(service['returnMessage'] ?? service['responseMessage']),
  }
}

/** Enough for any refusal: an XML page beyond it is not one. */
const MAX_XML_CHARACTERS = 64 * 1024

function complaintInXml(body: string): Complaint | null {
  const xml = body.slice(0, MAX_XML_CHARACTERS)
  const gatewayCode = elementIn(xml, 'errorCode')
  if (gatewayCode !== null) return { from: 'gateway', code: gatewayCode, message: elementIn(xml, 'message') }
  const code = elementIn(xml, 'returnCode') ?? elementIn(xml, 'responseCode')
  if (code === null || code === '0') return null
  return { from: 'service', code, message: elementIn(xml, 'returnMessage') ?? elementIn(xml, 'responseMessage') }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&apos;': "'",
  '&amp;': '&',
}

/** The text of an element that holds only text, CDATA or not; null where there is none. */
function elementIn(xml: string, name: string): string | null {
  const match = new RegExp(`<${name}\\s*>\\s*(?:<!\\[CDATA\\[)?([^<\\]]*)`).exec(xml)
  if (match === null) return null
  return (match[1] as string).trim().replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity) // the pattern has one group
}

interface RefusedCall {
  readonly action: string
  /** Whether the call changes something: then an answer that settles nothing leaves `maybe`. */
  readonly changes: boolean
  readonly codes: CodeLists
  readonly nowMs: number
  /** How soon to ask again where the operator says "not yet", which it never says in numbers. */
  readonly busyRetryMs: number
  /** What must not be repeated even if the operator does. */
  readonly secrets: readonly string[]
}

/** An answer that is not a success → the error to throw. */
export function toProviderError(answer: HttpAnswer, call: RefusedCall): ProviderError {
  const complaint = complaintIn(answer.body) ?? { from: 'unknown', code: null, message: null }
  const kind = kindOf(answer.status, complaint, call.codes)
  return new ProviderError(kind, `${call.action} was answered with status ${answer.status}`, {
    effect: effectOf({ status: answer.status, kind, changes: call.changes }),
    code: complaint.code,
    providerMessage: withoutSecrets(complaint.message, call.secrets),
    retryAfterMs: retryAfterMs(answer, call.nowMs) ?? (kind === 'busy' ? call.busyRetryMs : null),
  })
}

function kindOf(status: number, complaint: Complaint, codes: CodeLists): ProviderErrorKind {
  if (status === 429) return 'throttled'
  if (status === 408) return 'unreachable' // the request did not arrive whole
  if (complaint.from === 'gateway') return gatewayKind(status, complaint.code)
  const known = complaint.code === null ? null : serviceKind(complaint.code, codes)
  if (known !== null) return known
  if (status >= 500) return 'unreachable'
  if (status === 401 || status === 403) return 'unauthenticated'
  if (status === 404 && complaint.from === 'service') return 'not-found'
  // Without a code, a 404 is an address that does not exist, not a server: a deletion must not take it for success.
  return status >= 400 || complaint.code !== null ? 'refused' : 'malformed'
}

function gatewayKind(status: number, code: string | null): ProviderErrorKind {
  if (code !== null && GATEWAY_THROTTLE_CODES.has(code)) return 'throttled'
  if (status >= 500) return 'unreachable'
  return status === 401 || status === 403 ? 'unauthenticated' : 'refused'
}

function serviceKind(code: string, codes: CodeLists): ProviderErrorKind | null {
  if (codes.outOfCapacityCodes.includes(code)) return 'out-of-capacity'
  if (codes.quotaCodes.includes(code)) return 'quota-exceeded'
  if (codes.busyCodes.includes(code)) return 'busy'
  if (codes.notFoundCodes.includes(code)) return 'not-found'
  return KNOWN_CODES[code] ?? null
}

/** A 4xx settles that nothing was done; so does the gateway's throttle, which never reaches the service. */
function effectOf(refusal: { status: number; kind: ProviderErrorKind; changes: boolean }): Effect {
  if (!refusal.changes || refusal.kind === 'throttled') return 'none'
  return refusal.status >= 400 && refusal.status < 500 ? 'none' : 'maybe'
}

function withoutSecrets(message: string | null, secrets: readonly string[]): string | null {
  if (message === null) return null
  return secrets.reduce((text, secret) => text.replaceAll(secret, '***'), message)
}
