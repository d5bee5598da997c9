/**
 * Looking before creating, shared: a large allocation asks for dozens of groups at once, and one list of the allocation
 * answers for all of them. A call is served only by a list that began after the call did.
 */
import type { AdapterContext, Call, ProviderNode } from '../../shared/provider.ts'
import { type Flight, launchFlight } from '../flight.ts'

export interface Looks {
  /** What a list that begins from now on shows of the group; of its whole allocation, where others look as well. */
  at(allocationPrefix: string, group: string, call: Call): Promise<readonly ProviderNode[]>
}

type List = (name: string, call: Call) => Promise<readonly ProviderNode[]>

interface Next {
  readonly flight: Flight<readonly ProviderNode[]>
  readonly groups: Set<string>
}

interface Pair {
  /** Its list has begun: it is too old for who comes now. */
  running: Promise<unknown> | null
  /** Begins when that one has ended. */
  next: Next | null
}

export function createLooks(list: List, now: AdapterContext['now']): Looks {
  const pairs = new Map<string, Pair>()

  const launch = (prefix: string, pair: Pair, call: Call): Next => {
    const groups = new Set<string>()
    const look = async (signal: AbortSignal): Promise<readonly ProviderNode[]> => {
      await pair.running?.catch(() => undefined) // its own callers get its error
      if (pair.next === next) pair.next = null
      const [only, ...others] = groups
      const name = only !== undefined && others.length === 0 ? only : prefix
      const listing = list(name, { ...call, signal, deadlineAt: Number.MAX_SAFE_INTEGER }) // ends with its last caller
      pair.running = listing
      try {
        return await listing
      } finally {
        if (pair.running === listing) pair.running = null
        if (pair.running === null && pair.next === null) pairs.delete(prefix)
      }
    }
    const next: Next = { flight: launchFlight(look, now), groups }
    return next
  }

  return {
    async at(prefix, group, call) {
      const pair = pairs.get(prefix) ?? { running: null, next: null }
      pairs.set(prefix, pair)
      const next = pair.next === null || pair.next.flight.isAbandoned() ? launch(prefix, pair, call) : pair.next
      pair.next = next
      next.groups.add(group)
      return await next.flight.join(call)
    },
  }
}
