/** What every command is handed: the world outside, so that a test can be one. */
import type { Env } from './environment.ts'
import type { Terminal } from './screen/terminal.ts'
import type { Text } from './text/text.ts'

export interface World {
  readonly terminal: Terminal
  readonly env: Env
  /** Epoch ms. */
  readonly now: () => number
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>
  /** The text of a file; `-` is standard input. */
  readonly readText: (path: string) => Promise<string>
  /** Aborts when the user has had enough. */
  readonly signal: AbortSignal
}

export interface Io extends World {
  /** In the user's language. */
  readonly t: Text
}

/** The command line was used in a way that cannot work; the sentence says what it wants. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
