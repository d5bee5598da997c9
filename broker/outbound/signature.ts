/** Signatures as the Standard Webhooks specification has them: HMAC-SHA256 over id, timestamp and body. */
import { createHmac } from 'node:crypto'

export interface Signed {
  /** The event's id: the same in each attempt, so that a receiver knows what it has had. */
  readonly id: string
  readonly timestampSeconds: number
  readonly body: string
}

/** @param secrets `whsec_` and the key in base64; each gives a signature, and a receiver takes any that it knows */
export function signatureHeaders(signed: Signed, secrets: readonly string[]): Record<string, string> {
  const { id, timestampSeconds, body } = signed
  const signatures = secrets.map((secret) => {
    const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
    return `v1,${createHmac('sha256', key).update(`${id}.${timestampSeconds}.${body}`).digest('base64')}`
  })
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.join(' '),
  }
}
