/** Refusals are decisions too, also of what never became an allocation; and the calendar of a start is found by what lives. */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `alter table decisions alter column allocation_id drop not null`,
  `create index decisions_by_time on decisions (at, sequence)`,
  `create index reservations_live on reservations (allocation_id) where phase <> 'ended'`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
