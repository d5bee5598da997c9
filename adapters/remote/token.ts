/**
 * The one token of a provider, by OAuth 2.0's client-credentials grant: asked for once however many calls want it, kept
 * until shortly before its end, and dropped when the operator refuses it. openid-client speaks the grant and checks the
 * answer; the call itself goes the way of all calls, within the operator's rate and the caller's deadline.
 */
import * as oauth from 'openid-client'
import { type Flight, launchFlight } from '../flight.ts'
import { type HttpAnswer, type ProviderHttp } from '../http.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import { type EpochMs, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import { isLoopback } from '../../shared/url.ts'
import type { RemoteSettings } from './config.ts'
import { errorOf } from './errors.ts'

export interface TokenSource {
  /** @throws ProviderError `unauthenticated` when the client is not accepted; always with effect `none` */
  get(call: Call): Promise<string>
  /** Says that this token was refused: it is not handed out again. */
  discard(token: string): void
}

interface Options {
  readonly settings: RemoteSettings
  readonly http: ProviderHttp
  readonly now: () => EpochMs
}

interface Token {
  readonly text: string
  readonly renewAt: EpochMs
}

/** Longest that one request for a token may take, whoever waits for it. */
const TOKEN_DEADLINE_MS = 30 * SECOND_MS
/** An operator that does not say how long its token lasts. */
const ASSUMED_LIFE_MS = 5 * MINUTE_MS
const MAX_MARGIN_MS = MINUTE_MS
const MARGIN_OF_LIFE = 0.1

export function createTokenSource({ settings, http, now }: Options): TokenSource {
  let current: Token | null = null
  let flight: Flight<Token> | null = null

  const launch = (call: Call): Flight<Token> =>
    launchFlight(async (signal) => {
      try {
        const own: Call = { ...call, signal, deadlineAt: now() + TOKEN_DEADLINE_MS }
        current = await askForToken({ settings, http, now }, own)
        return current
      } finally {
        if (!signal.aborted) flight = null // an abandoned one may have been replaced already
      }
    }, now)

  return {
    async get(call) {
      if (current !== null && now() < current.renewAt) return current.text
      if (call.signal.aborted || call.deadlineAt <= now()) throw tooLate()
      const joined = flight === null || flight.isAbandoned() ? launch(call) : flight
      flight = joined
      return (await joined.join(call)).text
    },
    discard(token) {
      if (current?.text === token) current = null
    },
  }
}

const tooLate = () => new ProviderError('unreachable', 'the call had ended before it was sent', { effect: 'none' })

async function askForToken({ settings, http, now }: Options, call: Call): Promise<Token> {
  const { token } = settings
  let answer: HttpAnswer | null = null
  const client = clientOf(token, async (_url, { method, headers, body }) => {
    if (method !== 'POST' || !(body instanceof URLSearchParams)) throw new TypeError('a grant is a form that is posted')
    // A token that nobody received is no node: the request changes nothing.
    const request = { method, url: token.url, body: body.toString(), changes: false } as const
    answer = await http.send({ ...request, headers: () => headers }, call)
    const isEmpty = answer.status === 204 || answer.status === 304 // such an answer may have no body
    return new Response(isEmpty ? null : answer.body, { status: answer.status, headers: answer.headers })
  })
  try {
    const granted = await oauth.clientCredentialsGrant(client, token.parameters)
    const lifeMs = granted.expires_in === undefined ? ASSUMED_LIFE_MS : granted.expires_in * SECOND_MS
    const renewAt = now() + lifeMs - Math.min(MAX_MARGIN_MS, lifeMs * MARGIN_OF_LIFE)
    return { text: granted.access_token, renewAt }
  } catch (error) {
    throw noToken(error, answer, { now: now(), secrets: [token.clientSecret] })
  }
}

function clientOf({ url, clientId, clientSecret }: RemoteSettings['token'], customFetch: oauth.CustomFetch) {
  const server = { issuer: url, token_endpoint: url }
  const client = new oauth.Configuration(server, clientId, undefined, oauth.ClientSecretBasic(clientSecret))
  client[oauth.customFetch] = customFetch
  if (isLoopback(new URL(url))) oauth.allowInsecureRequests(client)
  return client
}

type Shown = Parameters<typeof errorOf>[2]

/** @returns what to throw; the library's error is left out, because it holds the whole answer */
function noToken(error: unknown, answer: HttpAnswer | null, shown: Shown): ProviderError {
  const own = [error, error instanceof Error ? error.cause : null].find((one) => one instanceof ProviderError)
  if (own !== undefined) return own
  const what = 'the request for a token'
  if (answer === null || answer.status < 300) {
    return new ProviderError('malformed', `the answer to ${what} cannot be read`, { effect: 'none' })
  }
  const said = errorOf(answer, { what, changes: false }, shown)
  // OAuth refuses a client with 400 or 401, and there is nothing else in the request to refuse.
  const kind = [400, 401].includes(answer.status) ? 'unauthenticated' : said.kind
  return new ProviderError(kind, said.message, said)
}
