/** One authenticated call: headers, the token (renewed once when it is refused), and an error for every other answer. */
import type { z } from 'zod'
import { type HttpAnswer, type HttpRequest, createProviderHttp, readJson } from '../http.ts'
import type { AdapterContext, Call, Traffic } from '../../shared/provider.ts'
import type { RemoteSettings } from './config.ts'
import { type Asked, errorOf } from './errors.ts'
import { createTokenSource } from './token.ts'
import { OPERATION_ID_HEADER, TIMEOUT_HEADER } from './wire.ts'

interface Question extends Asked {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** Below the base URL, its parts already encoded. */
  readonly path: string
  /** Serialised here. */
  readonly body?: object
}

export interface RemoteClient {
  /** @throws ProviderError for no answer, and for every answer outside 2xx */
  send(question: Question, call: Call): Promise<HttpAnswer>
  /** @throws ProviderError also `malformed`, where the answer is not of the shape */
  ask<S extends z.ZodType>(schema: S, question: Question, call: Call): Promise<z.infer<S>>
  close(): void
  traffic(): Traffic
}

export function createClient(settings: RemoteSettings, { now }: AdapterContext): RemoteClient {
  const { ratePerSecond, maxConcurrent } = settings
  const http = createProviderHttp({ ratePerSecond, maxConcurrent, now })
  const tokens = createTokenSource({ settings, http, now })

  const sendWith = (token: string, { method, path, changes, body }: Question, call: Call): Promise<HttpAnswer> => {
    const request: HttpRequest = {
      method,
      url: `${settings.baseUrl}${path}`,
      changes,
      headers: () => ({
        accept: 'application/json, application/problem+json',
        authorization: `Bearer ${token}`,
        [OPERATION_ID_HEADER]: call.operationId,
        // A duration, because clocks differ; what is left when it is sent, not when it was queued.
        [TIMEOUT_HEADER]: String(Math.max(0, Math.floor(call.deadlineAt - now()))),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      }),
    }
    return http.send(body === undefined ? request : { ...request, body: JSON.stringify(body) }, call)
  }

  const send: RemoteClient['send'] = async (question, call) => {
    let token = await tokens.get(call)
    let answer = await sendWith(token, question, call)
    if (answer.status === 401) {
      // A refused token did nothing at the operator, so even a create may be sent again with a new one. Once.
      tokens.discard(token)
      token = await tokens.get(call)
      answer = await sendWith(token, question, call)
    }
    if (answer.status >= 200 && answer.status < 300) return answer
    throw errorOf(answer, question, { now: now(), secrets: [token, settings.token.clientSecret] })
  }

  return {
    send,
    ask: async (schema, question, call) =>
      readJson(schema, await send(question, call), question.changes ? 'maybe' : 'none'),
    close: () => http.close(),
    traffic: () => http.traffic(),
  }
}
