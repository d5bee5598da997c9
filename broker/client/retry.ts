/** When a call is made again, and after how long. Plain values in, a number out: nothing here waits. */
import { SECOND_MS } from '../../shared/time.ts'

export interface RetryPolicy {
  /** The first one included. */
  readonly maxAttempts: number
  /** Before the second attempt at most; doubles with each further one. */
  readonly firstPauseMs: number
  readonly maxPauseMs: number
  /** The longest wait that a broker may ask for; one that asks for more is given up. */
  readonly maxRetryAfterMs: number
}

/** Some 12 s in all, enough for a broker to be started again. */
export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 7,
  firstPauseMs: 250,
  maxPauseMs: 5 * SECOND_MS,
  maxRetryAfterMs: 60 * SECOND_MS,
}

/** 502 and 504 come from a proxy in between; all of our calls may be repeated, so what it did does not matter. */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504])

/** The first try of the same key is still being answered: the next one gets its answer. */
const RETRYABLE_CODE = 'idempotency-in-flight'

export const isRetryable = (answer: { readonly status: number; readonly code: string | null }): boolean =>
  RETRYABLE_STATUS.has(answer.status) || answer.code === RETRYABLE_CODE

/** `Retry-After` in ms from now: seconds or an HTTP date; null for none or nonsense. */
export function retryAfterMs(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  if (/^\d{1,9}$/.test(header)) return Number(header) * SECOND_MS
  const at = Date.parse(header)
  return Number.isNaN(at) ? null : Math.max(0, at - nowMs)
}

export interface Failed {
  /** 1 for the first. */
  readonly attempt: number
  /** What the answer asked for; null for none. */
  readonly retryAfterMs: number | null
  /** 0 ≤ x < 1: spreads callers that failed together. */
  readonly random: number
}

/** How long to wait before the next attempt, in ms; null when there is none. */
export function pauseBeforeNext(policy: RetryPolicy, failed: Failed): number | null {
  if (failed.attempt >= policy.maxAttempts) return null
  const ceiling = Math.min(policy.maxPauseMs, policy.firstPauseMs * 2 ** (failed.attempt - 1))
  const jittered = ceiling / 2 + (ceiling / 2) * failed.random
  if (failed.retryAfterMs === null) return jittered
  // Later than asked by up to the same jitter, never sooner.
  return failed.retryAfterMs > policy.maxRetryAfterMs ? null : failed.retryAfterMs + jittered - ceiling / 2
}
