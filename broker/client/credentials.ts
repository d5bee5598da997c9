/** Access tokens for calls to the broker: one that is given, or one by the client-credentials grant, reused while fresh. */
import * as oidc from 'openid-client'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import { TokenError } from './problem-error.ts'
import { isLoopback } from '../../shared/url.ts'

export interface TokenSource {
  /** @throws TokenError */
  token(): Promise<string>
  /** The broker did not take this one: the next call gets another, if there is one. @returns whether there may be */
  forget(token: string): boolean
}

export interface ClientCredentials {
  /** Its host must be loopback if it is http. */
  readonly issuer: string
  readonly clientId: string
  readonly clientSecret: string
  /** Space-separated; left out, the issuer gives what the client may have. */
  readonly scope?: string
  /** Epoch ms; default the wall clock. */
  readonly now?: () => EpochMs
}

const CALL_TIMEOUT_SECONDS = 10
/** A token is renewed so long before its end, so that none runs out on its way. */
const EARLIER_MS = 30 * SECOND_MS
/** An issuer that does not say how long its token lasts. */
const ASSUMED_LIFE_MS = 5 * MINUTE_MS

/** Whether a text is the URL of something on this machine. */
export function isOnLoopback(text: string): boolean {
  const url = URL.parse(text)
  return url !== null && isLoopback(url)
}

export const fixedToken = (token: string): TokenSource => ({ token: async () => token, forget: () => false })

interface Kept {
  readonly token: string
  readonly freshUntil: EpochMs
}

/** Asks at first use; callers at the same time share one request, and a failure is not kept. */
export function clientCredentials(credentials: ClientCredentials): TokenSource {
  const now = credentials.now ?? Date.now
  let configuration: oidc.Configuration | null = null
  let kept: Kept | null = null
  let asking: Promise<Kept> | null = null

  async function ask(): Promise<Kept> {
    try {
      configuration ??= await discover(credentials)
      const { scope } = credentials
      const answer = await oidc.clientCredentialsGrant(configuration, scope === undefined ? {} : { scope })
      const lifeMs = answer.expires_in === undefined ? ASSUMED_LIFE_MS : answer.expires_in * SECOND_MS
      // A token of less than a minute is at least used for half of its life.
      return { token: answer.access_token, freshUntil: now() + Math.max(lifeMs / 2, lifeMs - EARLIER_MS) }
    } catch (cause) {
      throw new TokenError(`No token for ${credentials.clientId} from ${credentials.issuer}: ${reasonOf(cause)}.`, {
        cause,
      })
    }
  }

  return {
    async token() {
      if (kept !== null && now() < kept.freshUntil) return kept.token
      asking ??= ask().finally(() => {
        asking = null
      })
      kept = await asking
      return kept.token
    },
    forget(token) {
      if (kept?.token === token) kept = null
      return true
    },
  }
}

function discover({ issuer, clientId, clientSecret }: ClientCredentials): Promise<oidc.Configuration> {
  const url = URL.parse(issuer)
  if (url === null) throw new TypeError('the issuer must be a URL')
  const execute = isOnLoopback(issuer) ? [oidc.allowInsecureRequests] : []
  return oidc.discovery(url, clientId, undefined, oidc.ClientSecretBasic(clientSecret), {
    timeout: CALL_TIMEOUT_SECONDS,
    execute,
  })
}

/** The last cause is the one that says something: outer ones read "fetch failed". */
function reasonOf(error: unknown): string {
  if (error instanceof oidc.WWWAuthenticateChallengeError) return 'it does not accept the client id and secret'
  if (error instanceof oidc.ResponseBodyError) return error.error_description ?? error.error
  let deepest = error
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause
  if (!(deepest instanceof Error)) return String(deepest)
  // An address that refuses on every family comes as an error of errors without a message of its own.
  if (deepest.message !== '') return deepest.message
  return 'code' in deepest ? String(deepest.code) : deepest.name
}
