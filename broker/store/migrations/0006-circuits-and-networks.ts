/** What replicas share about providers: the state of their circuits, and which organisation has which network. */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `create table circuits (
    provider_id text not null,
    kind text not null,
    state text not null,
    failing_since bigint,
    open_until bigint,
    trial_until bigint,
    changed_at bigint not null,
    primary key (provider_id, kind)
  )`,

  // The two keys are the rule: a network has one organisation, and an organisation one network in a cluster.
  `create table network_leases (
    cluster_id text not null,
    network text not null,
    organization_id text not null,
    since bigint not null,
    primary key (cluster_id, network),
    unique (cluster_id, organization_id)
  )`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
