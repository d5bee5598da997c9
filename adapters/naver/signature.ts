/** The gateway's signature, version 2: what is signed, and the headers that carry it. A request's body is not signed. */
import { createHmac } from 'node:crypto'

interface SignedRequest {
  readonly method: string
  /** Path and query exactly as they are transmitted: `%20` and `+` give different signatures. */
  readonly target: string
  readonly timestampMs: number
  readonly accessKey: string
  readonly secretKey: string
}

/** Base64 of HMAC-SHA256 over three lines: method and target, timestamp, access key. */
export function signatureOf({ method, target, timestampMs, accessKey, secretKey }: SignedRequest): string {
  const text = `${method} ${target}\n${timestampMs}\n${accessKey}`
  return createHmac('sha256', secretKey).update(text).digest('base64')
}

export const signatureHeaders = (request: SignedRequest): Record<string, string> => ({
  'x-ncp-apigw-timestamp': String(request.timestampMs),
  'x-ncp-iam-access-key': request.accessKey,
  'x-ncp-apigw-signature-v2': signatureOf(request),
})
