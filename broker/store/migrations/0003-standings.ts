/** Where organisations stand when those who wait are served, and a way to what has ended lately. */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `create table standings (
    organization_id text primary key,
    rank integer not null
  )`,
  `create index reservations_ended on reservations (held_until) where phase = 'ended'`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
