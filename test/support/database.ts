/**
 * The broker's own database on either engine, for tests. PGlite takes seconds to make a new folder and a fraction of one
 * to open an existing one: each process makes one, and every test gets a copy of it.
 */
import { randomUUID } from 'node:crypto'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Database, openDatabase } from '../../broker/store/database.ts'
import { createDatabase } from './postgres.ts'
import { atEnd } from './process.ts'

export type Engine = Database['engine']

export const ENGINES = ['pglite', 'postgres'] as const satisfies readonly Engine[]

/** Where a database is: what the broker's settings `DATABASE_URL` and `DATA_DIR` say. */
export interface DatabasePlace {
  readonly url: string | null
  readonly folder: string
  /** Removes it with all that is in it; what is open there is closed first. */
  remove(): Promise<void>
}

export interface TestDatabase extends Database {
  readonly place: DatabasePlace
  /** Closes it and removes its place. */
  close(): Promise<void>
}

/** The engine that this process's tests run on: `STORE`, or PGlite. */
export function engineOfThisRun(): Engine {
  const store = process.env['STORE'] ?? 'pglite'
  const engine = ENGINES.find((known) => known === store)
  if (engine === undefined) throw new Error(`STORE is ${store}; it can be ${ENGINES.join(' or ')}`)
  return engine
}

/** A place that no other test sees. On PGlite the migrations have run there already; on PostgreSQL it is empty. */
export const newDatabasePlace = (engine: Engine): Promise<DatabasePlace> =>
  engine === 'postgres' ? placeOnPostgres() : placeOnPglite()

/** A new database of the broker's, with its migrations run; what `close` leaves is nothing. */
export async function openTestDatabase(engine: Engine): Promise<TestDatabase> {
  const place = await newDatabasePlace(engine)
  const database = await openAt(place)
  return {
    engine,
    raw: database.raw,
    get queries() {
      return database.queries
    },
    transaction: (work) => database.transaction(work),
    connections: () => database.connections(),
    place,
    async close() {
      await database.close()
      await place.remove()
    },
  }
}

/** Opens what is at `place`, as one more replica or after a restart. A lost database fails the test that runs. */
export const openAt = ({ url, folder }: Pick<DatabasePlace, 'url' | 'folder'>): Promise<Database> =>
  openDatabase({
    url,
    folder,
    onLost(error) {
      throw error
    },
    onBroken: () => undefined, // whoever used the connection fails
  })

async function placeOnPostgres(): Promise<DatabasePlace> {
  const created = await createDatabase()
  const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-data-'))
  return {
    url: created.url,
    folder,
    async remove() {
      await created.drop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function placeOnPglite(): Promise<DatabasePlace> {
  model ??= makeModel()
  const parent = await model
  const folder = join(parent, randomUUID())
  await cp(join(parent, 'model'), folder, { recursive: true })
  return { url: null, folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

/** The folder that holds the one database to copy, and the copies. */
let model: Promise<string> | null = null

async function makeModel(): Promise<string> {
  const parent = await mkdtemp(join(tmpdir(), 'gpu-broker-pglite-'))
  const database = await openAt({ url: null, folder: join(parent, 'model') })
  await database.close()
  return parent
}

atEnd(async () => {
  const parent = await model?.catch(() => null) // that it could not be made has been told to whoever asked
  if (typeof parent === 'string') await rm(parent, { recursive: true, force: true })
})
