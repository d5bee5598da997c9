/** The start that an allocation was told first, and the traces that allocations and events belong to. */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `alter table allocations add column told_start_at bigint`,
  // What they were told before is not known any more; what they are told now is nearest to it.
  `update allocations set told_start_at = coalesce(estimated_start_at, start_at) where status in ('waitlisted', 'scheduled')`,
  `alter table allocations add column traceparent text`,
  `alter table events add column traceparent text`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
