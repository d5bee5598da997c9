/** Reads a list into memory, at most `atMost` items of it: further pages are not asked for. */
export async function collect<T>(list: AsyncIterable<T>, atMost = 100_000): Promise<T[]> {
  const items: T[] = []
  if (atMost === 0) return items
  for await (const item of list) {
    items.push(item)
    if (items.length >= atMost) break
  }
  return items
}
