/** Runs `work` on every item, at most `atOnce` at a time; rejects with the first error once all have ended. */
export async function eachAtOnce<T>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values()
  const lane = async (): Promise<void> => {
    for (const item of queue) await work(item)
  }
  const results = await Promise.allSettled(Array.from({ length: Math.min(atOnce, items.length) }, lane))
  for (const result of results) if (result.status === 'rejected') throw result.reason
}
