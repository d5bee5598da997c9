/** Telling a database that is away, and will be back, or that is set up wrongly, from a mistake of ours. */

/** Of the socket; and SQLSTATE: connection lost, server shut down or starting, no connection left. */
const AWAY_CODE =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|08...|57P0[123]|53300)$/

/** What `pg` has no code for: a connection that ended under a query, or before it, or was not had in time. */
const AWAY_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Client (has encountered a connection error|was closed))/

/**
 * Whether the database could not be reached, or was lost on the way. A transaction that fails so may have been committed:
 * it is not run again here, and whoever asked for it asks again under the same idempotency key.
 */
export const isDatabaseAway = (error: unknown): boolean =>
  error instanceof Error &&
  (AWAY_CODE.test(String((error as NodeJS.ErrnoException).code)) || AWAY_MESSAGE.test(error.message))

/**
 * SQLSTATE of a statement that was ended because it, or a lock that it waited for, took too long; and of a server that only
 * reads, as one does that another took over from. Nothing was done.
 */
const NOT_NOW_CODE = /^(57014|25006)$/

/** Whether what failed is worth asking for again: the database is away, has too much to do, or is about to be another one. */
export const isPassing = (error: unknown): boolean =>
  isDatabaseAway(error) || (error instanceof Error && NOT_NOW_CODE.test(String((error as NodeJS.ErrnoException).code)))

/** SQLSTATE of a server that is there and does not let us in: another user, password or name of the database. */
const CLOSED_CODE = /^(28...|3D000)$/

/** In words for whoever set it up, and without a password, which no such error repeats; null for any other error. */
export function whyNoDatabase(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const { code = '', message } = error as NodeJS.ErrnoException
  if (CLOSED_CODE.test(code)) return `the database does not let the broker in (${message})`
  // For a host with several addresses the message is empty: none of them answers.
  return isDatabaseAway(error) ? `the database cannot be reached (${message === '' ? code : message})` : null
}
