/**
 * How adapters call their operators: one client per provider, which counts every HTTP call against the operator's rate
 * and against the number of calls in flight, keeps the caller's deadline while it waits and while it reads, and turns a
 * missing answer into a `ProviderError`. What an answer *means* is each adapter's `wire.ts`; statuses are not judged here.
 */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import axios, { type AxiosError, type AxiosInstance, isAxiosError } from 'axios'
import type { z } from 'zod'
import { type Effect, ProviderError } from '../shared/provider-error.ts'
import type { Call } from '../shared/provider.ts'
import { type Gate, createGate } from './gate.ts'

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  /** Absolute; sent exactly as it is, because signatures cover it. */
  readonly url: string
  /** Made when the request is sent, not when it is queued: timestamps in signatures must be fresh. */
  readonly headers?: () => Readonly<Record<string, string>>
  /** Already serialised. */
  readonly body?: string
  /** Whether the request changes something at the operator, whatever its method: then a lost answer is `maybe`. */
  readonly changes: boolean
}

export interface HttpAnswer {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface ProviderHttp {
  /** @throws ProviderError `unreachable` (no answer in time, cut, refused), `throttled` (our own queue is full) */
  send(request: HttpRequest, call: Call): Promise<HttpAnswer>
  close(): void
}

export interface ProviderHttpOptions {
  /** Calls per second that the operator allows us; the limit is ours to keep. */
  readonly ratePerSecond: number
  /** Calls in flight at once. */
  readonly maxConcurrent: number
  readonly now: () => number
}

/** An answer larger than this is not one of ours: 1,000 servers in detail are some 4 MB. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024

/** Nothing was sent when a connection ends this way, so nothing can have had effect. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ERR_INVALID_URL'])

export function createProviderHttp(options: ProviderHttpOptions): ProviderHttp {
  const agents = {
    httpAgent: new HttpAgent({ keepAlive: true, maxSockets: options.maxConcurrent }),
    httpsAgent: new HttpsAgent({ keepAlive: true, maxSockets: options.maxConcurrent }),
  }
  const client = axios.create({
    ...agents,
    proxy: false,
    maxRedirects: 0, // a redirect would carry our token to somebody else
    maxContentLength: MAX_ANSWER_BYTES,
    responseType: 'text',
    transformResponse: [(text: string) => text],
    validateStatus: () => true,
  })
  const gate = createGate(options)
  return {
    send: (request, call) => sendThrough({ client, gate, now: options.now }, request, call),
    close() {
      agents.httpAgent.destroy()
      agents.httpsAgent.destroy()
    },
  }
}

interface Sender {
  readonly client: AxiosInstance
  readonly gate: Gate
  readonly now: () => number
}

async function sendThrough(sender: Sender, request: HttpRequest, call: Call): Promise<HttpAnswer> {
  const remainingMs = call.deadlineAt - sender.now()
  if (remainingMs <= 0) throw noTimeLeft()
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(remainingMs)])
  const leave = await sender.gate.enter(signal)
  try {
    const answer = await sender.client.request<string>({
      method: request.method,
      url: request.url,
      headers: { 'user-agent': 'gpu-broker', ...traceHeader(call), ...request.headers?.() },
      data: request.body,
      signal,
    })
    return { status: answer.status, headers: plainHeaders(answer.headers), body: answer.data ?? '' }
  } catch (error) {
    throw unreachable(error, request)
  } finally {
    leave()
  }
}

const traceHeader = (call: Call): Record<string, string> =>
  call.traceparent === undefined ? {} : { traceparent: call.traceparent }

const noTimeLeft = () =>
  new ProviderError('unreachable', 'the deadline passed before the call was sent', { effect: 'none', code: 'DEADLINE' })

function unreachable(error: unknown, request: HttpRequest): ProviderError {
  if (!isAxiosError(error)) throw error // a mistake of ours, in building the request
  const code = causeCode(error)
  const effect: Effect = request.changes && !NEVER_SENT.has(code) ? 'maybe' : 'none'
  // The cause is left out: axios keeps the whole request in it, tokens included.
  return new ProviderError('unreachable', `no answer to ${request.method} (${code})`, { effect, code })
}

const causeCode = (error: AxiosError): string => error.code ?? 'NO_ANSWER'

function plainHeaders(headers: object): Record<string, string> {
  const plain: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers)) plain[name.toLowerCase()] = String(value)
  return plain
}

/**
 * Reads a JSON answer through its schema.
 *
 * @param effect what is true if the answer cannot be read: `maybe` after a call that changes something
 * @throws ProviderError `malformed`
 */
export function readJson<S extends z.ZodType>(schema: S, answer: HttpAnswer, effect: Effect): z.infer<S> {
  let value: unknown
  try {
    value = JSON.parse(answer.body)
  } catch {
    throw malformed(answer, effect, 'not JSON')
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw malformed(answer, effect, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'unreadable'}`)
}

const malformed = (answer: HttpAnswer, effect: Effect, what: string) =>
  new ProviderError('malformed', `an answer with status ${answer.status} cannot be read: ${what}`, { effect })

/** `Retry-After` in seconds or as a date → ms from `now`; null where there is none. */
export function retryAfterMs(answer: HttpAnswer, now: number): number | null {
  const value = answer.headers['retry-after']
  if (value === undefined) return null
  if (/^\d+$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? null : Math.max(0, at - now)
}
