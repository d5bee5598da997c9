/** Chance that a seed repeats: whatever is drawn in the same order comes out the same. */
import { seededRandom } from '../../deploy/sandbox/faults.ts'

export interface Dice {
  /** A whole number, both ends included. */
  between(least: number, most: number): number
  one<T>(choices: readonly T[]): T
  /** Whether something of this probability comes true. */
  happens(probability: number): boolean
}

export function diceOf(seed: number): Dice {
  const unit = seededRandom(seed)
  const between = (least: number, most: number): number => least + Math.floor(unit() * (most - least + 1))
  return {
    between,
    one<T>(choices: readonly T[]) {
      return choices[between(0, choices.length - 1)] as T // every list here has members
    },
    happens: (probability) => unit() < probability,
  }
}
