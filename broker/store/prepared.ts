/**
 * Statements that are parsed and planned once for each connection, and not each time: those of every commit are long, and
 * planning them costs as much as a fifth of carrying them out. Only what gives no rows of `*` back may be marked: such a
 * statement would fail once another version of the broker has added a column.
 */
import type pg from 'pg'

/** What a statement begins with that is to be kept. */
export const PREPARED = '/* prepared */ '

/** Texts differ by the tables that are written together, of which there are a few dozen in use; others are sent as they are. */
const MOST_STATEMENTS = 100

/** From now on the client keeps what is marked. */
export function keepPrepared(client: pg.PoolClient): void {
  const names = new Map<string, string>()
  const nameOf = (text: string): string | undefined => {
    if (!text.startsWith(PREPARED)) return undefined
    if (!names.has(text) && names.size < MOST_STATEMENTS) names.set(text, `kept_${names.size}`)
    return names.get(text)
  }
  const send = client.query.bind(client) as (...args: unknown[]) => unknown
  client.query = ((text: unknown, values: unknown, ...rest: unknown[]) => {
    const name = typeof text === 'string' ? nameOf(text) : undefined
    return name === undefined ? send(text, values, ...rest) : send({ name, text, values }, ...rest)
  }) as typeof client.query // of its many forms only the first argument is looked at
}
