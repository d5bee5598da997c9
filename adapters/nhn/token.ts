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

/** One request under way, shared by all who need it; it ends when the last of them has gone. */
interface Flight {
  readonly token: Promise<Token>
  readonly end: AbortController
  waiting: number
}

/** After a renewal failed and the old token is still good. */
const RENEWAL_PAUSE_MS = 30_000

export function createTokenSource(settings: NhnSettings, http: ProviderHttp, now: () => number): TokenSource {
  let current: Token | null = null
  let flight: Flight | null = null
  let nextRenewalAt = 0

  const launch = (call: Call): Flight => {
    const end = new AbortController()
    const own: Call = { ...call, signal: end.signal, deadlineAt: now() + settings.tokenTimeoutMs }
    const launched: Flight = { token: askForToken(settings, http, own, now), end, waiting: 0 }
    flight = launched
    void land(launched)
    return launched
  }

  /** Never rejects: whoever waits for the flight gets its error. */
  const land = async (launched: Flight): Promise<void> => {
    try {
      current = await launched.token
    } catch {
      nextRenewalAt = now() + RENEWAL_PAUSE_MS
    } finally {
      if (flight === launched) flight = null
    }
  }

  return {
    async get(call) {
      const held = current
      const at = now()
      if (held !== null && at < held.renewAt) return held.text
      const isUsable = held !== null && at < held.expiresAt
      if (isUsable && (flight !== null || at < nextRenewalAt)) return held.text
      try {
        return (await join(flight ?? launch(call), call, now)).text
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

/** Waits for the flight as long as the call lasts. */
async function join(flight: Flight, call: Call, now: () => number): Promise<Token> {
  const patience = AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(call.deadlineAt - now())), LONGEST_WAIT_MS))
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const giveUp = (): void => reject(gaveUp())
  flight.waiting += 1
  call.signal.addEventListener('abort', giveUp, { once: true })
  patience.addEventListener('abort', giveUp, { once: true })
  if (call.signal.aborted) giveUp()
  try {
    return await Promise.race([flight.token, ended])
  } finally {
    call.signal.removeEventListener('abort', giveUp)
    patience.removeEventListener('abort', giveUp)
    flight.waiting -= 1
    if (flight.waiting === 0) flight.end.abort()
  }
}

const LONGEST_WAIT_MS = 3_600_000

const gaveUp = () =>
  new ProviderError('unreachable', 'the call ended while it waited for a token', { effect: 'none', code: 'QUEUED' })

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
