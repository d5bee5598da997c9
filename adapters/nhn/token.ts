/**
 * The Keystone v2 token that opens every other call: asked for when first needed, renewed ahead of its end by one caller
 * while the others go on with the old one, and replaced when the operator refuses it early (a changed API password kills
 * tokens in flight).
 */
import { z } from 'zod'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import { type ProviderHttp, readJson } from '../http.ts'
import type { NhnSettings } from './config.ts'
import { toProviderError } from './errors.ts'
import { type Flight, launchFlight } from '../flight.ts'
import { utcMs } from './utc.ts'

export interface TokenSource {
  /**
   * A token that is thought to be good.
   *
   * @throws ProviderError `unauthenticated` when the credentials are refused; always with effect `none`
   */
  get(call: Call): Promise<string>
  /** Says that this token was refused: it is not handed out again. */
  discard(token: string): void
}

interface Token {
  readonly text: string
  readonly renewAt: number
  readonly expiresAt: number
}

/** After a renewal failed and the old token is still good. */
const RENEWAL_PAUSE_MS = 30_000

export function createTokenSource(settings: NhnSettings, http: ProviderHttp, now: () => number): TokenSource {
  let current: Token | null = null
  let flight: Flight<Token> | null = null
  let nextRenewalAt = 0

  const launch = (call: Call): Flight<Token> =>
    launchFlight(async (signal) => {
      const own: Call = { ...call, signal, deadlineAt: now() + settings.tokenTimeoutMs }
      try {
        current = await askForToken(settings, http, own, now)
        return current
      } catch (error) {
        nextRenewalAt = now() + RENEWAL_PAUSE_MS
        throw error
      } finally {
        if (!signal.aborted) flight = null // an abandoned one may have been replaced already
      }
    }, now)

  const isUnderWay = (): boolean => flight !== null && !flight.isAbandoned()

  return {
    async get(call) {
      const held = current
      const at = now()
      if (held !== null && at < held.renewAt) return held.text
      const isUsable = held !== null && at < held.expiresAt
      if (isUsable && (isUnderWay() || at < nextRenewalAt)) return held.text
      const joined = flight === null || flight.isAbandoned() ? launch(call) : flight
      flight = joined
      try {
        return (await joined.join(call)).text
      } catch (error) {
        if (isUsable && current === held && !call.signal.aborted) return held.text
        throw error
      }
    },
    discard(token) {
      if (current?.text === token) current = null
    },
  }
}

const TokenAnswer = z.object({
  access: z.object({
    token: z.object({ id: z.string().min(1), expires: z.string(), issued_at: z.string().nullish() }),
  }),
})

async function askForToken(settings: NhnSettings, http: ProviderHttp, call: Call, now: () => number): Promise<Token> {
  const { tenantId, username, password } = settings
  const askedAt = now()
  const answer = await http.send(
    {
      method: 'POST',
      url: `${settings.identityUrl}/tokens`,
      headers: () => ({ 'content-type': 'application/json', accept: 'application/json' }),
      body: JSON.stringify({ auth: { tenantId, passwordCredentials: { username, password } } }),
      changes: false,
    },
    call,
  )
  if (answer.status < 200 || answer.status > 299) {
    const error = toProviderError(answer, {
      asked: 'asking for a token',
      changes: false,
      now: now(),
      secrets: [password],
    })
    throw isOutage(error) ? error : refusedCredentials(error)
  }
  const { id, expires, issued_at: issuedAt } = readJson(TokenAnswer, answer, 'none').access.token
  const expiresAt = askedAt + lifeMs(expires, issuedAt ?? null, askedAt)
  const earlierMs = Math.min(settings.renewTokenBeforeMs, (expiresAt - askedAt) / 10)
  return { text: id, expiresAt, renewAt: expiresAt - earlierMs }
}

const isOutage = ({ kind }: ProviderError): boolean =>
  kind === 'unreachable' || kind === 'throttled' || kind === 'malformed'

/** Whatever a token is refused for (user, password, tenant, a wrong URL), somebody must look at our settings. */
const refusedCredentials = ({ message, code, providerMessage }: ProviderError) =>
  new ProviderError('unauthenticated', message, { effect: 'none', code, providerMessage })

/**
 * What is left by our clock, but never more than the operator's two instants say; by these alone where our clock is so far
 * off that nothing seems left.
 */
function lifeMs(expires: string, issuedAt: string | null, askedAt: number): number {
  const end = utcMs(expires)
  const left = end - askedAt
  const whole = end - utcMs(issuedAt ?? '')
  if (Number.isNaN(whole)) return Number.isNaN(left) ? 0 : Math.max(0, left) // 0: good for the calls that wait for it
  return Math.max(0, left > 0 ? Math.min(left, whole) : whole)
}
