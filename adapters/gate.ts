/**
 * The rate limit and the bulkhead of one provider: a caller enters when a place in flight is free and the operator's rate
 * allows one more call, in the order of asking. Waiting ends with the caller's signal, and the queue has an end.
 */
import { ProviderError } from '../shared/provider-error.ts'
import type { Traffic } from '../shared/provider.ts'

export interface GateOptions {
  readonly ratePerSecond: number
  readonly maxConcurrent: number
}

export interface Gate {
  /**
   * Resolves when the call may be sent, with the function that gives the place back.
   *
   * @throws ProviderError `throttled` when the queue is full; `unreachable` (effect `none`) when the signal ends first
   */
  enter(signal: AbortSignal): Promise<() => void>
  /**
   * The operator said that it is called too often: half the rate from now on, and nothing before `pauseMs` has passed; then
   * slowly up again, to the configured rate at most.
   */
  slowDown(pauseMs: number): void
  traffic(): Omit<Traffic, 'clockSkewMs'>
}

/** Beyond this many waiting, a provider is too slow for what is asked of it, and waiting only hides that. */
const MAX_WAITING = 5_000

/** Half a second's worth of calls may go at once after a pause. */
const BURST_SECONDS = 0.5

/** Answers of one burst are one complaint. */
const ONE_COMPLAINT_MS = 1_000
/** Never slower than this share of the configured rate: the broker would seem dead. */
const LEAST_SHARE = 1 / 16
/** Of the configured rate, for each second without a complaint: from half to all of it in some ten seconds. */
const REGAINED_PER_SECOND = 0.05
/** An operator that asks for more than this is down rather than busy; its calls would wait out their deadlines here. */
const LONGEST_BACK_OFF_MS = 60_000

/** Looked at again after this, however low the rate is. */
const LONGEST_PAUSE_MS = 60_000

interface Waiter {
  readonly admit: () => void
}

export function createGate({ ratePerSecond, maxConcurrent }: GateOptions): Gate {
  const burstAt = (perSecond: number): number => Math.max(1, Math.floor(perSecond * BURST_SECONDS))
  const waiters = new Set<Waiter>() // a Set keeps the order of asking and forgets in O(1)
  let rate = ratePerSecond
  let tokens = burstAt(rate)
  let slowedAt = Number.NEGATIVE_INFINITY
  let pausedUntil = Number.NEGATIVE_INFINITY
  let refilledAt = performance.now()
  let inFlight = 0
  let timer: NodeJS.Timeout | null = null

  const refill = (): void => {
    const at = performance.now()
    const seconds = (at - Math.max(refilledAt, Math.min(at, pausedUntil))) / 1_000
    rate = Math.min(ratePerSecond, rate + seconds * REGAINED_PER_SECOND * ratePerSecond)
    tokens = Math.min(burstAt(rate), tokens + seconds * rate)
    refilledAt = at
  }

  const admitWaiting = (): void => {
    refill()
    for (const waiter of waiters) {
      if (inFlight >= maxConcurrent || tokens < 1 || refilledAt < pausedUntil) break
      tokens -= 1
      inFlight += 1
      waiters.delete(waiter)
      waiter.admit()
    }
    if (waiters.size > 0 && inFlight < maxConcurrent && timer === null) {
      const untilNextMs = Math.max(Math.ceil(((1 - tokens) / rate) * 1_000), pausedUntil - performance.now())
      timer = setTimeout(onTimer, Math.min(untilNextMs, LONGEST_PAUSE_MS))
    }
  }

  const onTimer = (): void => {
    timer = null
    admitWaiting()
  }

  /** A timer without waiters would keep the process alive for nothing. */
  const forget = (waiter: Waiter): void => {
    waiters.delete(waiter)
    if (waiters.size > 0 || timer === null) return
    clearTimeout(timer)
    timer = null
  }

  const leave = (): void => {
    inFlight -= 1
    admitWaiting()
  }

  return {
    slowDown(pauseMs) {
      refill()
      const at = refilledAt
      pausedUntil = Math.max(pausedUntil, at + Math.min(pauseMs, LONGEST_BACK_OFF_MS))
      tokens = Math.min(tokens, 1)
      if (at - slowedAt < ONE_COMPLAINT_MS) return
      slowedAt = at
      rate = Math.max(rate / 2, ratePerSecond * LEAST_SHARE)
    },
    traffic() {
      refill()
      return { ratePerSecond: rate, inFlight, maxConcurrent, waiting: waiters.size }
    },
    enter(signal) {
      if (signal.aborted) return Promise.reject(waitedTooLong())
      if (waiters.size >= MAX_WAITING) return Promise.reject(queueFull())
      return new Promise((resolve, reject) => {
        const onAbort = (): void => {
          forget(waiter)
          reject(waitedTooLong())
        }
        const waiter: Waiter = {
          admit() {
            signal.removeEventListener('abort', onAbort)
            resolve(once(leave))
          },
        }
        signal.addEventListener('abort', onAbort, { once: true })
        waiters.add(waiter)
        admitWaiting()
      })
    },
  }
}

function once(action: () => void): () => void {
  let done = false
  return () => {
    if (done) return
    done = true
    action()
  }
}

const waitedTooLong = () =>
  new ProviderError('unreachable', 'the deadline passed while the call waited for its turn', {
    effect: 'none',
    code: 'QUEUED',
  })

const queueFull = () =>
  new ProviderError('throttled', `more than ${MAX_WAITING} calls wait for this provider`, {
    effect: 'none',
    code: 'QUEUE_FULL',
  })
