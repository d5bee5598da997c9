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
import type { Call, Traffic } from '../shared/provider.ts'
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
  /**
   * @throws ProviderError `unreachable` (cut, refused, not in time: code `DEADLINE`, ended by the caller: code `ABORTED`),
   *   `throttled` (our own queue is full), `malformed` (an answer without end)
   */
  send(request: HttpRequest, call: Call): Promise<HttpAnswer>
  traffic(): Traffic
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

/** Nothing of the request was sent when a connection ends this way, so nothing can have had effect. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ERR_INVALID_URL',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

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
  let clockSkewMs: number | null = null
  const onSkew = (ms: number): void => {
    clockSkewMs = ms
  }
  return {
    send: (request, call) => sendThrough({ client, gate, now: options.now, onSkew }, request, call),
    traffic: () => ({ ...gate.traffic(), clockSkewMs }),
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
  /** Told of the operator's clock less ours, with each answer that has a date. */
  readonly onSkew: (ms: number) => void
}

/** A date has whole seconds: half of one is what it leaves out on average. */
const HALF_A_SECOND_MS = 500

async function sendThrough(sender: Sender, request: HttpRequest, call: Call): Promise<HttpAnswer> {
  const patience = patienceOf(call, sender.now())
  let sentAt: number | null = null
  try {
    const leave = await sender.gate.enter(patience.signal)
    try {
      sentAt = performance.now()
      const askedAt = sender.now()
      const answer = await sender.client.request<string>({
        method: request.method,
        url: request.url,
        headers: { 'user-agent': 'gpu-broker', ...traceHeader(call), ...request.headers?.() },
        data: request.body,
        signal: patience.signal,
      })
      const plain = { status: answer.status, headers: plainHeaders(answer.headers), body: answer.data ?? '' }
      const toldAt = Date.parse(plain.headers['date'] ?? '')
      if (!Number.isNaN(toldAt)) sender.onSkew(toldAt + HALF_A_SECOND_MS - (askedAt + sender.now()) / 2)
      if (plain.status === TOO_MANY_REQUESTS) sender.gate.slowDown(retryAfterMs(plain, sender.now()) ?? 0)
      return plain
    } finally {
      leave()
    }
  } catch (error) {
    throw noAnswer(error, request, endOf(patience, sentAt))
  } finally {
    patience.end()
  }
}

/** The one status that is judged here: it is about the calls, not about what was asked. */
const TOO_MANY_REQUESTS = 429

/** An operator that had less than this to answer in, because our own queue took the rest, has not failed to answer. */
const FAIR_TIME_MS = 2_000

function endOf(patience: Patience, sentAt: number | null): End | null {
  const by = patience.endedBy()
  const late = by === 'DEADLINE' && sentAt !== null && performance.now() - sentAt < FAIR_TIME_MS
  return late && patience.allowedMs >= FAIR_TIME_MS ? 'QUEUED' : by
}

const traceHeader = (call: Call): Record<string, string> =>
  call.traceparent === undefined ? {} : { traceparent: call.traceparent }

type End = 'DEADLINE' | 'ABORTED' | 'QUEUED'

interface Patience {
  readonly signal: AbortSignal
  /** From the beginning to the deadline. */
  readonly allowedMs: number
  /** Null while the call may go on. */
  endedBy(): 'DEADLINE' | 'ABORTED' | null
  /** Lets go of the timer and of the caller's signal, which may live as long as the broker. */
  end(): void
}

/** Beyond this a timer of Node fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** One signal for the caller's end and the deadline. @throws ProviderError `unreachable` when the deadline has passed */
function patienceOf(call: Call, now: number): Patience {
  const remainingMs = call.deadlineAt - now
  if (remainingMs <= 0) throw noTimeLeft()
  const controller = new AbortController()
  let endedBy: 'DEADLINE' | 'ABORTED' | null = null
  const finish = (by: 'DEADLINE' | 'ABORTED'): void => {
    endedBy ??= by
    controller.abort()
  }
  const onAbort = (): void => finish('ABORTED')
  const timer = setTimeout(() => finish('DEADLINE'), Math.min(remainingMs, LONGEST_TIMER_MS))
  if (call.signal.aborted) onAbort()
  else call.signal.addEventListener('abort', onAbort, { once: true })
  return {
    signal: controller.signal,
    allowedMs: remainingMs,
    endedBy: () => endedBy,
    end() {
      clearTimeout(timer)
      call.signal.removeEventListener('abort', onAbort)
    },
  }
}

const noTimeLeft = () =>
  new ProviderError('unreachable', 'the deadline passed before the call was sent', { effect: 'none', code: 'DEADLINE' })

/** @returns what to throw; the cause is left out, because axios keeps the whole request in it, tokens included */
function noAnswer(error: unknown, request: HttpRequest, endedBy: End | null): unknown {
  if (!isAxiosError(error)) return error // the gate's own, or a mistake of ours in building the request
  const code = endedBy ?? error.code ?? 'NO_ANSWER'
  const effect: Effect = request.changes && !NEVER_SENT.has(code) ? 'maybe' : 'none'
  if (isTooLarge(error))
    return new ProviderError('malformed', `an answer to ${request.method} is larger than ${MAX_ANSWER_BYTES} bytes`, {
      effect,
    })
  return new ProviderError('unreachable', `no answer to ${request.method} (${code})`, { effect, code })
}

/** axios has no code of its own for it. */
const isTooLarge = (error: AxiosError): boolean => error.message.startsWith('maxContentLength')

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
