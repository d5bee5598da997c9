/** Where the command line writes, as far as what it writes depends on it. A test hands in one that remembers. */
import { styleText } from 'node:util'

export interface Terminal {
  /** What was asked for: standard output. */
  readonly write: (text: string) => void
  /** What is said about it: standard error. */
  readonly writeError: (text: string) => void
  /** Whether a person is looking who sees a line change in place. */
  readonly isInteractive: boolean
  readonly hasColor: boolean
  /** Width in cells of a fixed-width font. */
  readonly columns: number
}

const DEFAULT_COLUMNS = 100

interface Stream {
  readonly isTTY?: boolean
  readonly columns?: number
  hasColors?(): boolean
  write(text: string): unknown
}

/** @param env `NO_COLOR` with any value, and `TERM=dumb`, are respected */
export function terminalOf(streams: {
  readonly stdout: Stream
  readonly stderr: Stream
  readonly env: Readonly<Record<string, string | undefined>>
}): Terminal {
  const { stdout, stderr, env } = streams
  const isDumb = env['TERM'] === 'dumb'
  const isInteractive = stdout.isTTY === true && !isDumb
  return {
    write: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    isInteractive,
    hasColor: isInteractive && (env['NO_COLOR'] ?? '') === '' && stdout.hasColors?.() === true,
    columns: stdout.columns ?? DEFAULT_COLUMNS,
  }
}

export type Paint = (style: 'red' | 'green' | 'yellow' | 'cyan' | 'bold' | 'dim', text: string) => string

export const paintFor = ({ hasColor }: Terminal): Paint =>
  hasColor ? (style, text) => styleText(style, text, { validateStream: false }) : (_style, text) => text
