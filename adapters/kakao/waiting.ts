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

/** @throws ProviderError `unreachable` with effect `none` when the call has ended: nothing more may leave for it */
export function assertOngoing({ call, now }: When): void {
  if (call.signal.aborted || call.deadlineAt <= now) throw gaveUp()
}

/** @throws ProviderError `unreachable` with effect `none` when the call ends before the work; else what the work throws */
export function unlessEnded<T>(work: Promise<T>, { call, now }: When): Promise<T> {
  const remainingMs = Math.max(0, Math.ceil(call.deadlineAt - now))
  const signal = AbortSignal.any([call.signal, AbortSignal.timeout(remainingMs)])
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(gaveUp())
    if (signal.aborted) onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    void work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

const gaveUp = () =>
  new ProviderError('unreachable', 'the deadline passed while the call waited for another', {
    effect: 'none',
    code: 'WAITED',
  })

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
