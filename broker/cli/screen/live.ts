/** Lines that change in place while somebody looks, and stay as they were last when they are left. */
import type { Terminal } from './terminal.ts'
import { cutTo, widthOf } from './width.ts'

export interface Live {
  /** Replaces what is shown. */
  show(lines: readonly string[]): void
  /** What is shown stays; the next `show` begins below it. */
  leave(): void
}

const UP_AND_CLEAR = '\u001b[1A\u001b[2K'

/** Only for a terminal that `isInteractive`: elsewhere the control characters would be in the text. */
export function createLive({ write, columns }: Terminal): Live {
  let height = 0
  return {
    show(lines) {
      // A line that wraps would take two, and one would be left over at the next change.
      const fitting = lines.map((line) => (widthOf(line) < columns ? line : cutTo(columns - 1, line)))
      write(UP_AND_CLEAR.repeat(height) + fitting.map((line) => `${line}\n`).join(''))
      height = fitting.length
    },
    leave() {
      height = 0
    },
  }
}
