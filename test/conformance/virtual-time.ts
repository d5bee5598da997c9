/**
 * A time that goes on by itself once nothing is left to do at the instant: what only waits takes no time, and however slow
 * the machine is, nothing is ever late. For what waits by timers alone: an answer from a socket would come years later.
 */
import { syncBuiltinESMExports } from 'node:module'
import { mock } from 'node:test'

const realSetImmediate = setImmediate

/** From one instant of virtual time to the next. */
const TICK_MS = 1

/** Runs `work` with `Date` and all timeouts in virtual time, whose first instant is the present one. */
export async function inVirtualTime<T>(work: () => Promise<T>): Promise<T> {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.now() })
  syncBuiltinESMExports() // for `import { setTimeout } from 'node:timers/promises'`
  const over = new AbortController()
  const working = work().finally(() => over.abort())
  try {
    while (!over.signal.aborted) {
      // Whatever can go on without time has gone on when this comes.
      await new Promise((resolve) => realSetImmediate(resolve))
      mock.timers.tick(TICK_MS)
    }
    return await working
  } finally {
    mock.timers.reset()
    syncBuiltinESMExports()
  }
}
