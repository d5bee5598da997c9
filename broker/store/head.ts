/** The head of the calendar: one row, locked by whoever decides; and the log behind it. */
import { type Selectable, sql } from 'kysely'
import { EMPTY_LOG_DIGEST } from '../../shared/proof.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import type { Cluster } from '../core/cluster.ts'
import type { Queries, Transaction } from './database.ts'
import { insertRows, type TableRows, writeRows } from './rows.ts'
import type { CalendarHeadTable } from './schema.ts'

/** What whoever decides moves on. */
export type Head = Omit<Selectable<CalendarHeadTable>, 'singleton' | 'catalogue' | 'formerClusters'>

export interface HeadWithCatalogue extends Head {
  readonly catalogue: readonly Cluster[]
  /** The last facts of clusters that the catalogue named once: something may still lie there. */
  readonly formerClusters: readonly Cluster[]
}

const COLUMNS = [
  'version',
  'logDigest',
  'lastAt',
  'eventSequence',
  'allocationSequence',
  'decisionSequence',
  'usageClosedUntil',
  'auditSequence',
  'auditHash',
] as const satisfies readonly (keyof Head)[]

/** Whether the two are the same: nobody has decided, announced or recorded anything in between. */
export const isSameHead = (one: Head, other: Head): boolean => COLUMNS.every((name) => one[name] === other[name])

export interface LogEntry {
  readonly version: number
  readonly at: EpochMs
  readonly op: CalendarOp
}

/** Makes the row of a new installation; with one there already, nothing. */
export async function ensureHead(db: Queries, now: EpochMs): Promise<void> {
  await db
    .insertInto('calendarHead')
    .values({
      singleton: true,
      version: 0,
      logDigest: EMPTY_LOG_DIGEST,
      lastAt: now,
      eventSequence: 0,
      allocationSequence: 0,
      decisionSequence: 0,
      catalogue: '[]',
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Waits for the one lock under which everything is decided, and holds it until the transaction ends. */
export const lockHead = (trx: Transaction): Promise<Head> =>
  trx.selectFrom('calendarHead').select(COLUMNS).forUpdate().executeTakeFirstOrThrow()

export async function readHead(db: Queries): Promise<HeadWithCatalogue> {
  const row = await db.selectFrom('calendarHead').selectAll().executeTakeFirstOrThrow()
  return {
    ...row,
    catalogue: row.catalogue as readonly Cluster[],
    formerClusters: row.formerClusters as readonly Cluster[],
  }
}

/** What decisions change of it. */
export const headRows = (head: Head): TableRows => ({
  table: 'calendar_head',
  key: ['singleton'],
  changesOnly: true,
  rows: [{ singleton: true, ...Object.fromEntries(COLUMNS.map((name) => [name, head[name]])) }],
})

export const saveHead = (trx: Transaction, head: Head): Promise<void> => writeRows(trx, [headRows(head)])

export async function saveCatalogue(trx: Transaction, catalogue: readonly Cluster[]): Promise<void> {
  const before = await readHead(trx)
  const listed = new Set(catalogue.map((cluster) => cluster.id))
  const former = [...before.formerClusters, ...before.catalogue].filter((cluster) => !listed.has(cluster.id))
  await trx
    .updateTable('calendarHead')
    .set({ catalogue: JSON.stringify(catalogue), formerClusters: JSON.stringify(former) })
    .execute()
}

/** What was committed after `version`, in order. */
export async function readLog(db: Queries, after: number): Promise<readonly LogEntry[]> {
  const rows = await db.selectFrom('calendarLog').selectAll().where('version', '>', after).orderBy('version').execute()
  return rows.map((row) => ({ ...row, op: row.op as CalendarOp }))
}

/** At most `limit` operations after `version`, in order. */
export async function pageOfLog(db: Queries, after: number, limit: number): Promise<readonly LogEntry[]> {
  const query = db.selectFrom('calendarLog').selectAll().where('version', '>', after).orderBy('version')
  const rows = await query.limit(limit).execute()
  return rows.map((row) => ({ ...row, op: row.op as CalendarOp }))
}

export const appendLog = (trx: Transaction, entries: readonly LogEntry[]): Promise<void> =>
  insertRows(trx, 'calendar_log', entries)

/** This installation's id, made by the first start. */
export async function installationId(db: Queries, proposal: string, now: EpochMs): Promise<string> {
  await db
    .insertInto('installation')
    .values({ singleton: true, id: proposal, createdAt: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const row = await db.selectFrom('installation').select('id').executeTakeFirstOrThrow()
  return row.id
}

/** Is the database there, and does it answer? */
export async function pingDatabase(db: Queries): Promise<void> {
  await sql`select 1`.execute(db)
}
