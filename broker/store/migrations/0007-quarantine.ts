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

  // Carries no tag of ours at its operator: it is known by its instance id.
  `alter table nodes add column adopted boolean not null default false`,
  `create index nodes_adopted on nodes (allocation_id) where adopted`,

  // The few whose time is over are looked for every few seconds.
  `create index reservations_running on reservations (held_until) where phase = 'running'`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
