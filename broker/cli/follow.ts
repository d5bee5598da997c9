/** Looks at allocations again and again until all of them are where they should be. */
import type { Allocation, AllocationStatus } from '../../shared/allocation.ts'
import type { Client } from '../client/client.ts'

export interface FollowOptions {
  readonly client: Client
  readonly ids: readonly string[]
  readonly isDone: (allocation: Allocation) => boolean
  /** Told of each look, in the order of `ids`. */
  readonly onLook: (allocations: readonly Allocation[]) => void
  /** Between two looks. */
  readonly intervalMs: number
  /** Given up after so long. */
  readonly timeoutMs: number
  readonly now: () => number
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly signal: AbortSignal
}

export interface Followed {
  /** As last seen. */
  readonly allocations: readonly Allocation[]
  /** False when the time was up first. */
  readonly isDone: boolean
}

/** What is final is not looked at again: nothing in it changes. @throws what the client throws */
export async function follow(options: FollowOptions): Promise<Followed> {
  const { client, ids, isDone, onLook, now, signal } = options
  const giveUpAt = now() + options.timeoutMs
  let seen: readonly Allocation[] = []
  while (true) {
    const before = seen
    seen = await Promise.all(
      ids.map(async (id, index) => {
        const last = before[index]
        return last !== undefined && isFinal(last.status) ? last : await client.getAllocation(id, { signal })
      }),
    )
    onLook(seen)
    if (seen.every(isDone)) return { allocations: seen, isDone: true }
    if (now() >= giveUpAt) return { allocations: seen, isDone: false }
    await options.pause(options.intervalMs, signal)
  }
}

const FINAL: ReadonlySet<AllocationStatus> = new Set<AllocationStatus>(['released', 'cancelled'])

/** Whether nothing can follow. A `failed` one may be taken up again, but by hand only. */
export const isFinal = (status: AllocationStatus): boolean => FINAL.has(status)

/** Whether nothing follows by itself. */
export const isOver = (status: AllocationStatus): boolean => isFinal(status) || status === 'failed'
