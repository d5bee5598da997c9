/**
 * Waiting for what somebody else has begun: a token that several calls want, a group that another call is asking for.
 * Who waits keeps his own deadline; giving up does not end the work for the others.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import type { EpochMs } from '../../shared/time.ts'

interface When {
  readonly call: Call
  readonly now: EpochMs
}

/** Beyond this a timer of Node fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** @throws ProviderError `unreachable` with effect `none` when the call has ended: nothing more may leave for it */
export function assertOngoing({ call, now }: When): void {
  if (call.signal.aborted) throw ended('ABORTED')
  if (call.deadlineAt <= now) throw ended('DEADLINE')
}

/** @throws ProviderError `unreachable` with effect `none` when the call ends before the work; else what the work throws */
export async function unlessEnded<T>(work: Promise<T>, when: When): Promise<T> {
  assertOngoing(when)
  const { call, now } = when
  const end = Promise.withResolvers<never>()
  const onAbort = (): void => end.reject(ended('ABORTED'))
  const remainingMs = Math.min(call.deadlineAt - now, LONGEST_TIMER_MS)
  const timer = setTimeout(() => end.reject(ended('DEADLINE')), remainingMs)
  call.signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await Promise.race([work, end.promise])
  } finally {
    clearTimeout(timer)
    call.signal.removeEventListener('abort', onAbort)
  }
}

const ended = (code: 'DEADLINE' | 'ABORTED') =>
  new ProviderError('unreachable', `the call ended while it waited for another (${code})`, { effect: 'none', code })

export interface Turns {
  /** Runs the work once nobody else who gave this key is at it, in the order of asking. */
  take<T>(key: string, when: When, work: () => Promise<T>): Promise<T>
}

export function createTurns(): Turns {
  const last = new Map<string, Promise<void>>()
  return {
    async take(key, when, work) {
      const before = last.get(key) ?? Promise.resolve()
      const own = Promise.withResolvers<void>()
      const tail = before.then(() => own.promise)
      last.set(key, tail)
      void tail.then(() => last.get(key) === tail && last.delete(key))
      try {
        await unlessEnded(before, when)
        return await work()
      } finally {
        own.resolve()
      }
    },
  }
}
