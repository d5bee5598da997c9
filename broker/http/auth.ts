/**
 * The `Authorization` header → who asks. JWT access tokens are verified with the issuer's keys, opaque ones by asking the
 * issuer. What is remembered is remembered for a minute at most, so a revoked opaque token lives no longer than that; a JWT
 * for half of it, which with the age that keys may have is a minute for one whose key was withdrawn.
 */
import { type JWTVerifyGetKey, decodeProtectedHeader, errors, jwtVerify } from 'jose'
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { Caller } from '../app/command.ts'
import { type Claims, LEEWAY_SECONDS, badToken, callerFrom, checkIntrospected, checkKind, expiryOf } from './claims.ts'
import { type Issuer, type IssuerOptions, createIssuer } from './issuer.ts'
import { createKeySet, type IssuerState } from './key-set.ts'
import { type Remembered, createTokenCache } from './token-cache.ts'

export interface AuthenticatorOptions extends IssuerOptions {
  /** What a token's `aud` must contain. */
  readonly audience: string
}

/**
 * @param authorization the header as it came
 * @throws Refusal `unauthorized`; `unavailable` when the issuer would have to be asked and does not answer
 */
export type Authenticate = (authorization: string | undefined) => Promise<Caller>

export type Authenticator = Authenticate & {
  /** Whether the issuer hands out its keys. Tokens are verified with those that are known when it does not. */
  issuer(): IssuerState
}

/** Asymmetric ones only: with HMAC the issuer's public key would be the secret. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** `at+jwt` is RFC 9068; many issuers still say `JWT`, or nothing. */
const TYPES = new Set(['at+jwt', 'application/at+jwt', 'jwt', 'application/jwt', ''])

const MAX_TOKEN_CHARACTERS = 16 * 1024
const MAX_REMEMBERED = 10_000
const JWT_REMEMBERED_MS = 30 * SECOND_MS
const OPAQUE_REMEMBERED_MS = MINUTE_MS
/** An opaque token that is not active never becomes so, but whoever mistypes one should not wait long either. */
const INACTIVE_REMEMBERED_MS = 10 * SECOND_MS

const BEARER = /^Bearer +([A-Za-z0-9._~+/-]+=*) *$/i

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { now } = options
  const issuer = createIssuer(options)
  const keys = createKeySet({ url: () => issuer.keysUrl(), now, onFailure: options.onFailure })
  const good = createTokenCache<Caller>({ maxEntries: MAX_REMEMBERED, now })
  // Apart from the good ones, so that made-up tokens cannot push those out.
  const inactive = createTokenCache<Claims | null>({ maxEntries: MAX_REMEMBERED, now })
  const judge: Judge = { issuer, keys, audience: options.audience, now }

  async function ask(token: string): Promise<Remembered<Claims | null>> {
    const claims = await issuer.introspect(token)
    return { value: claims, until: claims === null ? now() + INACTIVE_REMEMBERED_MS : now() }
  }

  async function look(token: string): Promise<Remembered<Caller>> {
    if (isJwt(token)) return await verify(token, judge)
    if (options.introspection === null) throw badToken('The token is not a JWT, and this broker takes no others.')
    const claims = await inactive.recall(token, () => ask(token))
    if (claims === null) throw badToken('The token is not active.')
    return await introspected(claims, judge)
  }

  const authenticate: Authenticate = async (authorization) => {
    const token = tokenOf(authorization)
    return await good.recall(token, () => look(token))
  }
  return Object.assign(authenticate, { issuer: () => keys.state() })
}

function tokenOf(authorization: string | undefined): string {
  if (authorization === undefined || !/^Bearer\b/i.test(authorization)) {
    throw new Refusal('unauthorized', 'This needs an access token: Authorization: Bearer …')
  }
  if (authorization.length > MAX_TOKEN_CHARACTERS) throw badToken('The token is too long.')
  const token = BEARER.exec(authorization)?.[1]
  if (token === undefined) throw badToken('The Authorization header holds no bearer token.')
  return token
}

/** Whatever has the shape of one, broken ones too: an issuer that is asked about such a token may not answer the question. */
function isJwt(token: string): boolean {
  if (token.split('.').length !== 3) return false
  try {
    decodeProtectedHeader(token)
    return true
  } catch {
    return false
  }
}

interface Judge {
  readonly issuer: Issuer
  readonly keys: JWTVerifyGetKey
  readonly audience: string
  readonly now: () => EpochMs
}

async function verify(token: string, { issuer, keys, audience, now }: Judge): Promise<Remembered<Caller>> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: await issuer.name(),
      audience,
      algorithms: ALGORITHMS,
      clockTolerance: LEEWAY_SECONDS,
      currentDate: new Date(now()),
      requiredClaims: ['exp'],
    })
    if (!TYPES.has((protectedHeader.typ ?? '').toLowerCase())) throw badToken('This is not an access token.')
    checkKind(payload)
    return remember(callerFrom(payload), expiryOf(payload), now() + JWT_REMEMBERED_MS)
  } catch (error) {
    throw error instanceof errors.JOSEError ? badToken(reasonOf(error)) : error
  }
}

async function introspected(claims: Claims, judge: Judge): Promise<Remembered<Caller>> {
  const now = judge.now()
  checkIntrospected(claims, { issuer: await judge.issuer.name(), audience: judge.audience, now })
  checkKind(claims)
  return remember(callerFrom(claims), expiryOf(claims), now + OPAQUE_REMEMBERED_MS)
}

const remember = (caller: Caller, expiresAt: EpochMs | null, atMost: EpochMs): Remembered<Caller> => ({
  value: caller,
  until: Math.min(expiresAt ?? Number.POSITIVE_INFINITY, atMost),
})

/** One sentence per kind of fault; jose's own texts are for programmers. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'The token has expired.'
  if (error instanceof errors.JWTClaimValidationFailed) {
    const { claim, reason } = error
    if (claim === 'nbf' && reason === 'check_failed') return 'The token is not valid yet.'
    return reason === 'missing' ? `The token has no claim ${claim}.` : `The token’s claim ${claim} does not fit.`
  }
  return 'The token’s signature cannot be verified.'
}
