/** Telling a database that is away, and will be back, from a mistake of ours. */

/** Of the socket; and SQLSTATE: connection lost, server shut down or starting, no connection left. */
const AWAY_CODE = /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|08...|57P0[123]|53300)$/

/** What `pg` has no code for: a connection that ended under a query, or was not had in time. */
const AWAY_MESSAGE =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/

/**
 * Whether the database could not be reached, or was lost on the way. A transaction that fails so may have been committed:
 * it is not run again here, and whoever asked for it asks again under the same idempotency key.
 */
export const isDatabaseAway = (error: unknown): boolean =>
  error instanceof Error &&
  (AWAY_CODE.test(String((error as NodeJS.ErrnoException).code)) || AWAY_MESSAGE.test(error.message))
