/** What a backup holds: every table of ours, those first that others refer to. The queue of wake-ups is made anew. */
import { sql } from 'kysely'
import type { Queries } from '../database.ts'

export const BACKUP_TABLES = [
  'installation',
  'calendar_head',
  'calendar_log',
  'approvals',
  'allocations',
  'reservations',
  'node_groups',
  'nodes',
  'decisions',
  'events',
  'suspensions',
  'standings',
  'drains',
  'quarantines',
  'circuits',
  'network_leases',
  'webhooks',
  'webhook_deliveries',
  'idempotency_keys',
  'sweeps',
  'sweep_findings',
  'sweep_deletions',
  'usage_intervals',
  'usage_periods',
  'audit',
] as const

export interface TableColumn {
  readonly name: string
  /** As PostgreSQL writes it: `bigint`, `jsonb`. */
  readonly type: string
}

/** Empty where there is no such table. */
export async function columnsOf(db: Queries, table: string): Promise<readonly TableColumn[]> {
  const { rows } = await sql<TableColumn>`
    select attname::text as name, format_type(atttypid, atttypmod) as type from pg_attribute
    where attrelid = to_regclass(${table}) and attnum > 0 and not attisdropped order by attnum`.execute(db)
  return rows
}
