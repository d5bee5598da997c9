/**
 * What reading the log of events by its filters needs (a list within a million of them must not walk all of them), what
 * was told of ends that come near, and who is sent events.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `create index events_by_allocation on events (allocation_id, sequence) where allocation_id is not null`,
  `create index events_by_organization on events (organization_id, sequence) where organization_id is not null`,
  `create index events_by_provider on events (provider_id, sequence) where provider_id is not null`,
  `create index events_by_type on events (type, sequence)`,

  `alter table allocations add column ending_told_at bigint`,

  // Secrets stand here as they are: whoever may read this table could sign in the broker's name.
  `create table webhooks (
    id text primary key,
    sequence bigint not null unique,
    url text not null,
    types json,
    description text,
    organization_id text,
    provider_id text,
    secret text not null,
    previous_secret text,
    previous_until bigint,
    version integer not null,
    created_at bigint not null,
    updated_at bigint not null,
    position bigint not null,
    failures integer not null,
    paused_until bigint not null,
    last_success_at bigint,
    claim_token text,
    claimed_until bigint
  )`,

  // One row per event that was sent, or tried; what an endpoint has not come to yet is behind its position in the log.
  `create table webhook_deliveries (
    id text primary key,
    webhook_id text not null references webhooks (id) on delete cascade,
    event_sequence bigint not null,
    event_id text not null,
    event_type text not null,
    status text not null,
    attempts integer not null,
    created_at bigint not null,
    last_attempt_at bigint,
    next_attempt_at bigint,
    give_up_at bigint not null,
    response_status integer,
    error text,
    unique (webhook_id, event_sequence)
  )`,
  `create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_attempt_at) where next_attempt_at is not null`,
  `create index webhook_deliveries_by_age on webhook_deliveries (created_at)`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
