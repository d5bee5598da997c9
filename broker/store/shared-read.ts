/**
 * One statement for all who ask together. While a read is on its way, those who come meanwhile gather for the next one:
 * the busier the broker, the more of them share a statement; one who comes alone does not wait. Nobody is shown less than
 * was committed when he asked, for what he shares begins after that.
 */

/**
 * @param readMany keys, each once → what there is of them; at most `limit` keys at a time
 * @returns the value of one key, undefined where there is none. Rejects as the shared read does
 */
export function shareByKey<K, V>(
  readMany: (keys: readonly K[]) => Promise<ReadonlyMap<K, V>>,
  limit = MAX_KEYS,
): (key: K) => Promise<V | undefined> {
  let gathering: { readonly keys: Set<K>; readonly read: Promise<ReadonlyMap<K, V>> } | null = null
  let last: Promise<unknown> = Promise.resolve()
  const gather = (): NonNullable<typeof gathering> => {
    const keys = new Set<K>()
    const read = last.then(() => {
      if (gathering?.keys === keys) gathering = null
      return readMany([...keys])
    })
    last = read.catch(() => undefined) // told to those who share it
    return { keys, read }
  }
  return async (key) => {
    if (gathering === null || gathering.keys.size >= limit) gathering = gather()
    const { keys, read } = gathering
    keys.add(key)
    return (await read).get(key)
  }
}

const MAX_KEYS = 100

/** The same for what has no key. */
export function share<T>(read: () => Promise<T>): () => Promise<T> {
  const shared = shareByKey<null, { readonly value: T }>(async () => new Map([[null, { value: await read() }]]))
  return async () => {
    const answer = await shared(null)
    if (answer === undefined) throw new Error('what was read is there')
    return answer.value
  }
}
