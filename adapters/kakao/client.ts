/**
 * One authenticated call to one of Kakao's services: headers, the token (renewed once when it is refused), and an error
 * for every answer that is not 2xx. What may be shown of an answer never holds the secret or a token.
 */
import { type HttpAnswer, type HttpRequest, type ProviderHttp, createProviderHttp } from '../http.ts'
import type { AdapterContext, Call, Traffic } from '../../shared/provider.ts'
import type { KakaoSettings } from './config.ts'
import { type Asked, createErrorReader, scrubbed } from './errors.ts'
import { type TokenSource, createTokenSource } from './token.ts'

export interface KakaoRequest extends Asked {
  readonly method: HttpRequest['method']
  readonly url: string
  /** Serialised here. */
  readonly body?: unknown
  /** Whether the question is about the token itself: it then goes as the subject too. */
  readonly asksAboutToken?: boolean
}

export interface KakaoClient {
  /** @throws ProviderError for no answer, and for every answer outside 2xx */
  send(request: KakaoRequest, call: Call): Promise<HttpAnswer>
  /** @param what the question in our words, for errors */
  get(what: string, url: string, call: Call): Promise<HttpAnswer>
  /** Resolves when the operator still honours our token. */
  checkToken(call: Call): Promise<void>
  close(): void
  traffic(): Traffic
}

export function createClient(settings: KakaoSettings, { now }: AdapterContext): KakaoClient {
  const { ratePerSecond, maxConcurrent } = settings
  const http = createProviderHttp({ ratePerSecond, maxConcurrent, now })
  const errorOf = createErrorReader(settings, now)
  const tokens = createTokenSource({ settings, http, now, errorOf })

  const ask = async (request: KakaoRequest, refusals: readonly number[], call: Call): Promise<HttpAnswer> => {
    const { answer, token } = await sendRenewing({ settings, http, tokens }, request, refusals, call)
    if (answer.status >= 200 && answer.status < 300) return answer
    throw scrubbed(errorOf(answer, request), [token, settings.credential.secret])
  }

  return {
    send: (request, call) => ask(request, [401], call),
    get: (what, url, call) => ask({ what, url, method: 'GET', changes: false }, [401], call),
    async checkToken(call) {
      const url = `${settings.iamUrl}/identity/v3/auth/tokens`
      const request: KakaoRequest = { what: 'the check of the token', url, method: 'GET', changes: false }
      // Keystone answers 404 when the token to check is no longer one.
      await ask({ ...request, asksAboutToken: true }, [401, 404], call)
    },
    close: () => http.close(),
    traffic: () => http.traffic(),
  }
}

interface Sender {
  readonly settings: KakaoSettings
  readonly http: ProviderHttp
  readonly tokens: TokenSource
}

/** A refused token did nothing at the operator, so even a create may be sent again with a new one. Once. */
async function sendRenewing(
  { settings, http, tokens }: Sender,
  request: KakaoRequest,
  refusals: readonly number[],
  call: Call,
): Promise<{ readonly answer: HttpAnswer; readonly token: string }> {
  const sendWith = (token: string): Promise<HttpAnswer> =>
    http.send({ ...onTheWire(request), headers: () => headersOf(settings, request, token) }, call)
  const token = await tokens.get(call)
  const answer = await sendWith(token)
  if (!refusals.includes(answer.status)) return { answer, token }
  const fresh = await tokens.renewed(token, call)
  return { answer: await sendWith(fresh), token: fresh }
}

const onTheWire = ({ method, url, changes, body }: KakaoRequest): HttpRequest =>
  body === undefined ? { method, url, changes } : { method, url, changes, body: JSON.stringify(body) }

/** Content-Type goes with every call, body or not: said to be mandatory since April 2026. */
const headersOf = (settings: KakaoSettings, request: KakaoRequest, token: string): Record<string, string> => ({
  accept: 'application/json',
  'content-type': 'application/json',
  'x-auth-token': token,
  ...(request.asksAboutToken === true ? { 'x-subject-token': token } : {}),
  ...(settings.apiVersion === null ? {} : { 'x-api-version': settings.apiVersion }),
})
