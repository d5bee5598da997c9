/**
 * One logical call: a token, one idempotency key kept over all attempts, a deadline for each, bounded retries. Every call
 * of this API may be repeated: reads and puts by their nature, posts by their key.
 */
import { setTimeout as pauseFor } from 'node:timers/promises'
import { SECOND_MS } from '../../shared/time.ts'
import { GONE, type Outcome, once, prepare } from './attempt.ts'
import type { TokenSource } from './credentials.ts'
import { ProblemError, UnreachableError } from './problem-error.ts'
import { DEFAULT_RETRY, type RetryPolicy, pauseBeforeNext } from './retry.ts'

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
  /** The ETag of what the caller has, which need not be sent again; of a PUT `*`: what is there is refused as `stale`. */
  readonly ifNoneMatch?: string | null | undefined
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
  /**
   * As the broker validated it: a client that refused what it does not know would break with the next addition. Null for
   * none, as where the caller has it already.
   */
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
const STREAM_ONLY = `${EVENT_STREAM}, application/problem+json`
const JSON_ONLY = 'application/json, application/problem+json'

export function createExchange(given: ExchangeOptions): Exchange {
  const settled: Settled = {
    ...given,
    retry: { ...DEFAULT_RETRY, ...given.retry },
    random: given.random ?? Math.random,
    pause: given.pause ?? ((ms, signal) => pauseFor(ms, undefined, { signal })),
    attemptTimeoutMs: given.attemptTimeoutMs ?? ATTEMPT_TIMEOUT_MS,
  }
  return {
    async ask(asked) {
      const { facts, body } = await repeat(settled, asked, { read: answerOf, accept: JSON_ONLY })
      asked.onAnswer?.(facts)
      return { status: facts.status, body }
    },
    openStream: (asked) => repeat(settled, { ...asked, method: 'GET' }, { read: streamOf, accept: STREAM_ONLY }),
    async pauseBetween(failures, signal = new AbortController().signal) {
      const { retry, random, pause } = settled
      const pauseMs = pauseBeforeNext(retry, { attempt: failures, retryAfterMs: null, random: random() })
      if (pauseMs !== null) await pause(pauseMs, signal)
      return pauseMs !== null
    },
  }
}

interface Settled extends ExchangeOptions {
  readonly retry: RetryPolicy
  readonly random: () => number
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly attemptTimeoutMs: number
}

interface Reading<T> {
  readonly read: (response: Response) => Promise<T>
  readonly accept: string
}

async function repeat<T>(settled: Settled, asked: Asked, { read, accept }: Reading<T>): Promise<T> {
  const { tokens, retry, random, pause, attemptTimeoutMs: timeoutMs, baseUrl } = settled
  const signal = asked.signal ?? new AbortController().signal
  const prepared = prepare(asked, { baseUrl, accept })
  let renewedToken = false
  let mayBeDone = false
  for (let attempt = 1; ; attempt += 1) {
    signal.throwIfAborted()
    const token = await unlessAborted(tokens.token(), signal)
    const outcome: Outcome<T> = await once(prepared, { token, signal, timeoutMs, read, goneIsDone: mayBeDone })
    if (outcome.isAnswered) return outcome.answer
    const { isWorthRepeating, askedToWaitMs } = outcome
    const error: Error = outcome.error
    // Its key may have been withdrawn, or it was revoked: one new token is tried, without waiting.
    const refusedToken = error instanceof ProblemError && error.code === 'unauthorized'
    if (refusedToken && !renewedToken && tokens.forget(token)) {
      renewedToken = true
      continue
    }
    if (!isWorthRepeating) throw error
    mayBeDone ||= asked.goneIsDone === true && error instanceof UnreachableError
    const pauseMs = pauseBeforeNext(retry, { attempt, retryAfterMs: askedToWaitMs, random: random() })
    if (pauseMs === null) throw error
    settled.onRetry?.({ attempt, pauseMs, error })
    await pause(pauseMs, signal)
  }
}

async function answerOf(response: Response): Promise<{ readonly facts: AnswerFacts; readonly body: unknown }> {
  const text = await response.text()
  const body = text === '' || response.status === GONE ? null : bodyOf(response.url, text)
  return { facts: factsOf(response), body }
}

function bodyOf(url: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new UnreachableError(`${url} answered, but not with JSON as a broker does.`)
  }
}

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
