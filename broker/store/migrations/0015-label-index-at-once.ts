/**
 * What is new goes into the index of labels at once. An index of this kind otherwise keeps it in a list for later, which
 * every search for a label walks along: megabytes of it, some hundred times what the search takes in the index.
 */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`alter index allocations_by_label set (fastupdate = off)`.execute(db)
  await sql`select gin_clean_pending_list('allocations_by_label')`.execute(db)
}
