/** Drains, suspensions and open circuits: what is in force, and pages of drains. */
import type { Selectable } from 'kysely'
import type { CalendarOp } from '../core/calendar-op.ts'
import type { Queries, Transaction } from './database.ts'
import { circuitOps, readCircuits } from './circuits.ts'
import type { LogEntry } from './head.ts'
import { standingsOp } from './standings.ts'
import { quarantineOps } from './quarantines.ts'
import type { DrainTable, SuspensionTable } from './schema.ts'

type DrainRow = Selectable<DrainTable>

/** As operations, for a calendar that is built from rows. */
export async function operationsInForce(db: Queries): Promise<readonly CalendarOp[]> {
  const suspensions = await db
    .selectFrom('suspensions')
    .selectAll()
    .where('kind', '!=', 'frozen')
    .orderBy('id')
    .execute()
  const drains = await db.selectFrom('drains').selectAll().where('liftedAt', 'is', null).orderBy('id').execute()
  return [
    ...suspensions.map(suspend),
    ...drains.map(drainOp),
    ...(await quarantineOps(db)),
    await standingsOp(db),
    ...circuitOps(await readCircuits(db)),
  ]
}

const suspend = ({ kind, id }: Selectable<SuspensionTable>): CalendarOp =>
  kind === 'cluster' ? { op: 'suspend-cluster', clusterId: id } : { op: 'suspend-provider', providerId: id }

export const drainOp = (row: DrainRow): CalendarOp => ({
  op: 'drain',
  drain: { id: row.id, clusterId: row.clusterId, nodes: row.nodes, from: row.fromAt, to: row.toAt },
})

/** Follows the operations of a group: the last one of each cluster and provider counts. */
export async function saveSuspensions(trx: Transaction, log: readonly LogEntry[]): Promise<void> {
  for (const { op } of log) {
    if (op.op === 'suspend-cluster') await add(trx, { kind: 'cluster', id: op.clusterId })
    if (op.op === 'suspend-provider') await add(trx, { kind: 'provider', id: op.providerId })
    if (op.op === 'resume-cluster') await remove(trx, { kind: 'cluster', id: op.clusterId })
    if (op.op === 'resume-provider') await remove(trx, { kind: 'provider', id: op.providerId })
  }
}

/** Ids of the providers at which nothing is to be made or deleted. */
export async function frozenProviders(db: Queries): Promise<ReadonlySet<string>> {
  const rows = await db.selectFrom('suspensions').select('id').where('kind', '=', 'frozen').execute()
  return new Set(rows.map((row) => row.id))
}

export async function saveFrozen(trx: Transaction, frozen: ReadonlyMap<string, boolean>): Promise<void> {
  for (const [id, is] of frozen) await (is ? add(trx, { kind: 'frozen', id }) : remove(trx, { kind: 'frozen', id }))
}

async function add(trx: Transaction, row: SuspensionTable): Promise<void> {
  await trx
    .insertInto('suspensions')
    .values(row)
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

async function remove(trx: Transaction, { kind, id }: SuspensionTable): Promise<void> {
  await trx.deleteFrom('suspensions').where('kind', '=', kind).where('id', '=', id).execute()
}

export async function findDrain(db: Queries, id: string): Promise<DrainRow | null> {
  return (await db.selectFrom('drains').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}

/** Newest first, lifted ones included. @param after id of the last one seen; null for the first page */
export async function pageOfDrains(
  db: Queries,
  { clusterId, after, limit }: { readonly clusterId: string; readonly after: string | null; readonly limit: number },
): Promise<readonly DrainRow[]> {
  const last = after === null ? null : await findDrain(db, after)
  let query = db
    .selectFrom('drains')
    .selectAll()
    .where('clusterId', '=', clusterId)
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
  if (last !== null) {
    query = query.where((where) =>
      where.or([
        where('createdAt', '<', last.createdAt),
        where.and([where('createdAt', '=', last.createdAt), where('id', '<', last.id)]),
      ]),
    )
  }
  return query.execute()
}
