/**
 * A request under way that several calls wait for: each waits as long as it may, and the request ends when the last of
 * them has gone, so that nothing is asked for nobody.
 */
import { ProviderError } from '../shared/provider-error.ts'
import type { Call } from '../shared/provider.ts'

export interface Flight<T> {
  /** @throws ProviderError `unreachable`, effect `none`, when the call ends first; else whatever the request throws */
  join(call: Call): Promise<T>
  /** Whether everybody had gone: it ends without a result, so it is nothing to join. */
  isAbandoned(): boolean
}

const LONGEST_WAIT_MS = 3_600_000

/** @param run must change nothing at the operator: it may be ended half-way */
export function launchFlight<T>(run: (signal: AbortSignal) => Promise<T>, now: () => number): Flight<T> {
  const end = new AbortController()
  const result = run(end.signal)
  let waiting = 0
  return {
    isAbandoned: () => end.signal.aborted,
    async join(call) {
      const remainingMs = Math.ceil(call.deadlineAt - now())
      const { promise: ended, reject } = Promise.withResolvers<never>()
      const giveUp = (): void => reject(gaveUp())
      const timer = setTimeout(giveUp, Math.min(Math.max(0, remainingMs), LONGEST_WAIT_MS))
      call.signal.addEventListener('abort', giveUp, { once: true })
      if (call.signal.aborted || remainingMs <= 0) giveUp()
      waiting += 1
      try {
        return await Promise.race([result, ended])
      } finally {
        clearTimeout(timer)
        call.signal.removeEventListener('abort', giveUp)
        waiting -= 1
        if (waiting === 0) end.abort()
      }
    },
  }
}

const gaveUp = () =>
  new ProviderError('unreachable', 'the call ended while it waited for an answer that it shares', {
    effect: 'none',
    code: 'QUEUED',
  })
