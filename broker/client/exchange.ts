/**
 * One logical call: a token, one idempotency key kept over all attempts, a deadline for each, bounded retries. Every call
 * of this API may be repeated: reads and puts by their nature, posts by their key.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pauseFor } from 'node:timers/promises'
import { SECOND_MS } from '../../shared/time.ts'
import type { TokenSource } from './credentials.ts'
import { ProblemError, UnreachableError, errorOf } from './problem-error.ts'
import { DEFAULT_RETRY, type RetryPolicy, isRetryable, pauseBeforeNext, retryAfterMs } from './retry.ts'

export interface ExchangeOptions {
  /** Where the broker is; a path in it is kept. */
  readonly baseUrl: string
  readonly tokens: TokenSource
  readonly retry?: Partial<RetryPolicy>
  /** How long one attempt may take; default 30 s. */
  readonly attemptTimeoutMs?: number
  /** Told before each wait. */
  readonly onRetry?: (waiting: { readonly attempt: number; readonly pauseMs: number; readonly error: Error }) => void
  /** Waits; rejects when the signal aborts. A test hands in one that does not. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** 0 ≤ x < 1. */
  readonly random?: () => number
}

export interface Asked {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** With a slash in front; its parts encoded. */
  readonly path: string
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** Of a POST; default a new one. Two calls with the same key and body have one effect. */
  readonly idempotencyKey?: string | undefined
  /** The ETag that the caller saw; another version is refused as `stale`. */
  readonly ifMatch?: string | undefined
  /** Of a stream that is resumed. */
  readonly lastEventId?: string | undefined
  /** Of a DELETE: an earlier attempt, whose answer was lost, may be why it is gone; that is then a success. */
  readonly goneIsDone?: boolean
  readonly signal?: AbortSignal | undefined
  readonly onAnswer?: ((answer: AnswerFacts) => void) | undefined
}

/** What an answer says beside its body. */
export interface AnswerFacts {
  readonly status: number
  /** With its quotes, as `ifMatch` takes it; null for none. */
  readonly etag: string | null
  /** Whether it is the first answer to an idempotency key, once more. */
  readonly isReplayed: boolean
  /** Names the request in the broker's log. */
  readonly requestId: string | null
}

export interface Answered {
  readonly status: number
  /** As the broker validated it: a client that refused what it does not know would break with the next addition. Null for none. */
  readonly body: unknown
}

/**
 * @throws ProblemError the broker said no, or still asks for patience after the last attempt
 * @throws UnreachableError nobody answered
 * @throws TokenError no token was to be had
 * @throws the signal's reason, once it is aborted
 */
export interface Exchange {
  ask(asked: Asked): Promise<Answered>
  /** Server-sent events instead of a body, from their beginning; whoever reads them sees to it that they end. */
  openStream(asked: Omit<Asked, 'method'>): Promise<Response>
  /** Before another stream after `failures` in a row. @returns false when there should be none */
  pauseBetween(failures: number, signal?: AbortSignal): Promise<boolean>
}

const ATTEMPT_TIMEOUT_MS = 30 * SECOND_MS
const EVENT_STREAM = 'text/event-stream'

export function createExchange(options: ExchangeOptions): Exchange {
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const random = options.random ?? Math.random
  const pause = options.pause ?? ((ms, signal) => pauseFor(ms, undefined, { signal }))

  /** @param read makes of a success what is asked for; the attempt's deadline holds until it has */
  async function repeat<T>(asked: Asked, read: (response: Response) => Promise<T>, accept: string): Promise<T> {
    const signal = asked.signal ?? new AbortController().signal
    const prepared = { url: urlOf(options.baseUrl, asked), method: asked.method, ...headersAndBody(asked, accept) }
    let renewedToken = false
    let mayBeDone = false
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted()
      const token = await unlessAborted(options.tokens.token(), signal)
      const timeoutMs = options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS
      const outcome: Outcome<T> = await once(prepared, { token, signal, timeoutMs, read, goneIsDone: mayBeDone })
      if (outcome.isAnswered) return outcome.answer
      const { isWorthRepeating, askedToWaitMs } = outcome
      const error: Error = outcome.error
      // Its key may have been withdrawn, or it was revoked: one new token is tried, without waiting.
      const refusedToken = error instanceof ProblemError && error.code === 'unauthorized'
      if (refusedToken && !renewedToken && options.tokens.forget(token)) {
        renewedToken = true
        continue
      }
      if (!isWorthRepeating) throw error
      mayBeDone ||= asked.goneIsDone === true && error instanceof UnreachableError
      const pauseMs = pauseBeforeNext(retry, { attempt, retryAfterMs: askedToWaitMs, random: random() })
      if (pauseMs === null) throw error
      options.onRetry?.({ attempt, pauseMs, error })
      await pause(pauseMs, signal)
    }
  }

  return {
    ask: (asked) =>
      repeat(
        asked,
        async (response) => {
          const text = await response.text()
          const body = text === '' || response.status === GONE ? null : bodyOf(response.url, text)
          asked.onAnswer?.(factsOf(response))
          return { status: response.status, body }
        },
        'application/json, application/problem+json',
      ),
    openStream: (asked) => repeat({ ...asked, method: 'GET' }, streamOf, `${EVENT_STREAM}, application/problem+json`),
    async pauseBetween(failures, signal = new AbortController().signal) {
      const pauseMs = pauseBeforeNext(retry, { attempt: failures, retryAfterMs: null, random: random() })
      if (pauseMs !== null) await pause(pauseMs, signal)
      return pauseMs !== null
    },
  }
}

const GONE = 404

const factsOf = ({ status, headers }: Response): AnswerFacts => ({
  status,
  etag: headers.get('etag'),
  isReplayed: headers.get('idempotent-replayed') === 'true',
  requestId: headers.get('x-request-id'),
})

async function streamOf(response: Response): Promise<Response> {
  if (response.headers.get('content-type')?.startsWith(EVENT_STREAM) === true) return response
  await response.body?.cancel()
  throw new UnreachableError(`${response.url} answered, but not with a stream of events as a broker does.`)
}

/** A token that takes long to come keeps nobody past their deadline. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error) // whatever the caller gave as its reason
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

interface Prepared {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

type Outcome<T> =
  | { readonly isAnswered: true; readonly answer: T }
  | {
      readonly isAnswered: false
      readonly error: Error
      readonly isWorthRepeating: boolean
      readonly askedToWaitMs: number | null
    }

interface Attempt<T> {
  readonly token: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
  readonly goneIsDone: boolean
  readonly read: (response: Response) => Promise<T>
}

async function once<T>(prepared: Prepared, attempt: Attempt<T>): Promise<Outcome<T>> {
  const { url, method, headers, body } = prepared
  const { token, signal, timeoutMs, read } = attempt
  // Not `AbortSignal.timeout`, which would go on to cut a stream that is being read.
  const deadline = new AbortController()
  const timer = setTimeout(() => deadline.abort(), timeoutMs)
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
      signal: AbortSignal.any([signal, deadline.signal]),
      // A redirect would carry the token to somebody else.
      redirect: 'manual',
    })
    if (response.ok || (attempt.goneIsDone && response.status === GONE))
      return { isAnswered: true, answer: await read(response) }
    return await refusalOf(url, response)
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof UnreachableError)
      return { isAnswered: false, error: cause, isWorthRepeating: false, askedToWaitMs: null }
    const why = deadline.signal.aborted ? `no answer within ${timeoutMs / SECOND_MS} s` : networkReason(cause)
    const error = new UnreachableError(`${new URL(url).origin} cannot be reached: ${why}.`, { cause })
    return { isAnswered: false, error, isWorthRepeating: true, askedToWaitMs: null }
  } finally {
    clearTimeout(timer)
  }
}

async function refusalOf(url: string, response: Response): Promise<Outcome<never>> {
  const error = errorOf({ url, response, text: await response.text() })
  const code = error instanceof ProblemError ? error.code : null
  return {
    isAnswered: false,
    error,
    isWorthRepeating: isRetryable({ status: response.status, code }),
    askedToWaitMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
  }
}

function bodyOf(url: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UnreachableError(`${url} answered, but not with JSON as a broker does.`)
  }
}

/** The runtime's own error only says "fetch failed"; its cause says what happened. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause ? String(cause.code) : cause.message
}

function urlOf(baseUrl: string, { path, query = {} }: Asked): string {
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url.href
}

function headersAndBody(asked: Asked, accept: string): Pick<Prepared, 'headers' | 'body'> {
  return {
    headers: {
      accept,
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(asked.method === 'POST' ? { 'idempotency-key': asked.idempotencyKey ?? randomUUID() } : {}),
      ...(asked.ifMatch === undefined ? {} : { 'if-match': asked.ifMatch }),
      ...(asked.lastEventId === undefined ? {} : { 'last-event-id': asked.lastEventId }),
    },
    body: asked.body === undefined ? null : JSON.stringify(asked.body),
  }
}
