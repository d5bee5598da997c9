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
  readonly method: 'GET' | 'POST' | 'PUT'
  /** With a slash in front; its parts encoded. */
  readonly path: string
  /** Members that are undefined are left out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** Of a POST; default a new one. Two calls with the same key and body have one effect. */
  readonly idempotencyKey?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface Answered {
  readonly status: number
  /** As the broker validated it: a client that refused what it does not know would break with the next addition. */
  readonly body: unknown
}

/**
 * @throws ProblemError the broker said no, or still asks for patience after the last attempt
 * @throws UnreachableError nobody answered
 * @throws TokenError no token was to be had
 * @throws the signal's reason, once it is aborted
 */
export type Exchange = (asked: Asked) => Promise<Answered>

const ATTEMPT_TIMEOUT_MS = 30 * SECOND_MS

export function createExchange(options: ExchangeOptions): Exchange {
  const retry = { ...DEFAULT_RETRY, ...options.retry }
  const random = options.random ?? Math.random
  const pause = options.pause ?? ((ms, signal) => pauseFor(ms, undefined, { signal }))

  return async (asked) => {
    const signal = asked.signal ?? new AbortController().signal
    const prepared = { url: urlOf(options.baseUrl, asked), method: asked.method, ...headersAndBody(asked) }
    let renewedToken = false
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted()
      const token = await options.tokens.token()
      const outcome = await once(prepared, { token, signal, timeoutMs: options.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS })
      if (outcome.answered !== null) return outcome.answered
      const { error, isWorthRepeating, askedToWaitMs } = outcome
      // Its key may have been withdrawn, or it was revoked: one new token is tried, without waiting.
      const refusedToken = error instanceof ProblemError && error.code === 'unauthorized'
      if (refusedToken && !renewedToken && options.tokens.forget(token)) {
        renewedToken = true
        continue
      }
      if (!isWorthRepeating) throw error
      const pauseMs = pauseBeforeNext(retry, { attempt, retryAfterMs: askedToWaitMs, random: random() })
      if (pauseMs === null) throw error
      options.onRetry?.({ attempt, pauseMs, error })
      await pause(pauseMs, signal)
    }
  }
}

interface Prepared {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

type Outcome =
  | { readonly answered: Answered }
  | {
      readonly answered: null
      readonly error: Error
      readonly isWorthRepeating: boolean
      readonly askedToWaitMs: number | null
    }

interface Attempt {
  readonly token: string
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

async function once(prepared: Prepared, { token, signal, timeoutMs }: Attempt): Promise<Outcome> {
  const { url, method, headers, body } = prepared
  const deadline = AbortSignal.timeout(timeoutMs)
  try {
    const response = await fetch(url, {
      method,
      headers: { ...headers, authorization: `Bearer ${token}` },
      body,
      signal: AbortSignal.any([signal, deadline]),
      // A redirect would carry the token to somebody else.
      redirect: 'manual',
    })
    const text = await response.text()
    if (response.ok) return { answered: { status: response.status, body: bodyOf(url, text) } }
    const error = errorOf({ url, response, text })
    const code = error instanceof ProblemError ? error.code : null
    return {
      answered: null,
      error,
      isWorthRepeating: isRetryable({ status: response.status, code }),
      askedToWaitMs: retryAfterMs(response.headers.get('retry-after'), Date.now()),
    }
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof UnreachableError)
      return { answered: null, error: cause, isWorthRepeating: false, askedToWaitMs: null }
    const why = deadline.aborted ? `no answer within ${timeoutMs / SECOND_MS} s` : networkReason(cause)
    const error = new UnreachableError(`${new URL(url).origin} cannot be reached: ${why}.`, { cause })
    return { answered: null, error, isWorthRepeating: true, askedToWaitMs: null }
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

function headersAndBody(asked: Asked): Pick<Prepared, 'headers' | 'body'> {
  return {
    headers: {
      accept: 'application/json, application/problem+json',
      ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(asked.method === 'POST' ? { 'idempotency-key': asked.idempotencyKey ?? randomUUID() } : {}),
    },
    body: asked.body === undefined ? null : JSON.stringify(asked.body),
  }
}
