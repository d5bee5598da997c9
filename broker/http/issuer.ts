/**
 * The issuer's metadata and its introspection, through openid-client. Discovered at first use and asked again after a
 * failure, so that the broker starts while the issuer is down.
 */
import * as oidc from 'openid-client'
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, HOUR_MS, SECOND_MS } from '../../shared/time.ts'
import type { Claims } from './claims.ts'
import { isLoopback } from '../../shared/url.ts'

export interface IssuerOptions {
  readonly issuer: string
  /** Null: opaque tokens are refused. */
  readonly introspection: { readonly clientId: string; readonly clientSecret: string } | null
  /** Allows an issuer over http if its host is loopback. */
  readonly allowInsecureLoopback: boolean
  readonly now: () => EpochMs
  readonly onFailure: (cause: unknown) => void
}

export interface Issuer {
  /** As the issuer spells its own name. @throws Refusal `unavailable` */
  name(): Promise<string>
  /** @throws Refusal `unavailable` */
  keysUrl(): Promise<URL>
  /** What the issuer says about an opaque token; null when it is not active. @throws Refusal `unavailable` */
  introspect(token: string): Promise<Claims | null>
}

const CALL_TIMEOUT_SECONDS = 5
const FAILURE_COOL_DOWN_MS = SECOND_MS
/** Tokens asked about at a time: whoever makes up tokens, or an issuer that hangs, must not take the places of all others. */
const MAX_ASKED = 64
/** Endpoints seldom move, and never without notice. */
const METADATA_FRESH_MS = HOUR_MS

const unavailable = (): Refusal =>
  new Refusal('unavailable', 'Tokens cannot be checked just now: the issuer does not answer.')

export function createIssuer(options: IssuerOptions): Issuer {
  const { introspection, now, onFailure } = options
  const url = new URL(options.issuer)
  const insecure = options.allowInsecureLoopback && isLoopback(url)
  let known: { readonly configuration: oidc.Configuration; readonly fetchedAt: EpochMs } | null = null
  let fetching: Promise<void> | null = null
  let failedAt = Number.NEGATIVE_INFINITY
  let asking = 0

  async function discover(): Promise<void> {
    try {
      // Basic is the one method that every issuer has to know (RFC 6749); without introspection nothing is asked.
      const authentication = introspection === null ? oidc.None() : oidc.ClientSecretBasic(introspection.clientSecret)
      const clientId = introspection?.clientId ?? 'gpu-broker'
      const configuration = await oidc.discovery(url, clientId, undefined, authentication, {
        timeout: CALL_TIMEOUT_SECONDS,
        execute: insecure ? [oidc.allowInsecureRequests] : [],
      })
      known = { configuration, fetchedAt: now() }
    } catch (cause) {
      failedAt = now()
      onFailure(cause)
    }
  }

  async function configuration(): Promise<oidc.Configuration> {
    const old = known === null || now() - known.fetchedAt >= METADATA_FRESH_MS
    if (old && now() - failedAt >= FAILURE_COOL_DOWN_MS) {
      fetching ??= discover().finally(() => {
        fetching = null
      })
      await fetching
    }
    if (known === null) throw unavailable()
    return known.configuration
  }

  return {
    name: async () => (await configuration()).serverMetadata().issuer,
    async keysUrl() {
      const text = (await configuration()).serverMetadata().jwks_uri
      if (text === undefined) throw unavailable()
      const keys = new URL(text)
      if (keys.protocol === 'https:' || (insecure && isLoopback(keys))) return keys
      onFailure(new Error('the issuer names a key set that is not served over https'))
      throw unavailable()
    },
    async introspect(token) {
      if (asking >= MAX_ASKED) throw unavailable()
      asking += 1
      try {
        const asked = await configuration()
        const answer = await oidc.tokenIntrospection(asked, token, { token_type_hint: 'access_token' })
        return answer.active ? { ...answer } : null
      } catch (cause) {
        if (cause instanceof Refusal) throw cause
        // Even a 4xx is about us, not about the token: an unknown token is an answer with `active: false`.
        onFailure(cause)
        throw unavailable()
      } finally {
        asking -= 1
      }
    },
  }
}
