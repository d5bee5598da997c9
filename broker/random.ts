/** Random bytes for ids. A draw from the system costs a call to it whatever its size, so some hundred ids share one. */
import { randomBytes } from 'node:crypto'

const DRAWN_BYTES = 4_096

let drawn = Buffer.alloc(0)
let used = 0

/** Handed out once, and never again. @param size at most 4,096 */
export function randomIdBytes(size: number): Buffer {
  if (used + size > drawn.length) {
    drawn = randomBytes(DRAWN_BYTES) // a new one: what was handed out of the last is its taker's
    used = 0
  }
  used += size
  return drawn.subarray(used - size, used)
}
