/** Waiting for a condition, with a deadline that shows what was seen last. */

/** Each look is a request that the broker under test has to answer beside its work. */
const PAUSE_MS = 100
/** Twice what a circuit's pause, a dead one's lease or a call's deadline takes, and what a slow machine adds. */
const PATIENCE_MS = 90_000

/** For a whole test: several waits, one after the other. */
export const WITHIN_MS = 4 * PATIENCE_MS

export async function eventually<T>(
  what: string,
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const giveUpAt = performance.now() + patienceMs
  for (;;) {
    const value = await read()
    if (wanted(value)) return value
    if (performance.now() > giveUpAt) {
      throw new Error(`never came true: ${what}; seen last: ${JSON.stringify(value)?.slice(0, 3_000)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
}
