/** What organisations have consumed lately and are entitled to; and where they stand, as rows. */
import { sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { CalendarOp, Standing } from '../core/calendar-op.ts'
import type { Consumed, HalfLife } from '../core/standing.ts'
import type { Queries, Transaction } from './database.ts'
import type { LogEntry } from './head.ts'
import { insertRows } from './rows.ts'

/** Node-time of what has ended, by organisation and part of the time before. */
export async function consumedIn(db: Queries, parts: readonly HalfLife[]): Promise<readonly Consumed[]> {
  const oldest = Math.min(...parts.map((part) => part.from))
  const { rows } = await sql<Consumed>`
    select r.organization_id as "organizationId", p."halfLivesAgo",
      sum(r.nodes::bigint * (least(r.end_at, p."to") - greatest(r.start_at, p."from")))::bigint as "nodeMs"
    from reservations r
    join jsonb_to_recordset(${JSON.stringify(parts)}::jsonb) as p ("halfLivesAgo" integer, "from" bigint, "to" bigint)
      on r.start_at < p."to" and r.end_at > p."from"
    where r.phase = 'ended' and r.held_until > ${oldest}
    group by r.organization_id, p."halfLivesAgo"`.execute(db)
  return rows
}

/** Organisation → the GPU-hours that its valid approvals grant together. */
export async function entitledGpuHours(db: Queries, now: EpochMs): Promise<ReadonlyMap<string, number>> {
  const { rows } = await sql<{ organizationId: string; gpuHours: number }>`
    select organization_id as "organizationId", sum((limits ->> 'gpuHours')::numeric)::float8 as "gpuHours"
    from approvals
    where status = 'valid' and (limits ->> 'validTo')::timestamptz > to_timestamp(${now}::float8 / 1000)
    group by organization_id`.execute(db)
  return new Map(rows.map((row) => [row.organizationId, row.gpuHours]))
}

/** As an operation, for a calendar that is built from rows. */
export async function standingsOp(db: Queries): Promise<CalendarOp> {
  const standings = await db.selectFrom('standings').selectAll().orderBy('organizationId').execute()
  return { op: 'standings', standings }
}

/** Follows the operations of a group: the last one counts. */
export async function saveStandings(trx: Transaction, log: readonly LogEntry[]): Promise<void> {
  const last = log.findLast(({ op }) => op.op === 'standings')?.op
  if (last?.op !== 'standings') return
  await trx.deleteFrom('standings').execute()
  await insertRows(trx, 'standings', last.standings satisfies readonly Standing[])
}
