/** Lists by label: without it, a label that few allocations have is looked for in all of them. */
import { type Kysely, sql } from 'kysely'

export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index allocations_by_label on allocations using gin ((labels::jsonb) jsonb_path_ops)`.execute(db)
}
