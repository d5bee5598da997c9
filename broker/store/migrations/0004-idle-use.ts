/** Idle-use: from when on a grant that has been given notice gives its nodes back. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table reservations add column reclaimed_at bigint').execute(db)
}
