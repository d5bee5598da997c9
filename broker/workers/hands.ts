/**
 * The broker's own hands: what is being made or deleted at a provider ends when the provider is frozen meanwhile, calls
 * that wait for their turn included. This replica's own freeze is felt at once, another's when it is looked for.
 */
import { SECOND_MS } from '../../shared/time.ts'
import type { Changes } from '../store/changes.ts'

export interface Hands {
  /** Runs what makes or deletes at the provider. @param work gets a signal that ends with `signal`, or with a freeze */
  at<T>(providerId: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T>
  noticed(changes: Pick<Changes, 'frozen'>): void
}

export interface HandsOptions {
  readonly frozen: () => Promise<ReadonlySet<string>>
  readonly onError: (error: unknown) => void
  /** How often it is looked for while anything is under way. Default: each second. */
  readonly everyMs?: number
}

export function createHands({ frozen, onError, everyMs = SECOND_MS }: HandsOptions): Hands {
  /** What is under way, and where. */
  const busy = new Map<AbortController, string>()
  let timer: NodeJS.Timeout | null = null

  const hold = (providerIds: ReadonlySet<string>): void => {
    for (const [work, providerId] of busy) if (providerIds.has(providerId)) work.abort()
  }
  const lookSoon = (): void => {
    timer ??= setTimeout(() => void look(), everyMs)
  }
  const look = async (): Promise<void> => {
    timer = null
    try {
      hold(await frozen())
    } catch (error) {
      onError(error)
    }
    if (busy.size > 0) lookSoon()
  }

  return {
    async at(providerId, signal, work) {
      const own = new AbortController()
      const end = (): void => own.abort()
      if (signal.aborted) end()
      signal.addEventListener('abort', end, { once: true })
      busy.set(own, providerId)
      lookSoon()
      try {
        return await work(own.signal)
      } finally {
        busy.delete(own)
        signal.removeEventListener('abort', end)
        if (busy.size === 0 && timer !== null) clearTimeout(timer)
        if (busy.size === 0) timer = null
      }
    },
    noticed(changes) {
      hold(new Set([...changes.frozen].flatMap(([providerId, isFrozen]) => (isFrozen ? [providerId] : []))))
    },
  }
}
