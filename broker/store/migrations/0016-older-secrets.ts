/** The secrets of a webhook before the one before: each is used until its own time is over, however often it is rotated. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter table webhooks add column older_secrets json`.execute(db)
}
