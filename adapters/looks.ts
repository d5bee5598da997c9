/**
 * Looking before creating, shared: a large allocation asks for dozens of groups at once, and one list of the allocation
 * answers for all of them. A call is served only by a list that began after the call did.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { AdapterContext, Call } from '../shared/provider.ts'
import { type Flight, launchFlight } from './flight.ts'

export interface Looks<T> {
  /** What a list that begins from now on shows of the group; of its whole allocation, where others look as well. */
  at(allocationPrefix: string, group: string, call: Call): Promise<readonly T[]>
}

/** @param name what all names that are looked for begin with */
type List<T> = (name: string, call: Call) => Promise<readonly T[]>

/** Groups are asked for within some milliseconds of each other: the list waits for as many as that. */
const GATHER_MS = 5

interface Next<T> {
  readonly flight: Flight<readonly T[]>
  readonly groups: Set<string>
}

interface Pair<T> {
  /** Its list has begun: it is too old for who comes now. */
  running: Promise<unknown> | null
  /** Begins when that one has ended. */
  next: Next<T> | null
}

const gathered = (): Promise<void> => pause(GATHER_MS)

/** @param gather resolves when those who come together have come */
export function createLooks<T>(list: List<T>, now: AdapterContext['now'], gather = gathered): Looks<T> {
  const pairs = new Map<string, Pair<T>>()

  const launch = (prefix: string, pair: Pair<T>, call: Call): Next<T> => {
    const groups = new Set<string>()
    const look = async (signal: AbortSignal): Promise<readonly T[]> => {
      await pair.running?.catch(() => undefined) // its own callers get its error
      await gather()
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
    const next: Next<T> = { flight: launchFlight(look, now), groups }
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
