/** Sums for whoever watches the whole: few statements, so that they can be asked for every few seconds. */
import { sql } from 'kysely'
import type { AllocationStatus } from '../../shared/allocation.ts'
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

/** Active allocations whose use no meter counts. */
export async function unmeteredCount(db: Queries): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from allocations a where status = 'active' and not exists (
      select from usage_intervals u where u.allocation_id = a.id and u.kind = 'active' and u.to_at is null)`.execute(db)
  return rows[0]?.count ?? 0
}

/** When the look was due that is overdue the longest, and that nobody is at; null: none is. */
export async function oldestDue(db: Queries, now: EpochMs): Promise<EpochMs | null> {
  const { rows } = await sql<{ at: EpochMs | null }>`
    select min(greatest(next_look_at, coalesce(claimed_until, 0))) as at from allocations
    where next_look_at <= ${now} and (claimed_until is null or claimed_until <= ${now})`.execute(db)
  return rows[0]?.at ?? null
}
