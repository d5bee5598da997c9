/**
 * Asking again within one call of the contract, where surely nothing happened: after a pause with full jitter, a few
 * times, within the call's deadline, and out of a budget, so that an operator in trouble is not asked the more for it.
 * What may have happened is never asked again here: whoever called looks at the list first.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { type ProviderErrorKind, ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'

export interface RetryBudget {
  /** To be called for each first attempt. */
  earn(): void
  /** @returns whether one more attempt may be made */
  spend(): boolean
  /** Attempts that are left. */
  left(): number
}

/** One attempt in ten may be a repeated one; */
const EARNED_PER_CALL = 0.1
/** and a few more, so that a provider that is seldom called is not given up at its first stumble. */
const MOST_KEPT = 10

export function createRetryBudget(): RetryBudget {
  let left = MOST_KEPT
  return {
    earn() {
      left = Math.min(MOST_KEPT, left + EARNED_PER_CALL)
    },
    spend() {
      if (left < 1) return false
      left -= 1
      return true
    },
    left: () => left,
  }
}

const MOST_ATTEMPTS = 3
const FIRST_PAUSE_MS = 100
const LONGEST_PAUSE_MS = 2_000

const AGAIN: ReadonlySet<ProviderErrorKind> = new Set(['unreachable', 'throttled'])
/** The call's own end, our own queue, our own circuit: asking again at once would not help. */
const OWN_CODES: ReadonlySet<string | null> = new Set(['DEADLINE', 'ABORTED', 'QUEUED', 'QUEUE_FULL', 'CIRCUIT_OPEN'])

export interface Retrying {
  readonly budget: RetryBudget
  readonly now: () => EpochMs
  /** 0…1, for the jitter. */
  readonly random: () => number
  readonly onRetry: () => void
}

/** @throws what the last attempt threw */
export async function withRetries<T>(call: Call, attempt: () => Promise<T>, retrying: Retrying): Promise<T> {
  const { budget, now, random, onRetry } = retrying
  budget.earn()
  for (let made = 1; ; made += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (made >= MOST_ATTEMPTS || call.signal.aborted || !isWorthAgain(error)) throw error
      const jitteredMs = random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** made)
      const pauseMs = Math.max(error.retryAfterMs ?? 0, jitteredMs)
      if (now() + pauseMs >= call.deadlineAt || !budget.spend()) throw error
      onRetry()
      await pause(pauseMs, undefined, { signal: call.signal }).catch(() => undefined)
      if (call.signal.aborted) throw error
    }
  }
}

const isWorthAgain = (error: unknown): error is ProviderError =>
  error instanceof ProviderError && error.effect === 'none' && AGAIN.has(error.kind) && !OWN_CODES.has(error.code)
