/** Sums for whoever watches the whole: few statements, so that they can be asked for every few seconds. */
import { sql } from 'kysely'
import type { AllocationStatus } from '../../shared/allocation.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Queries } from './database.ts'

/** Allocations that are alike. */
export interface LiveSum {
  readonly status: AllocationStatus
  readonly providerId: string | null
  readonly clusterId: string | null
  readonly allocations: number
  readonly nodes: number
  readonly ready: number
  readonly failed: number
  /** Active ones whose use no meter counts. */
  readonly unmetered: number
  /** The earliest start among them; null: none has one. */
  readonly oldestStartAt: EpochMs | null
}

/** Of all that are not at their end, by status and place. */
export async function liveSums(db: Queries): Promise<readonly LiveSum[]> {
  const { rows } = await sql<LiveSum>`
    select status, provider_id as "providerId", cluster_id as "clusterId", count(*)::int as allocations,
      coalesce(sum(nodes), 0)::int as nodes, coalesce(sum(ready_nodes), 0)::int as ready,
      coalesce(sum(failed_nodes), 0)::int as failed,
      (count(*) filter (where status = 'active' and not exists (
        select from usage_intervals u where u.allocation_id = a.id and u.kind = 'active' and u.to_at is null)))::int
        as unmetered,
      min(start_at) as "oldestStartAt"
    from allocations a where status in ('waitlisted', 'scheduled', 'provisioning', 'active', 'preempting', 'releasing')
    group by status, provider_id, cluster_id`.execute(db)
  return rows
}

/** When the look was due that is overdue the longest, and that nobody is at; null: none is. */
export async function oldestDue(db: Queries, now: EpochMs): Promise<EpochMs | null> {
  const { rows } = await sql<{ at: EpochMs | null }>`
    select min(greatest(next_look_at, coalesce(claimed_until, 0))) as at from allocations
    where next_look_at <= ${now} and (claimed_until is null or claimed_until <= ${now})`.execute(db)
  return rows[0]?.at ?? null
}
