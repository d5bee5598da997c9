/** Who waits and was displaced: few of many, and looked for after each plan. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index allocations_displaced on allocations (sequence) where displaced_by is not null`.execute(db)
}
