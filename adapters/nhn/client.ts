/**
 * Calls to NHN's services with a token: a refused one is replaced once and the call repeated, because a call that was not
 * let in had no effect. Also lists page by page.
 */
import type { z } from 'zod'
import type { ProviderError } from '../../shared/provider-error.ts'
import type { AdapterContext, Call } from '../../shared/provider.ts'
import { type HttpAnswer, type HttpRequest, type ProviderHttp, readJson } from '../http.ts'
import type { NhnSettings } from './config.ts'
import { toProviderError } from './errors.ts'
import type { TokenSource } from './token.ts'

export interface NhnRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly url: string
  readonly body?: object
  /** For error messages: what was asked, without ids. */
  readonly asked: string
}

export interface NhnClient {
  readonly settings: NhnSettings
  /** Whatever the status is, except that a 401 is tried again with a new token. */
  send(request: NhnRequest, call: Call): Promise<HttpAnswer>
  /** The error that an answer with this status stands for. */
  errorOf(request: NhnRequest, answer: HttpAnswer): ProviderError
  /** Which lists, by URL, are known to link to a next page wherever there is one, or not to. */
  readonly linking: Map<string, boolean>
}

export interface ClientParts {
  readonly settings: NhnSettings
  readonly http: ProviderHttp
  readonly tokens: TokenSource
  readonly now: AdapterContext['now']
}

export function createClient({ settings, http, tokens, now }: ClientParts): NhnClient {
  const sendWith = (token: string, request: NhnRequest, call: Call): Promise<HttpAnswer> =>
    http.send(toHttp(request, token), call)
  return {
    settings,
    linking: new Map(),
    async send(request, call) {
      const token = await tokens.get(call)
      const answer = await sendWith(token, request, call)
      if (answer.status !== 401) return answer
      tokens.discard(token)
      return await sendWith(await tokens.get(call), request, call)
    },
    errorOf: (request, answer) =>
      toProviderError(answer, {
        asked: request.asked,
        changes: request.method !== 'GET',
        now: now(),
        secrets: [settings.password],
      }),
  }
}

const toHttp = (request: NhnRequest, token: string): HttpRequest => ({
  method: request.method,
  url: request.url,
  headers: () => ({
    accept: 'application/json',
    'x-auth-token': token,
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
  }),
  ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
  changes: request.method !== 'GET',
})

export const isSuccess = ({ status }: HttpAnswer): boolean => status >= 200 && status <= 299

/** A read of one document. @throws ProviderError for every status but 2xx */
export async function read<S extends z.ZodType>(
  client: NhnClient,
  schema: S,
  request: Omit<NhnRequest, 'method' | 'body'>,
  call: Call,
): Promise<z.infer<S>> {
  const whole: NhnRequest = { ...request, method: 'GET' }
  const answer = await client.send(whole, call)
  if (!isSuccess(answer)) throw client.errorOf(whole, answer)
  return readJson(schema, answer, 'none')
}

export const computeUrl = ({ settings }: NhnClient, path: string): string =>
  `${settings.computeUrl}/${settings.tenantId}${path}`
