/**
 * A server that is gone without a word, or a way to it that ends somewhere else now, breaks no connection: whoever has asked
 * something would wait without an end, and everybody behind him. So a connection is ended on which nothing is answered for
 * longer than the server itself lets anything take.
 */
import type pg from 'pg'

/** From now on the client's connection ends when something is asked and for so long nothing answered. */
export function endInSilence(
  client: pg.PoolClient,
  { silenceMs, onBroken }: { readonly silenceMs: number; readonly onBroken: (error: Error) => void },
): void {
  const send = client.query.bind(client) as (...args: unknown[]) => Promise<unknown>
  let unanswered = 0
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    onBroken(new Error(`the database has not answered for ${silenceMs} ms`))
    void (client as pg.PoolClient & pg.Client).end() // who waits for an answer is told that it was terminated
  }
  client.query = (async (...args: unknown[]) => {
    unanswered += 1
    timer ??= setTimeout(end, silenceMs)
    try {
      return await send(...args)
    } finally {
      unanswered -= 1
      clearTimeout(timer)
      timer = unanswered === 0 ? undefined : setTimeout(end, silenceMs)
    }
  }) as typeof client.query // of its many forms only the one that is answered by a promise is used
}
