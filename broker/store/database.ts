/**
 * One database, two engines with the same SQL: PostgreSQL through `pg` for any number of replicas, PGlite in a folder for
 * one process. Everything above this file sees only `Database`.
 */
import { AsyncLocalStorage } from 'node:async_hooks'
import { PGlite, types as pgliteTypes } from '@electric-sql/pglite'
import {
  Kysely,
  type LogEvent,
  PGliteDialect,
  PostgresDialect,
  sql,
  type Transaction as KyselyTransaction,
} from 'kysely'
import pg from 'pg'
import { SECOND_MS } from '../../shared/time.ts'
import { camelCaseNames } from './camel-case.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { migrate } from './migrate.ts'
import { beginLate } from './begin-late.ts'
import { endInSilence } from './end-in-silence.ts'
import { keepPrepared } from './prepared.ts'
import type { Tables } from './schema.ts'

export type Transaction = KyselyTransaction<Tables>
export type Queries = Kysely<Tables> | Transaction

export interface Database {
  readonly engine: 'postgres' | 'pglite'
  /** For single statements outside a transaction. Inside one it throws: on PGlite it would wait for itself for ever. */
  readonly queries: Kysely<Tables>
  /** Runs `work` in one transaction; inside, only `trx` may be used, and nothing but the database is waited for. */
  transaction<T>(work: (trx: Transaction) => Promise<T>): Promise<T>
  /** As they are now: how many there are, how many nobody uses, and how many callers wait for one. */
  connections(): Connections
  /** For pg-boss: it brings its own SQL. */
  readonly raw: { readonly pglite: PGlite } | { readonly connectionString: string }
  close(): Promise<void>
}

export interface Connections {
  readonly total: number
  readonly idle: number
  readonly waiting: number
}

export interface DatabaseOptions {
  /** PostgreSQL; when null, PGlite in `folder`. */
  readonly url: string | null
  readonly folder: string
  /** The folder belongs to another process now: nothing may be written any more. */
  readonly onLost: (error: Error) => void
  /** A connection broke, as all do when the server is started again: whoever used it fails, and the next is a new one. */
  readonly onBroken: (error: Error) => void
  /** Told of each transaction that ended, and of each statement that was one by itself. Default: nobody is. */
  readonly onTransaction?: (kind: 'read' | 'write', seconds: number) => void
  /** Of PostgreSQL. Default: `PATIENCE`; shorter in tests. */
  readonly patience?: Partial<Patience>
}

/** How long is waited for what. */
export interface Patience {
  /** A statement that takes longer than this is a mistake or a lock that will not come. */
  readonly statementMs: number
  /**
   * In a transaction nothing is waited for but the database. Whoever asks it nothing for so long was stopped or is gone, and
   * the others wait for what he has locked: the server takes it from him while they still do.
   */
  readonly idleMs: number
  /** The server would have ended the statement before. */
  readonly silenceMs: number
}

/** More bought nothing on the machines that were measured; each is a process of the server's. */
const POOL_SIZE = 10
const CONNECT_TIMEOUT_MS = 5_000
const PATIENCE: Patience = { statementMs: 30_000, idleMs: 15_000, silenceMs: 35_000 }

const PLUGINS = [camelCaseNames()]

/** For a transaction that waits for something else too, and has locked nothing that others wait for. */
export const mayBeIdle = async (trx: Transaction): Promise<void> =>
  void (await sql`set local idle_in_transaction_session_timeout = 0`.execute(trx))

/** Connects and runs the migrations. @throws SchemaMismatch, FolderInUse */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const database = await connectDatabase(options)
  try {
    await migrate(database.queries)
    return database
  } catch (error) {
    await database.close()
    throw error
  }
}

/** As it is: what it takes to restore, to migrate and to look. */
export async function connectDatabase(options: DatabaseOptions): Promise<Database> {
  const inTransaction = new AsyncLocalStorage<true>()
  const { onTransaction = () => undefined } = options
  const log: Log = ({ level, query, queryDurationMillis }) => {
    if (level !== 'query' || inTransaction.getStore() === true) return
    onTransaction(isRead(query.sql) ? 'read' : 'write', queryDurationMillis / SECOND_MS)
  }
  const opened = options.url === null ? await openPglite(options, log) : openPostgres(options.url, options, log)
  return {
    engine: opened.engine,
    raw: opened.raw,
    get queries() {
      if (inTransaction.getStore() === true) throw new Error('inside a transaction only its own handle may be used')
      return opened.kysely
    },
    async transaction(work) {
      const startedAt = performance.now()
      try {
        return await inTransaction.run(true, () => opened.kysely.transaction().execute((trx) => work(trx)))
      } finally {
        onTransaction('write', (performance.now() - startedAt) / SECOND_MS)
      }
    },
    connections: opened.connections,
    close: opened.close,
  }
}

interface Opened {
  readonly engine: Database['engine']
  readonly kysely: Kysely<Tables>
  readonly raw: Database['raw']
  connections(): Connections
  close(): Promise<void>
}

type Log = (event: LogEvent) => void

/** Whether a statement changes nothing, by how Kysely's SQL and ours are written. */
const isRead = (text: string): boolean =>
  /^\s*select\b/i.test(text) || (/^\s*with\b/i.test(text) && !/\b(?:insert|update|delete)\b/i.test(text))

async function openPglite({ folder, onLost }: DatabaseOptions, log: Log): Promise<Opened> {
  const lock: FolderLock = await lockFolder(folder, () =>
    onLost(new Error(`the data folder ${folder} was taken over by another process`)),
  )
  const pglite = await PGlite.create({
    dataDir: `${folder}/pglite`,
    // int8 arrives as bigint when it is large and as number when it is small; ours all fit a number.
    parsers: { [pgliteTypes.INT8]: Number },
  })
  const kysely = new Kysely<Tables>({ dialect: new PGliteDialect({ pglite }), plugins: PLUGINS, log })
  return {
    engine: 'pglite',
    kysely,
    raw: { pglite },
    // The engine is one; it tells nobody who waits.
    connections: () => ({ total: 1, idle: 0, waiting: 0 }),
    async close() {
      await kysely.destroy()
      if (!pglite.closed) await pglite.close()
      await lock.release()
    },
  }
}

function openPostgres(url: string, { onBroken, patience }: DatabaseOptions, log: Log): Opened {
  const { statementMs, idleMs, silenceMs } = { ...PATIENCE, ...patience }
  const numbers = new pg.TypeOverrides()
  numbers.setTypeParser(pg.types.builtins.INT8, Number)
  const pool = new pg.Pool({
    connectionString: url,
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: idleMs,
    types: numbers,
  })
  // Each connection for itself: the pool hears only of those that nobody is using, and the others would end the process.
  pool.on('connect', (client) => {
    client.on('error', onBroken)
    endInSilence(client, { silenceMs, onBroken })
    keepPrepared(client)
    beginLate(client)
  })
  pool.on('error', () => undefined)
  const kysely = new Kysely<Tables>({ dialect: new PostgresDialect({ pool }), plugins: PLUGINS, log })
  return {
    engine: 'postgres',
    kysely,
    raw: { connectionString: url },
    connections: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    close: () => kysely.destroy(),
  }
}
