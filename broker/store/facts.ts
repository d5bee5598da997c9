/** What a store is, for whoever examines it before a broker is started on it: read without changing anything. */
import { sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { Database } from './database.ts'
import { appliedMigrations, pendingMigrations, unknownMigrations } from './migrate.ts'

export interface StoreFacts {
  readonly engine: Database['engine']
  readonly version: string
  readonly pgMajor: number
  /** By the server's clock. */
  readonly at: EpochMs
  /** Those that must be on for a commit to be durable. */
  readonly settings: Readonly<Record<'fsync' | 'synchronous_commit' | 'full_page_writes', string>>
  readonly maxConnections: number
  /** How many migrations have run. */
  readonly applied: number
  readonly pending: readonly string[]
  /** That have run there and are none of this version's. */
  readonly unknown: readonly string[]
  /** Null before the first start. */
  readonly installationId: string | null
  readonly deletesHeld: boolean
  /** With an approval that is valid. */
  readonly organizations: number
}

export async function lookAtStore(database: Database): Promise<StoreFacts> {
  const db = database.queries
  const { rows } = await sql<ServerRow>`select current_setting('server_version') as version,
    current_setting('server_version_num')::int as number,
    (extract(epoch from clock_timestamp()) * 1000)::bigint as at,
    current_setting('fsync') as fsync,
    current_setting('synchronous_commit') as "synchronousCommit",
    current_setting('full_page_writes') as "fullPageWrites",
    current_setting('max_connections')::int as "maxConnections"`.execute(db)
  const server = rows[0]
  if (server === undefined) throw new Error('the server says nothing about itself')
  const applied = await appliedMigrations(db)
  const isOurs = applied.length > 0
  const installation = isOurs ? await db.selectFrom('installation').selectAll().executeTakeFirst() : undefined
  const counted = isOurs
    ? await db
        .selectFrom('approvals')
        .select(({ fn }) => fn.count<number>('organizationId').distinct().as('organizations'))
        .where('status', '=', 'valid')
        .executeTakeFirst()
    : undefined
  return {
    engine: database.engine,
    version: server.version,
    pgMajor: Math.floor(server.number / 10_000),
    at: server.at,
    settings: {
      fsync: server.fsync,
      synchronous_commit: server.synchronousCommit,
      full_page_writes: server.fullPageWrites,
    },
    maxConnections: server.maxConnections,
    applied: applied.length,
    pending: await pendingMigrations(db),
    unknown: await unknownMigrations(db),
    installationId: installation?.id ?? null,
    deletesHeld: installation?.deletesHeld === true,
    organizations: counted?.organizations ?? 0,
  }
}

interface ServerRow {
  readonly version: string
  readonly number: number
  readonly at: EpochMs
  readonly fsync: string
  readonly synchronousCommit: string
  readonly fullPageWrites: string
  readonly maxConnections: number
}
