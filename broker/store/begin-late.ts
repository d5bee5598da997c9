/**
 * A transaction begins together with its first statement, as one message: whoever waits for the lock behind it waits for one
 * way to the database less.
 */
import type pg from 'pg'

type Send = (text: unknown, values?: unknown, ...rest: unknown[]) => Promise<pg.QueryResult>

/** From now on the client's `begin` waits for what follows it. */
export function beginLate(client: pg.PoolClient): void {
  const send = client.query.bind(client) as unknown as Send
  let isDue = false
  const query: Send = async (text, values, ...rest) => {
    if (text === 'begin') {
      isDue = true
      return { ...NOTHING, command: 'BEGIN' }
    }
    if (!isDue) return send(text, values, ...rest)
    isDue = false
    if (text === 'commit' || text === 'rollback') return { ...NOTHING, command: text.toUpperCase() }
    if (typeof text === 'string' && isNone(values)) {
      const both = (await send(`begin; ${text}`)) as unknown as readonly pg.QueryResult[] // one for each statement
      return both.at(-1) ?? NOTHING
    }
    await send('begin')
    return send(text, values, ...rest)
  }
  client.query = query // of its many forms only the first argument is looked at
}

const NOTHING: pg.QueryResult = { command: '', rowCount: null, oid: 0, fields: [], rows: [] }

const isNone = (values: unknown): boolean => values === undefined || (Array.isArray(values) && values.length === 0)
