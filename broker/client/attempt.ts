/** One attempt at a call: with a deadline of its own, and told apart by whether another one may help. */
import { randomUUID } from 'node:crypto'
import { SECOND_MS } from '../../shared/time.ts'
import type { Asked } from './exchange.ts'
import { ProblemError, UnreachableError, errorOf } from './problem-error.ts'
import { isRetryable, retryAfterMs } from './retry.ts'

export const GONE = 404
/** Answered only to a condition that the call has set. */
const NOT_MODIFIED = 304

/** A call that is ready to be sent, however often. */
export interface Prepared {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

export type Outcome<T> =
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
  /** Whether what is not there is what was asked for. */
  readonly goneIsDone: boolean
  /** Makes of a success what is asked for; the deadline holds until it has. */
  readonly read: (response: Response) => Promise<T>
}

/** @throws the signal's reason, once it is aborted */
export async function once<T>(prepared: Prepared, attempt: Attempt<T>): Promise<Outcome<T>> {
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
    const { ok, status } = response
    if (ok || (attempt.goneIsDone && status === GONE) || ('if-none-match' in headers && status === NOT_MODIFIED))
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

/** The runtime's own error only says "fetch failed"; its cause says what happened. */
function networkReason(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  if (!(cause instanceof Error)) return String(cause)
  return 'code' in cause ? String(cause.code) : cause.message
}

export const prepare = (
  asked: Asked,
  { baseUrl, accept }: { readonly baseUrl: string; readonly accept: string },
): Prepared => ({
  url: urlOf(baseUrl, asked),
  method: asked.method,
  headers: {
    accept,
    ...(asked.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(asked.method === 'POST' ? { 'idempotency-key': asked.idempotencyKey ?? randomUUID() } : {}),
    ...(asked.ifMatch === undefined ? {} : { 'if-match': asked.ifMatch }),
    ...(typeof asked.ifNoneMatch === 'string' ? { 'if-none-match': asked.ifNoneMatch } : {}),
    ...(asked.lastEventId === undefined ? {} : { 'last-event-id': asked.lastEventId }),
  },
  body: asked.body === undefined ? null : JSON.stringify(asked.body),
})

function urlOf(baseUrl: string, { path, query = {} }: Asked): string {
  const url = new URL(`${baseUrl.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url.href
}
