/**
 * The first schema. Instants are bigint epoch milliseconds, as everywhere in the code: exact, the same on both engines,
 * and never touched by a session's time zone. What callers are shown again as they wrote it is `json`, which keeps the
 * order of members; what is only read by us is `jsonb`. GPU-time is bigint GPU-milliseconds. SQL stays within PostgreSQL 15.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `create table installation (
    singleton boolean primary key default true check (singleton),
    id text not null,
    created_at bigint not null
  )`,

  // The one lock: every transaction that decides, or that writes an event, holds this row until it commits. It carries
  // the numbers that must be gap-free or in commit order.
  `create table calendar_head (
    singleton boolean primary key default true check (singleton),
    version bigint not null,
    log_digest text not null,
    last_at bigint not null,
    event_sequence bigint not null,
    allocation_sequence bigint not null,
    decision_sequence bigint not null,
    catalogue jsonb not null
  )`,

  // Everything that ever changed the calendar, in order: a replica's cache and a replay are the same fold over it.
  `create table calendar_log (
    version bigint primary key,
    at bigint not null,
    op jsonb not null
  )`,

  `create table approvals (
    id text primary key,
    sequence bigint not null,
    organization_id text not null,
    organization_name text,
    organization_type text,
    program text not null,
    priority text not null,
    limits json not null,
    note text,
    status text not null,
    ended_gpu_ms bigint not null,
    version integer not null,
    created_at bigint not null,
    updated_at bigint not null
  )`,
  `create index approvals_by_sequence on approvals (sequence)`,

  `create table allocations (
    id text primary key,
    sequence bigint not null,
    approval_id text not null references approvals (id),
    organization_id text not null,
    program text not null,
    name text not null,
    priority text not null,
    status text not null,
    status_reason text,
    demand json not null,
    requires json not null,
    prefers json not null,
    period json not null,
    asked_start_at bigint not null,
    duration_ms bigint not null,
    latest_start_at bigint,
    access json not null,
    labels json not null,
    provider_id text,
    cluster_id text,
    nodes integer not null,
    start_at bigint,
    end_at bigint,
    decision_id text,
    waiting_since bigint,
    estimated_start_at bigint,
    estimated_cluster_id text,
    promised_start_at bigint,
    waiting_reason text,
    desired_nodes integer not null,
    ready_nodes integer not null,
    failed_nodes integer not null,
    group_counter integer not null,
    release_reason text,
    undoing jsonb,
    avoid jsonb not null,
    version integer not null,
    created_at bigint not null,
    updated_at bigint not null,
    active_at bigint,
    released_at bigint,
    next_look_at bigint,
    claim_token text,
    claimed_until bigint
  )`,
  `create unique index allocations_by_sequence on allocations (sequence)`,
  `create index allocations_by_approval on allocations (approval_id, sequence)`,
  `create index allocations_by_organization on allocations (organization_id, sequence)`,
  `create index allocations_by_cluster on allocations (cluster_id, sequence)`,
  `create index allocations_by_status on allocations (status, sequence)`,
  `create index allocations_due on allocations (next_look_at) where next_look_at is not null`,

  `create table reservations (
    allocation_id text primary key,
    approval_id text not null,
    organization_id text not null,
    cluster_id text not null,
    nodes integer not null,
    start_at bigint not null,
    end_at bigint not null,
    held_until bigint not null,
    phase text not null,
    priority text not null
  )`,
  `create index reservations_by_cluster on reservations (cluster_id, held_until)`,

  `create table node_groups (
    name text primary key,
    allocation_id text not null references allocations (id),
    size integer not null,
    asked_at bigint,
    effect text not null,
    not_before bigint not null,
    attempts integer not null
  )`,
  `create index node_groups_by_allocation on node_groups (allocation_id)`,

  `create table nodes (
    allocation_id text not null references allocations (id),
    ordinal integer not null,
    generation integer not null,
    name text not null unique,
    group_name text not null,
    provider_instance_id text,
    status text not null,
    address text,
    since bigint not null,
    last_error jsonb,
    primary key (allocation_id, ordinal, generation)
  )`,

  `create table decisions (
    id text primary key,
    sequence bigint not null unique,
    allocation_id text not null,
    at bigint not null,
    kind text not null,
    policy_version text not null,
    calendar_version bigint not null,
    input jsonb not null,
    input_digest text not null,
    candidates json not null,
    outcome json not null,
    supersedes text
  )`,
  `create index decisions_by_allocation on decisions (allocation_id, sequence)`,

  `create table events (
    sequence bigint primary key,
    id text not null unique,
    type text not null,
    subject text not null,
    at bigint not null,
    data jsonb not null,
    allocation_id text,
    organization_id text,
    provider_id text
  )`,

  // What is suspended or frozen now; the events have when and why.
  `create table suspensions (
    kind text not null,
    id text not null,
    primary key (kind, id)
  )`,

  `create table drains (
    id text primary key,
    cluster_id text not null,
    nodes integer not null,
    from_at bigint not null,
    to_at bigint not null,
    reason text not null,
    affected jsonb not null,
    created_at bigint not null,
    lifted_at bigint
  )`,
  `create index drains_by_cluster on drains (cluster_id, created_at, id)`,

  `create table idempotency_keys (
    client_id text not null,
    key text not null,
    digest text not null,
    at bigint not null,
    outcome json not null,
    primary key (client_id, key)
  )`,
  `create index idempotency_keys_by_age on idempotency_keys (at)`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
