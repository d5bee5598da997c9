/** What a tour needs, and what each of its chapters is handed. */
import type { Terminal } from '../broker/cli/screen/terminal.ts'
import type { Client } from '../broker/client/client.ts'
import type { SandboxUrls } from './sandbox/for-broker.ts'
import type { Claims } from './tour-claims.ts'

export interface TourOptions {
  readonly client: Client
  readonly sandboxUrls: SandboxUrls
  readonly terminal: Terminal
  /** Epoch ms. */
  readonly now: () => number
  /** Waits; rejects when the signal aborts. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>
  readonly signal: AbortSignal
}

/** What every chapter is handed. */
export interface Tour extends TourOptions, Pick<Claims, 'claim'> {
  /** A line of the story. */
  readonly say: (line: string) => void
}
