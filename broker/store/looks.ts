/** What a look at an allocation reads, and when the next one is due: outside the calendar's lock, guarded by the claim. */
import type { Selectable } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { Queries } from './database.ts'
import type { AllocationTable, NodeGroupTable, NodeTable } from './schema.ts'

export interface StoredSituation {
  readonly row: Selectable<AllocationTable>
  readonly nodes: readonly Selectable<NodeTable>[]
  readonly groups: readonly Selectable<NodeGroupTable>[]
}

export async function readSituation(db: Queries, id: string): Promise<StoredSituation | null> {
  const row = await db.selectFrom('allocations').selectAll().where('id', '=', id).executeTakeFirst()
  if (row === undefined) return null
  const nodes = await db.selectFrom('nodes').selectAll().where('allocationId', '=', id).execute()
  const groups = await db.selectFrom('nodeGroups').selectAll().where('allocationId', '=', id).execute()
  return { row, nodes, groups }
}

export interface Postponement {
  readonly id: string
  readonly token: string
  readonly version: number
  /** Null: nothing is left to do until somebody decides something. */
  readonly at: EpochMs | null
  /** When this look saw all nodes that count as ready. */
  readonly readySeenAt?: EpochMs
}

/**
 * Puts the next look off. Nothing happens if the claim was lost, or if somebody decided something while the look lasted:
 * then the look that the decision asked for stands.
 */
export async function postpone(db: Queries, { id, token, version, at, readySeenAt }: Postponement): Promise<void> {
  await db
    .updateTable('allocations')
    .set({ nextLookAt: at, ...(readySeenAt !== undefined && { readySeenAt }) })
    .where('id', '=', id)
    .where('claimToken', '=', token)
    .where('version', '=', version)
    .execute()
}

/** Allocations of a provider that have ended for good, the latest 10,000: what they left behind there is not needed. */
export async function endedAt(db: Queries, providerId: string): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('allocations')
    .select('id')
    .where('providerId', '=', providerId)
    .where('status', 'in', ['released', 'cancelled', 'failed'])
    .orderBy('sequence', 'desc')
    .limit(10_000)
    .execute()
  return new Set(rows.map((row) => row.id))
}
