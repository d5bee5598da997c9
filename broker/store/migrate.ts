/**
 * Running the migrations. Safe with several replicas: one migrates, the others wait for its lock. A store on which a later
 * version has been is left as it is: what later versions change, this one can live with (docs/adr/0011).
 */
import { sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import type { Queries } from './database.ts'
import { MIGRATIONS } from './migrations/index.ts'

/** The store and this program have each been where the other has not. */
export class SchemaMismatch extends Error {
  override readonly name = 'SchemaMismatch'
}

const OWN: readonly string[] = Object.keys(MIGRATIONS)

/** @returns those that have run there, in order; none where the store is empty */
export async function appliedMigrations(db: Queries): Promise<readonly string[]> {
  const { rows: tables } = await sql<{ table: string | null }>`
    select to_regclass('kysely_migration')::text as table`.execute(db)
  if (tables[0]?.table === null) return []
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by timestamp, name`.execute(db)
  return rows.map(({ name }) => name)
}

/** Those of this program that have not run there yet. */
export async function pendingMigrations(db: Queries): Promise<readonly string[]> {
  const applied = new Set(await appliedMigrations(db))
  return OWN.filter((name) => !applied.has(name))
}

/** Those that have run there and are none of this program's: a later version has been there. */
export async function unknownMigrations(db: Queries): Promise<readonly string[]> {
  return (await appliedMigrations(db)).filter((name) => !OWN.includes(name))
}

/**
 * @param to the last one that is to run; default all
 * @returns those that have run now
 * @throws SchemaMismatch
 */
export async function migrate(db: Queries, to?: string): Promise<readonly string[]> {
  const later = await unknownMigrations(db)
  if (later.length > 0) {
    const pending = await pendingMigrations(db)
    if (pending.length === 0) return []
    throw new SchemaMismatch(
      `the database has migrations that this version does not know (${later.join(', ')}) and lacks some of its own (${pending.join(', ')})`,
    )
  }
  const migrator = new Migrator({
    db: db.withoutPlugins(),
    provider: { getMigrations: async () => ({ ...MIGRATIONS }) },
  })
  const { error, results = [] } = await (to === undefined ? migrator.migrateToLatest() : migrator.migrateTo(to))
  if (error === undefined) return results.map((result) => result.migrationName)
  const failed = results.find((result) => result.status === 'Error')?.migrationName ?? 'unknown'
  throw new Error(`migration ${failed} failed`, { cause: error })
}
