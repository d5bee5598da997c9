/** What displaced somebody who waits: kept until the next plan shows whether the promise still holds. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql.raw('alter table allocations add column displaced_by jsonb').execute(db)
}
