/** Sums for whoever watches the whole: few statements, so that they can be asked for every few seconds. */
import { sql } from 'kysely'
import type { AllocationStatus } from '../../shared/allocation.ts'
import type { SweepKind } from '../../shared/reconciliation.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Queries } from './database.ts'

/** Allocations that are alike: they have nodes, or are about to. */
export interface BuiltSum {
  readonly status: AllocationStatus
  readonly providerId: string | null
  readonly clusterId: string | null
  readonly allocations: number
  readonly nodes: number
  readonly ready: number
  readonly failed: number
  /** The earliest start among them; null: none has one. */
  readonly oldestStartAt: EpochMs | null
}

/** By status and place. There are no more of them than nodes, however many are to come or wait: the calendar has those. */
export async function builtSums(db: Queries): Promise<readonly BuiltSum[]> {
  const { rows } = await sql<BuiltSum>`
    select status, provider_id as "providerId", cluster_id as "clusterId", count(*)::int as allocations,
      coalesce(sum(nodes), 0)::int as nodes, coalesce(sum(ready_nodes), 0)::int as ready,
      coalesce(sum(failed_nodes), 0)::int as failed, min(start_at) as "oldestStartAt"
    from allocations where status in ('provisioning', 'active', 'preempting', 'releasing')
    group by status, provider_id, cluster_id`.execute(db)
  return rows
}

/** What is small, all in one statement: each by itself would cost a scrape one more way to the database and back. */
export interface SmallFigures {
  /** Active allocations whose use no meter counts. */
  readonly unmetered: number
  /** When the look was due that is overdue the longest, and that nobody is at; null: none is. */
  readonly oldestDueAt: EpochMs | null
  readonly quarantines: readonly QuarantineCount[]
  readonly findings: readonly FindingCount[]
  /** Providers that have ever been swept. */
  readonly swept: readonly string[]
  readonly frozen: readonly string[]
  readonly deletesHeld: boolean
  /** Deliveries to webhooks that are to be tried again. */
  readonly retrying: number
  /** Events behind which the last of the endpoints is. */
  readonly behind: number
}

export interface QuarantineCount {
  readonly clusterId: string
  readonly nodes: number
  readonly oldestSince: EpochMs
}

export interface FindingCount {
  readonly providerId: string
  readonly kind: SweepKind
  readonly held: number
  readonly count: number
}

export async function smallFigures(db: Queries, now: EpochMs): Promise<SmallFigures> {
  const { rows } = await sql<SmallFigures>`select
    (select count(*)::int from allocations a where status = 'active' and not exists (
      select from usage_intervals u where u.allocation_id = a.id and u.kind = 'active' and u.to_at is null)) as unmetered,
    (select min(greatest(next_look_at, coalesce(claimed_until, 0))) from allocations
      where next_look_at <= ${now} and (claimed_until is null or claimed_until <= ${now})) as "oldestDueAt",
    (select coalesce(json_agg(q), '[]') from (
      select cluster_id as "clusterId", sum(nodes)::int as nodes, min(since) as "oldestSince"
      from quarantines group by cluster_id) q) as quarantines,
    (select coalesce(json_agg(f), '[]') from (
      select provider_id as "providerId", kind, count(*)::int as count,
        (count(*) filter (where action = 'hold'))::int as held
      from sweep_findings group by provider_id, kind) f) as findings,
    (select coalesce(json_agg(provider_id order by provider_id), '[]') from sweeps) as swept,
    (select coalesce(json_agg(id), '[]') from suspensions where kind = 'frozen') as frozen,
    coalesce((select deletes_held from installation), false) as "deletesHeld",
    (select count(*)::int from webhook_deliveries where next_attempt_at is not null) as retrying,
    coalesce((select (select event_sequence from calendar_head) - min(position) from webhooks), 0)::int as behind`.execute(
    db,
  )
  const [row] = rows
  if (row === undefined) throw new Error('a statement without a table has one row')
  return row
}
