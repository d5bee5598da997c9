/**
 * Puts a backup into an empty store, in one transaction, and holds deletions: what was made after the backup looks like
 * nobody's, and what has ended since still seems to run, until a person has looked.
 */
import { sql } from 'kysely'
import { BackupError, type BackupSummary } from '../../../shared/backup.ts'
import { type Database, mayBeIdle, type Queries, type Transaction } from '../database.ts'
import { appliedMigrations, migrate } from '../migrate.ts'
import { MIGRATIONS } from '../migrations/index.ts'
import { type BackupRow, rowsIn } from './read.ts'
import { BACKUP_TABLES, columnsOf } from './tables.ts'

export interface RestoreOptions {
  readonly file: string
  /** Of `checkBackup`: nothing is done for a file that is not whole. */
  readonly summary: BackupSummary
  readonly onProgress: (table: string, rows: number) => void
  readonly signal: AbortSignal
}

/**
 * @param database as it was connected to, no migration run
 * @throws BackupError when the store is not empty, or is of another version; nothing has changed then but migrations
 */
export async function restoreFrom(database: Database, options: RestoreOptions): Promise<void> {
  const { summary } = options
  await prepare(database.queries, summary)
  await database.transaction(async (trx) => {
    await mayBeIdle(trx) // while the disk is read from
    await fill(trx, options)
    await recount(trx, summary)
    await trx.updateTable('installation').set({ deletesHeld: true }).execute()
  })
  await migrate(database.queries)
  // Otherwise the first queries would be planned for empty tables; a server does it by itself before long.
  await sql`analyze`.execute(database.queries).catch(() => undefined)
}

/** Leaves a store with the tables that the backup was made of, and no row in them. */
async function prepare(db: Queries, { migrations }: BackupSummary): Promise<void> {
  const unknown = migrations.filter((name) => !(name in MIGRATIONS))
  if (unknown.length > 0) throw new BackupError(`the backup is of a later version: it has ${unknown.join(', ')}`)
  const applied = await appliedMigrations(db)
  if (applied.length === 0) await migrate(db, migrations.at(-1))
  else await assertNoRows(db)
  const now = await appliedMigrations(db)
  if (now.length === migrations.length && migrations.every((name) => now.includes(name))) return
  throw new BackupError('the store has other migrations than the backup: take an empty one')
}

async function assertNoRows(db: Queries): Promise<void> {
  for (const table of BACKUP_TABLES) {
    if ((await columnsOf(db, table)).length === 0) continue
    const { rows } = await sql`select 1 from ${sql.table(table)} limit 1`.execute(db)
    if (rows.length > 0) throw new BackupError(`the store is not empty: there are rows in ${table}`)
  }
}

const ROWS_AT_A_TIME = 500
const CHARACTERS_AT_A_TIME = 2_000_000

async function fill(trx: Transaction, { file, onProgress, signal }: RestoreOptions): Promise<void> {
  let batch: BackupRow[] = []
  let characters = 0
  let done = 0
  const flush = async (): Promise<void> => {
    const [first] = batch
    if (first === undefined) return
    signal.throwIfAborted()
    await insert(trx, first, batch)
    done += batch.length
    onProgress(first.table, done)
    batch = []
    characters = 0
  }
  for await (const row of rowsIn(file)) {
    const isOther = batch.length > 0 && batch[0]?.table !== row.table
    if (isOther || batch.length >= ROWS_AT_A_TIME || characters >= CHARACTERS_AT_A_TIME) await flush()
    if (isOther) done = 0
    batch.push(row)
    characters += row.json.length
  }
  await flush()
}

async function insert(
  trx: Transaction,
  { table, columns }: Pick<BackupRow, 'table' | 'columns'>,
  batch: readonly BackupRow[],
): Promise<void> {
  const types = new Map((await columnsOf(trx, table)).map(({ name, type }) => [name, type]))
  const values = columns.map((name, index) => {
    const type = types.get(name)
    if (type === undefined) throw new BackupError(`the store has no column ${table}.${name}`)
    return sql`(given ->> ${sql.lit(index)})::${sql.raw(type)}`
  })
  // jsonb: a json would be read anew for each column.
  const json = `[${batch.map((row) => row.json).join(',')}]`
  await sql`insert into ${sql.table(table)} (${sql.join(columns.map((name) => sql.id(name)))})
    select ${sql.join(values)} from jsonb_array_elements(${json}::jsonb) as given`.execute(trx)
}

async function recount(trx: Transaction, { rows: said }: BackupSummary): Promise<void> {
  for (const [table, rows] of Object.entries(said)) {
    const counted = await sql<{ n: number }>`select count(*) as n from ${sql.table(table)}`.execute(trx)
    const found = counted.rows[0]?.n
    if (found !== rows) throw new BackupError(`${table} has ${found} rows after the restore, not ${rows}`)
  }
}
