/**
 * The gateway's signature, version 2: which key signed this request, and whether it is recent. The bytes that are signed
 * are the request target exactly as transmitted (escapes and order of parameters included); a form body is not signed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** Beyond it, in either direction, a timestamp is refused. */
const MAX_SKEW_MS = 300_000

/** The operator's own SDK still sends the older name, with the very same algorithm. */
const SIGNATURE_HEADERS = ['x-ncp-apigw-signature-v2', 'x-ncp-apigw-signature-v1'] as const

interface Signable {
  /** Upper case. */
  readonly method: string
  /** Path and query, exactly as transmitted. */
  readonly target: string
  /** Epoch milliseconds, in the very characters of the header. */
  readonly timestamp: string
  readonly accessKey: string
}

/** Base64 of HMAC-SHA256 over three lines, without a line feed at the end. */
export const sign = ({ method, target, timestamp, accessKey }: Signable, secretKey: string): string =>
  createHmac('sha256', secretKey).update(`${method} ${target}\n${timestamp}\n${accessKey}`).digest('base64')

interface SignedRequest {
  readonly method: string
  readonly target: string
  readonly headers: IncomingHttpHeaders
}

/** The access key whose signature the request carries, or null: missing, unknown, wrong or too old are all one answer. */
export function authenticate(
  request: SignedRequest,
  { secretOf, nowMs }: { readonly secretOf: (accessKey: string) => string | null; readonly nowMs: number },
): string | null {
  const timestamp = header(request.headers, 'x-ncp-apigw-timestamp')
  const accessKey = header(request.headers, 'x-ncp-iam-access-key')
  if (timestamp === null || accessKey === null || !/^\d{1,15}$/.test(timestamp)) return null
  if (Math.abs(nowMs - Number(timestamp)) > MAX_SKEW_MS) return null
  const secretKey = secretOf(accessKey)
  if (secretKey === null) return null
  const wanted = sign({ method: request.method, target: request.target, timestamp, accessKey }, secretKey)
  const offered = SIGNATURE_HEADERS.map((name) => header(request.headers, name)).find((value) => value !== null)
  return offered !== undefined && offered !== null && sameText(offered, wanted) ? accessKey : null
}

const header = (headers: IncomingHttpHeaders, name: string): string | null => {
  const value = headers[name]
  return typeof value === 'string' && value !== '' ? value : null
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)]
  return a.length === b.length && timingSafeEqual(a, b)
}
