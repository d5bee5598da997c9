/** Nodes whose release nobody has confirmed, and nodes that were taken over from a fleet that was in use already. */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  // What is in force: the operations' log has when each began and ended.
  `create table quarantines (
    allocation_id text primary key references allocations (id),
    cluster_id text not null,
    nodes integer not null,
    since bigint not null
  )`,

  // The few whose time is over are looked for every few seconds.
  `create index reservations_running on reservations (held_until) where phase = 'running'`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
