/** Reads a store into a backup: one transaction that sees one instant, a few rows in memory at a time. */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rename, rm, stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { sql } from 'kysely'
import { BACKUP_FORMAT, BackupError, type BackupHeader, type BackupSummary } from '../../../shared/backup.ts'
import { type EpochMs, toIso } from '../../../shared/time.ts'
import { type Database, mayBeIdle, type Transaction } from '../database.ts'
import { appliedMigrations } from '../migrate.ts'
import { checkBackup } from './read.ts'
import { BACKUP_TABLES, columnsOf } from './tables.ts'

export interface DumpOptions {
  readonly file: string
  readonly now: EpochMs
  /** Told how many rows of the table there are so far. */
  readonly onProgress: (table: string, rows: number) => void
  readonly signal: AbortSignal
}

/** A decision's input may have a hundred kilobytes. */
const ROWS_AT_A_TIME = 100

/**
 * Nothing has the file's name before it is whole, on the disk, and read back.
 *
 * @throws BackupError when there is such a file already, or nothing to back up
 */
export async function dumpTo(database: Database, options: DumpOptions): Promise<BackupSummary> {
  const { file, signal } = options
  if ((await stat(file).catch(() => null)) !== null) throw new BackupError(`${file} is there already`)
  const unfinished = `${file}.unfinished`
  try {
    await atOneInstant(database, async (trx) => {
      await mayBeIdle(trx) // while the disk is written to
      const lines = Readable.from(dumped(trx, database.engine, options))
      // Webhooks' secrets are in it: for its owner's eyes only.
      const out = createWriteStream(unfinished, { mode: 0o600, flush: true })
      await pipeline(lines, createGzip(), out, { signal })
    })
    const summary = await checkBackup(unfinished)
    await rename(unfinished, file)
    return summary
  } catch (error) {
    const { path, code } = error as NodeJS.ErrnoException
    throw path === unfinished ? new BackupError(`${file} cannot be written (${code})`, { cause: error }) : error
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** PGlite has one connection, so that nobody else's transaction can come in between. */
function atOneInstant(database: Database, work: (trx: Transaction) => Promise<void>): Promise<void> {
  if (database.engine === 'pglite') return database.transaction(work)
  const transaction = database.queries.transaction().setIsolationLevel('repeatable read').setAccessMode('read only')
  return transaction.execute(work)
}

async function* dumped(
  trx: Transaction,
  engine: Database['engine'],
  { now, onProgress }: DumpOptions,
): AsyncGenerator<string> {
  const hash = createHash('sha256')
  const counted: Record<string, number> = {}
  const said = (text: string): string => {
    hash.update(text)
    return text
  }
  yield said(`${JSON.stringify(await headerOf(trx, engine, now))}\n`)
  for (const table of BACKUP_TABLES) {
    const columns = (await columnsOf(trx, table)).map(({ name }) => name)
    yield said(`${JSON.stringify({ table, columns })}\n`)
    let rows = 0
    for await (const lines of rowsOf(trx, table, columns)) {
      rows += lines.length
      onProgress(table, rows)
      yield said(lines.map((line) => `${line}\n`).join(''))
    }
    counted[table] = rows
  }
  yield `${JSON.stringify({ end: BACKUP_FORMAT, rows: counted, sha256: hash.digest('hex') })}\n`
}

async function headerOf(trx: Transaction, engine: Database['engine'], now: EpochMs): Promise<BackupHeader> {
  const migrations = await appliedMigrations(trx)
  const installation =
    migrations.length === 0 ? undefined : await trx.selectFrom('installation').select('id').executeTakeFirst()
  if (installation === undefined) throw new BackupError('there is nothing to back up: no broker has ever started there')
  return {
    format: BACKUP_FORMAT,
    formatVersion: 1,
    createdAt: toIso(now),
    engine,
    installationId: installation.id,
    migrations: [...migrations],
  }
}

/** Each row as one JSON list of texts; what is json in the store is a text within it, member for member as it stands. */
async function* rowsOf(trx: Transaction, table: string, columns: readonly string[]): AsyncGenerator<readonly string[]> {
  const texts = sql.join(columns.map((name) => sql`${sql.ref(name)}::text`))
  await sql`declare backup_rows no scroll cursor for
    select json_build_array(${texts})::text as line from ${sql.table(table)}`.execute(trx)
  for (;;) {
    const { rows } = await sql<{ line: string }>`fetch ${sql.lit(ROWS_AT_A_TIME)} from backup_rows`.execute(trx)
    if (rows.length === 0) break
    yield rows.map(({ line }) => line)
  }
  await sql`close backup_rows`.execute(trx)
}
