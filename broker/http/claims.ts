/**
 * What a verified token, or an issuer's answer about an opaque one, says → the caller. A claim that we cannot read is
 * never taken for one that is absent: without its bound the caller would see everything.
 */
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import type { Caller } from '../app/command.ts'

export type Claims = Readonly<Record<string, unknown>>

/** The token is no good, and says why to whoever sent it. */
export const badToken = (detail: string): Refusal => new Refusal('unauthorized', detail, { error: 'invalid_token' })

const CLIENT_ID = /^[\x20-\x7e]{1,255}$/
const OWNER_ID = /^[A-Za-z0-9._-]{1,64}$/

/** @throws Refusal `unauthorized` */
export function callerFrom(claims: Claims): Caller {
  const clientId = claims['client_id'] ?? claims['azp'] ?? claims['sub']
  if (typeof clientId !== 'string' || !CLIENT_ID.test(clientId)) throw badToken('The token names no client.')
  return {
    clientId,
    scopes: scopesOf(claims),
    organizationId: boundOf(claims, 'organization_id'),
    providerId: boundOf(claims, 'provider_id'),
  }
}

/** `scope` (RFC 9068), else `scp` as other issuers write it: a text or a list. */
function scopesOf(claims: Claims): ReadonlySet<string> {
  const scope = claims['scope'] ?? claims['scp'] ?? ''
  if (typeof scope === 'string') return new Set(scope.split(' ').filter((name) => name !== ''))
  if (Array.isArray(scope) && scope.every((name) => typeof name === 'string')) return new Set(scope)
  throw badToken('The token’s scopes cannot be read.')
}

function boundOf(claims: Claims, name: string): string | null {
  const value = claims[name]
  if (value === undefined) return null
  if (typeof value === 'string' && OWNER_ID.test(value)) return value
  throw badToken(`The token’s claim ${name} cannot be read.`)
}

/** Clocks differ a little between machines. */
export const LEEWAY_SECONDS = 5

export interface Expected {
  readonly issuer: string
  readonly audience: string
  readonly now: EpochMs
}

/**
 * Times, issuer and audience of an introspected token, as far as they are given: the issuer has vouched for the rest.
 *
 * @throws Refusal `unauthorized`
 */
export function checkIntrospected(claims: Claims, { issuer, audience, now }: Expected): void {
  const { exp, nbf, iss, aud } = claims
  const nowSeconds = now / SECOND_MS
  if (exp !== undefined && !(typeof exp === 'number' && nowSeconds < exp + LEEWAY_SECONDS))
    throw badToken('The token has expired.')
  if (nbf !== undefined && !(typeof nbf === 'number' && nowSeconds >= nbf - LEEWAY_SECONDS)) {
    throw badToken('The token is not valid yet.')
  }
  if (iss !== undefined && iss !== issuer) throw badToken('The token is of another issuer.')
  if (aud !== undefined && ![aud].flat().includes(audience)) throw badToken('The token is for another audience.')
}

/** Only ID tokens have these; `typ` in the payload is how some issuers say it. */
const ID_TOKEN_CLAIMS = ['nonce', 'at_hash', 'c_hash', 's_hash']

/**
 * Refuses what is signed by the same keys and is no access token for us.
 *
 * @throws Refusal `unauthorized`
 */
export function checkKind(claims: Claims): void {
  const says = [claims['typ'], claims['token_use']].map(String)
  if (says.includes('ID') || says.includes('id') || ID_TOKEN_CLAIMS.some((name) => name in claims)) {
    throw badToken('This is an ID token, not an access token.')
  }
  if (says.includes('Refresh') || 'events' in claims) throw badToken('This is not an access token.')
  // Whoever carries a bound token has to prove the key, which a bearer cannot.
  if ('cnf' in claims) throw badToken('The token is bound to a key and cannot be used as a bearer token.')
}

/** When the token ends; null when it does not say. */
export const expiryOf = (claims: Claims): EpochMs | null =>
  typeof claims['exp'] === 'number' ? claims['exp'] * SECOND_MS : null
