/** Quarantine: on the calendar a drain without an end, under its allocation's id; here a row for as long as it lasts. */
import { type Selectable, sql } from 'kysely'
import { END_OF_TIME, type EpochMs } from '../../shared/time.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import type { Queries, Transaction } from './database.ts'
import type { LogEntry } from './head.ts'
import { upsertRows } from './rows.ts'
import type { QuarantineTable } from './schema.ts'

type QuarantineRow = Selectable<QuarantineTable>

export const quarantineOp = ({ allocationId, clusterId, nodes, since }: QuarantineRow): CalendarOp => ({
  op: 'drain',
  drain: { id: allocationId, clusterId, nodes, from: since, to: END_OF_TIME, kind: 'quarantine' },
})

/** As operations, for a calendar that is built from rows. */
export async function quarantineOps(db: Queries): Promise<readonly CalendarOp[]> {
  const rows = await db.selectFrom('quarantines').selectAll().orderBy('allocationId').execute()
  return rows.map(quarantineOp)
}

/** Follows the operations of a group: the last one of each allocation counts. */
export async function saveQuarantines(trx: Transaction, log: readonly LogEntry[]): Promise<void> {
  const put = new Map<string, QuarantineRow>()
  const lifted = new Set<string>()
  for (const { op } of log) {
    if (op.op === 'drain' && op.drain.kind === 'quarantine') {
      const { id: allocationId, clusterId, nodes, from: since } = op.drain
      put.set(allocationId, { allocationId, clusterId, nodes, since })
      lifted.delete(allocationId)
    }
    if (op.op === 'lift-drain') {
      put.delete(op.drainId)
      lifted.add(op.drainId)
    }
  }
  await upsertRows(trx, 'quarantines', [...put.values()], { key: ['allocation_id'] })
  if (lifted.size > 0) {
    await trx
      .deleteFrom('quarantines')
      .where('allocationId', 'in', [...lifted])
      .execute()
  }
}

export interface Patience {
  /** How long after its end an allocation's nodes may be listed, in ms, where their place is planned to be held so long. */
  readonly releaseConfirmMs: number
  /** So long before the planned end of its hold a place counts as overdue: nobody else may begin there in between. */
  readonly marginMs: number
}

/** As `overdueFrom` of app/quarantine.ts, over rows. */
const overdueAt = ({ releaseConfirmMs, marginMs }: Patience) =>
  sql<EpochMs>`least(
    coalesce(reclaimed_at, end_at) + ${releaseConfirmMs},
    greatest(coalesce(reclaimed_at, end_at), held_until - ${marginMs})
  )`

/** Allocations whose nodes should be gone and still hold their place, those that have waited longest first. */
export async function overdueReleases(
  db: Queries,
  patience: Patience,
  { now, limit }: { readonly now: EpochMs; readonly limit: number },
): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('reservations')
    .select('allocationId')
    .where('phase', '=', 'running')
    .where(overdueAt(patience), '<=', now)
    .orderBy('heldUntil')
    .orderBy('allocationId')
    .limit(limit)
    .execute()
  return rows.map((row) => row.allocationId)
}

/** When the next one is overdue, if nothing happens; null when nothing runs. */
export async function nextOverdueAt(db: Queries, patience: Patience): Promise<EpochMs | null> {
  const row = await db
    .selectFrom('reservations')
    .select((select) => select.fn.min(overdueAt(patience)).as('at'))
    .where('phase', '=', 'running')
    .executeTakeFirst()
  return row?.at ?? null
}
