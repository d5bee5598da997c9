/**
 * The one token of a provider: asked for once however many calls want it, kept until shortly before its end, and dropped
 * when the operator says 401. A caller who gives up does not take the token from the others who wait for it.
 */
import { type HttpAnswer, type ProviderHttp, readJson } from '../http.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import { type EpochMs, MINUTE_MS } from '../../shared/time.ts'
import type { KakaoSettings } from './config.ts'
import { type ErrorReader, scrubbed } from './errors.ts'
import { assertOngoing, unlessEnded } from './waiting.ts'
import { Token, instantOf } from './wire.ts'

export interface TokenSource {
  /** @throws ProviderError `unauthenticated` when the key is not accepted; always with effect `none` */
  get(call: Call): Promise<string>
  /** A newer token than the one that was refused: asks for one unless somebody else already has. */
  renewed(refused: string, call: Call): Promise<string>
}

export interface TokenSourceOptions {
  readonly settings: Pick<KakaoSettings, 'iamUrl' | 'credential'>
  readonly http: ProviderHttp
  readonly now: () => EpochMs
  readonly errorOf: ErrorReader
}

interface Held {
  readonly text: string
  readonly renewAt: EpochMs
}

interface Flight {
  readonly done: Promise<Held>
  readonly controller: AbortController
  waiting: number
}

/** Longest that one request for a token may take, whoever waits for it. */
const TOKEN_DEADLINE_MS = 30_000
const MAX_MARGIN_MS = 5 * MINUTE_MS
const MARGIN_OF_LIFE = 0.1

export function createTokenSource(options: TokenSourceOptions): TokenSource {
  let held: Held | null = null
  let flight: Flight | null = null

  const depart = (call: Call): Flight => {
    const controller = new AbortController()
    const own: Call = { ...call, signal: controller.signal, deadlineAt: options.now() + TOKEN_DEADLINE_MS }
    return { controller, waiting: 0, done: issue(options, own) }
  }

  const join = async (call: Call): Promise<string> => {
    assertOngoing({ call, now: options.now() })
    flight ??= depart(call)
    const joined = flight
    joined.waiting += 1
    try {
      const token = await unlessEnded(joined.done, { call, now: options.now() })
      if (flight === joined) held = token
      return token.text
    } finally {
      joined.waiting -= 1
      if (joined.waiting === 0) {
        if (flight === joined) flight = null
        joined.controller.abort() // a request that nobody waits for any more
      }
    }
  }

  const get: TokenSource['get'] = async (call) =>
    held !== null && options.now() < held.renewAt ? held.text : await join(call)

  return {
    get,
    renewed(refused, call) {
      if (held?.text === refused) held = null
      return get(call)
    },
  }
}

async function issue({ settings, http, now, errorOf }: TokenSourceOptions, call: Call): Promise<Held> {
  const identity = { methods: ['application_credential'], application_credential: settings.credential }
  const answer = await http.send(
    {
      method: 'POST',
      url: `${settings.iamUrl}/identity/v3/auth/tokens`,
      headers: () => ({ accept: 'application/json', 'content-type': 'application/json' }),
      body: JSON.stringify({ auth: { identity } }),
      changes: false, // a token that nobody received is no node
    },
    call,
  )
  if (answer.status < 200 || answer.status > 299) {
    throw scrubbed(errorOf(answer, { what: 'the request for a token', changes: false }), [settings.credential.secret])
  }
  return readToken(answer, now())
}

/** The life is measured on the operator's clock, so that a difference between the clocks does not shorten it. */
function readToken(answer: HttpAnswer, now: EpochMs): Held {
  const text = answer.headers['x-subject-token'] ?? ''
  if (text === '') throw unreadable('has no X-Subject-Token')
  const { token } = readJson(Token, answer, 'none')
  const expiresAt = instantOf(token.expires_at)
  if (expiresAt === null) throw unreadable('does not say when it expires')
  const lifeMs = expiresAt - (instantOf(token.issued_at) ?? now)
  return { text, renewAt: now + lifeMs - Math.min(MAX_MARGIN_MS, lifeMs * MARGIN_OF_LIFE) }
}

const unreadable = (what: string) =>
  new ProviderError('malformed', `the answer to the request for a token ${what}`, { effect: 'none' })
