/**
 * What was found out about a token, remembered for a short time: verifying is the dearest step before the database.
 * Tokens are kept by their hash only. Bounded; the longest unused goes first.
 */
import { hash } from 'node:crypto'
import type { EpochMs } from '../../shared/time.ts'

export interface Remembered<T> {
  readonly value: T
  /** From this instant on it is forgotten. */
  readonly until: EpochMs
}

export interface TokenCache<T> {
  /** What is remembered, else what `look` finds out; askers at the same time share one look. A failed one is not kept. */
  recall(token: string, look: () => Promise<Remembered<T>>): Promise<T>
}

export interface TokenCacheOptions {
  readonly maxEntries: number
  readonly now: () => EpochMs
}

export function createTokenCache<T>({ maxEntries, now }: TokenCacheOptions): TokenCache<T> {
  const entries = new Map<string, Remembered<T>>()
  const pending = new Map<string, Promise<Remembered<T>>>()

  function keep(key: string, entry: Remembered<T>): void {
    if (entry.until <= now()) return
    entries.set(key, entry)
    // A Map gives its keys oldest first.
    for (const oldest of entries.keys()) {
      if (entries.size <= maxEntries) break
      entries.delete(oldest)
    }
  }

  return {
    async recall(token, look) {
      const key = hash('sha256', token, 'base64url')
      const entry = entries.get(key)
      entries.delete(key)
      if (entry !== undefined && entry.until > now()) {
        entries.set(key, entry)
        return entry.value
      }
      let looking = pending.get(key)
      if (looking === undefined) {
        looking = look().finally(() => pending.delete(key))
        pending.set(key, looking)
      }
      const found = await looking
      keep(key, found)
      return found.value
    },
  }
}
