/** Watches the operators' ledgers while a run lasts: two nodes of one name are one too many, and not for long. */
import { setTimeout as pause } from 'node:timers/promises'
import { OPERATORS, type Operators } from '../durability/operators.ts'
import type { OperatorId } from '../support/sandbox.ts'

export interface Doubles {
  /** Names that stood twice at any time. */
  readonly names: number
  readonly longestMs: number
}

export interface Watch {
  doubles(): Doubles
  stop(): Promise<void>
}

const EVERY_MS = 250

export function watchForDoubles(operators: Operators): Watch {
  const seen = new Set<string>()
  const since = new Map<string, number>()
  let longestMs = 0
  const ended = new AbortController()

  async function lookAt(operator: OperatorId): Promise<void> {
    const { nodes } = await operators.ledger(operator)
    const once = new Set<string>()
    const doubled = new Set<string>()
    for (const { name, deletedAt } of nodes) {
      if (deletedAt !== null) continue
      const key = `${operator} ${name}`
      if (once.has(key)) doubled.add(key)
      once.add(key)
    }
    const now = performance.now()
    for (const name of doubled) {
      seen.add(name)
      since.set(name, since.get(name) ?? now)
    }
    for (const [name, at] of since) {
      if (!name.startsWith(`${operator} `)) continue
      longestMs = Math.max(longestMs, now - at)
      if (!doubled.has(name)) since.delete(name)
    }
  }

  async function watch(): Promise<void> {
    while (!ended.signal.aborted) {
      for (const operator of OPERATORS) await lookAt(operator)
      await pause(EVERY_MS, undefined, { signal: ended.signal }).catch(() => undefined) // told to stop
    }
  }

  const watching = watch()
  return {
    doubles: () => ({ names: seen.size, longestMs }),
    async stop() {
      ended.abort()
      await watching
    },
  }
}
