/** What the tour says is checked where it says it: a claim that does not come true is red, and fails the tour. */
import { type Terminal, paintFor } from '../broker/cli/screen/terminal.ts'

export interface Claims {
  /** @param found what was seen instead, if the claim does not hold */
  claim(sentence: string, holds: boolean, found?: unknown): void
  readonly made: number
  readonly broken: number
}

export function createClaims(terminal: Terminal): Claims {
  const paint = paintFor(terminal)
  let [made, broken] = [0, 0]
  return {
    claim(sentence, holds, found) {
      made += 1
      if (holds) {
        terminal.write(`  ${paint('green', '✔')} ${sentence}\n`)
        return
      }
      broken += 1
      const instead = found === undefined ? '' : ` Found: ${typeof found === 'string' ? found : JSON.stringify(found)}`
      terminal.write(`  ${paint('red', `✘ ${sentence} NOT TRUE.${instead}`)}\n`)
    },
    get made() {
      return made
    },
    get broken() {
      return broken
    },
  }
}
