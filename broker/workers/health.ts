/**
 * Asks each provider from time to time whether it answers, so that one that is down is known to be before somebody needs
 * it, and one that is back is used again without anybody's work being the trial.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import { SECOND_MS } from '../../shared/time.ts'
import type { ProviderEntry } from '../providers/directory.ts'
import { type Loop, startLoop } from './loop.ts'
import type { LookContext } from './steps.ts'

const PING_EVERY_MS = 10 * SECOND_MS
/** One that did not answer is asked again soon: a few failures make the circuit open. */
const PING_AGAIN_MS = SECOND_MS
/** A ping that is not answered for so long is as good as none. */
const DEADLINE_MS = 5 * SECOND_MS

export function startHealth(context: LookContext, onError: (error: unknown) => void): Loop {
  const loops = context.directory.entries.map((entry) =>
    startLoop({ pauseAfterErrorMs: PING_EVERY_MS, onError, round: () => ping(context, entry) }),
  )
  return {
    poke() {
      for (const loop of loops) loop.poke()
    },
    async stop() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}

/** @returns ms until the next one */
async function ping({ app, signal }: LookContext, entry: ProviderEntry): Promise<number> {
  try {
    await entry.provider.ping({ operationId: `ping-${entry.id}`, deadlineAt: app.now() + DEADLINE_MS, signal })
    return PING_EVERY_MS
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return PING_AGAIN_MS // its circuits, its health and its metrics tell
  }
}
