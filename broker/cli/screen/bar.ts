/** How far a computation is: a bar that grows in place for somebody who looks, and a line for each part in a log. */
import { createLive } from './live.ts'
import { type Terminal, paintFor } from './terminal.ts'
import { fitTo } from './width.ts'

export interface Bar {
  /** @param share done, 0 to 1; a part at 1 stays as it is and the next begins below it */
  show(part: string, share: number, text: string): void
  /** What is shown stays. */
  leave(): void
}

const CELLS = 24
const PART_CELLS = 40

/** On standard error where nobody looks: what was asked for may be going into a file. */
export function createBar(terminal: Terminal): Bar {
  if (!terminal.isInteractive) {
    return {
      show: (part, share, text) => (share < 1 ? undefined : terminal.writeError(`${part}: ${text}\n`)),
      leave: () => {},
    }
  }
  const live = createLive(terminal)
  const paint = paintFor(terminal)
  return {
    show(part, share, text) {
      const filled = Math.floor(CELLS * Math.min(1, share))
      const bar = paint('cyan', '█'.repeat(filled)) + paint('dim', '░'.repeat(CELLS - filled))
      live.show([`${fitTo(PART_CELLS, part)}${bar}  ${text}`])
      if (share >= 1) live.leave()
    },
    leave: () => live.leave(),
  }
}
