/**
 * One database, two engines with the same SQL: PostgreSQL through `pg` for any number of replicas, PGlite in a folder for
 * one process. Everything above this file sees only `Database`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PGlite, types as pgliteTypes } from '@electric-sql/pglite'
import { CamelCasePlugin, Kysely, PGliteDialect, PostgresDialect, type Transaction as KyselyTransaction } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { migrationProvider } from './migrations/index.ts'
import type { Tables } from './schema.ts'

export type Transaction = KyselyTransaction<Tables>
export type Queries = Kysely<Tables> | Transaction

export interface Database {
  readonly engine: 'postgres' | 'pglite'
  /** For single statements outside a transaction. Inside one it throws: on PGlite it would wait for itself for ever. */
  readonly queries: Kysely<Tables>
  /** Runs `work` in one transaction; inside, only `trx` may be used, and nothing but the database is waited for. */
  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T>
  /** For pg-boss: it brings its own SQL. */
  readonly raw: { readonly pglite: PGlite } | { readonly connectionString: string }
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** PostgreSQL; when null, PGlite in `folder`. */
  readonly url: string | null
  readonly folder: string
  /** The folder belongs to another process now: nothing may be written any more. */
  readonly onLost: (error: Error) => void
  /** A connection broke, as all do when the server is started again: whoever used it fails, and the next is a new one. */
  readonly onBroken: (error: Error) => void
}

/** More than some 16 connections buy nothing on the machines that were measured. */
const POOL_SIZE = 10
const CONNECT_TIMEOUT_MS = 5_000
/** A statement that takes longer than this is a mistake or a lock that will not come. */
const STATEMENT_TIMEOUT_MS = 30_000

const PLUGINS = [new CamelCasePlugin({ maintainNestedObjectKeys: true })]

export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const opened = options.url === null ? await openPglite(options) : openPostgres(options.url, options.onBroken)
  await migrate(opened.kysely)
  const inTransaction = new AsyncLocalStorage<true>()
  return {
    engine: opened.engine,
    raw: opened.raw,
    get queries() {
      if (inTransaction.getStore() === true) throw new Error('inside a transaction only its own handle may be used')
      return opened.kysely
    },
    transaction: (work) => inTransaction.run(true, () => opened.kysely.transaction().execute((trx) => work(trx))),
    close: opened.close,
  }
}

interface Opened {
  readonly engine: Database['engine']
  readonly kysely: Kysely<Tables>
  readonly raw: Database['raw']
  close(): Promise<void>
}

async function openPglite({ folder, onLost }: DatabaseOptions): Promise<Opened> {
  const lock: FolderLock = await lockFolder(folder, () =>
    onLost(new Error(`the data folder ${folder} was taken over by another process`)),
  )
  const pglite = await PGlite.create({
    dataDir: `${folder}/pglite`,
    // int8 arrives as bigint when it is large and as number when it is small; ours all fit a number.
    parsers: { [pgliteTypes.INT8]: Number },
  })
  const kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }), plugins: PLUGINS })
  return {
    engine: 'pglite',
    kysely,
    raw: { pglite },
    async close() {
      await kysely.destroy()
      if (!pglite.closed) await pglite.close()
      await lock.release()
    },
  }
}

function openPostgres(url: string, onBroken: DatabaseOptions['onBroken']): Opened {
  const numbers = new pg.TypeOverrides()
  numbers.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    types: numbers,
  })
  // Each connection for itself: the pool hears only of those that nobody is using, and the others would end the process.
  pool.on('connect', (client) => client.on('error', onBroken))
  pool.on('error', () => undefined)
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins: PLUGINS })
  return { engine: 'postgres', kysely, raw: { connectionString: url }, close: () => kysely.destroy() }
}

/** Safe with several replicas: one migrates, the others wait for its lock. */
async function migrate(kysely: Kysely<Tables>): Promise<void> {
  const migrator = new Migrator({ db: kysely.withoutPlugins(), provider: migrationProvider })
  const { error, results } = await migrator.migrateToLatest()
  if (error === undefined) return
  const failed = results?.find((result) => result.status === 'Error')?.migrationName ?? 'unknown'
  throw new Error(`migration ${failed} failed`, { cause: error })
}
