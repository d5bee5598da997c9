/** Who may come in: tokens by the client-credentials grant, kept in memory, because a lost one is simply asked for again. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { OperatorContext, SandboxRequest, SandboxResponse } from '../../../deploy/sandbox/harness.ts'
import { problem } from './wire.ts'

export interface Door {
  /** `POST /token`. */
  giveToken(request: SandboxRequest): SandboxResponse
  /** Null lets the request in. */
  turnAway(request: SandboxRequest): SandboxResponse | null
}

export interface Client {
  readonly id: string
  readonly secret: string
}

const TOKEN_LIFE_MS = 3_600_000

export function openDoor(client: Client, { now, behaviour }: Pick<OperatorContext, 'now' | 'behaviour'>): Door {
  const expiries = new Map<string, number>()
  const forgetExpired = (): void => {
    for (const [token, expiresAtMs] of expiries) if (expiresAtMs <= now()) expiries.delete(token)
  }
  return {
    giveToken({ headers, body }) {
      if (!isClient(headers.authorization ?? '', client)) {
        return { status: 401, headers: { 'www-authenticate': 'Basic' }, body: { error: 'invalid_client' } }
      }
      if (new URLSearchParams(body.toString('utf8')).get('grant_type') !== 'client_credentials') {
        return { status: 400, body: { error: 'unsupported_grant_type' } }
      }
      forgetExpired()
      const lifeMs = behaviour.tokenTtlMs ?? TOKEN_LIFE_MS
      const token = randomBytes(24).toString('base64url')
      expiries.set(token, now() + lifeMs)
      const granted = { access_token: token, token_type: 'Bearer', expires_in: Math.ceil(lifeMs / 1_000) }
      return { status: 200, headers: { 'cache-control': 'no-store' }, body: granted }
    },
    turnAway({ headers }) {
      const [scheme = '', token = ''] = (headers.authorization ?? '').split(' ')
      if (scheme.toLowerCase() === 'bearer' && (expiries.get(token) ?? 0) > now()) return null
      const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
      return problem(401, 'unauthenticated', { code: 'MR-401', detail: 'the token is not known', headers: challenge })
    },
  }
}

/** Both parts of HTTP Basic were form-encoded before they were put together (RFC 6749, 2.3.1), each library in its way. */
function isClient(authorization: string, client: Client): boolean {
  const [scheme = '', encoded = ''] = authorization.split(' ')
  if (scheme.toLowerCase() !== 'basic') return false
  const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  const text = (part: string): string | null => new URLSearchParams(`text=${part}`).get('text')
  const hash = (value: string | null): Buffer =>
    createHash('sha256')
      .update(value ?? '')
      .digest()
  return text(id) === client.id && timingSafeEqual(hash(text(secret)), hash(client.secret))
}
