/**
 * Usage, months that are settled, the audit trail, and what lists need among a hundred thousand allocations. Usage and the
 * audit trail are only ever added to; a meter that runs is a row without an end, and gets its end once.
 */
import { type Kysely, sql } from 'kysely'

const STATEMENTS = [
  `alter table calendar_head
    add column usage_closed_until bigint not null default 0,
    add column audit_sequence bigint not null default 0,
    add column audit_hash text not null default '${'0'.repeat(64)}'`,

  `alter table allocations add column ready_seen_at bigint`,

  // Facts of the cluster and of the approval stand in each row: what was counted once does not change with them.
  `create table usage_intervals (
    id text primary key,
    allocation_id text not null references allocations (id),
    approval_id text not null,
    organization_id text not null,
    organization_type text,
    program text not null,
    provider_id text not null,
    cluster_id text not null,
    share text not null,
    gpus_per_node integer not null,
    fp8_h200_thousandths integer not null,
    kind text not null,
    nodes integer not null,
    from_at bigint not null,
    to_at bigint,
    booked_at bigint
  )`,
  `create unique index usage_intervals_open on usage_intervals (allocation_id, kind) where to_at is null`,
  `create index usage_intervals_by_end on usage_intervals (to_at) where booked_at is null`,
  `create index usage_intervals_booked on usage_intervals (booked_at) where booked_at is not null`,
  `create index usage_intervals_by_organization on usage_intervals (organization_id, to_at)`,

  `create table usage_periods (
    period text primary key,
    closed_at bigint not null,
    lines json not null
  )`,

  `create table audit (
    sequence bigint primary key,
    at bigint not null,
    actor text not null,
    action text not null,
    resource text not null,
    outcome text not null,
    code text,
    request_id text not null,
    organization_id text,
    provider_id text,
    previous_hash text not null,
    hash text not null
  )`,
  `create index audit_by_age on audit (at)`,
  `create index audit_by_actor on audit (actor, sequence)`,
  `create index audit_by_action on audit (action, sequence)`,
  `create index audit_by_organization on audit (organization_id, sequence) where organization_id is not null`,
  `create index audit_by_provider on audit (provider_id, sequence) where provider_id is not null`,

  `create index allocations_by_provider on allocations (provider_id, sequence)`,
  `create index allocations_by_program on allocations (program, sequence)`,
  `create index nodes_by_instance on nodes (provider_instance_id) where provider_instance_id is not null`,
]

export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db)
}
