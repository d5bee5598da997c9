/**
 * What sweeps found at each provider. A finding's row lives as long as sweeps find the thing; deletions are kept beside
 * them, because their number per hour is bounded also after the node, and with it its finding, is gone.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `alter table installation add column deletes_held boolean not null default false`,

  `create table sweeps (
    provider_id text primary key,
    started_at bigint,
    duration_ms integer,
    next_at bigint not null,
    claim_token text,
    claimed_until bigint
  )`,

  `create table sweep_findings (
    provider_id text not null,
    kind text not null,
    provider_instance_id text not null,
    what text not null,
    name text not null,
    allocation_id text,
    cluster_id text,
    since bigint not null,
    action text not null,
    approved boolean not null,
    primary key (provider_id, kind, provider_instance_id)
  )`,

  `create table sweep_deletions (
    provider_id text not null,
    provider_instance_id text not null,
    at bigint not null,
    primary key (provider_id, provider_instance_id)
  )`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
