/** Ends what tests have started. */

/**
 * One after the other, each whatever became of those before: what runs on would keep the process from ending.
 *
 * @throws what the first of those threw that did
 */
export async function closeAll(...closing: readonly (() => unknown)[]): Promise<void> {
  const failures: unknown[] = []
  for (const close of closing) {
    try {
      await close()
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw failures[0]
}
