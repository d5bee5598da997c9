/** The store: whether it is there, is what this version needs, and keeps what was acknowledged. Changes nothing in it. */
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { SECOND_MS } from '../../shared/time.ts'
import type { StoreConfig } from '../config.ts'
import { connectDatabase, type Database } from '../store/database.ts'
import { FolderInUse } from '../store/folder-lock.ts'
import { lookAtStore, type StoreFacts } from '../store/facts.ts'
import { type Examined, fail, ok, sentenceOf, warn, withinTime } from './check.ts'
import { clockOf } from './clocks.ts'

export interface ExaminedStore {
  readonly examined: readonly Examined[]
  /** What of it others are to be asked about; null where it could not be read, or nothing is in it yet. */
  readonly facts: StoreFacts | null
}

const WITHIN_MS = 15 * SECOND_MS
const OLDEST_SERVER = 15
/** Of one replica: its pool, and the queue of wake-ups. */
const CONNECTIONS_OF_A_REPLICA = 14

export async function examineStore(config: StoreConfig, now: () => number): Promise<ExaminedStore> {
  if (config.DATABASE_URL === undefined && !(await isThere(join(config.DATA_DIR, 'pglite')))) {
    return { examined: [await newFolder(config.DATA_DIR)], facts: null }
  }
  let database: Database | null = null
  try {
    const url = config.DATABASE_URL ?? null
    const opened = { url, folder: config.DATA_DIR, onLost: () => undefined, onBroken: () => undefined }
    database = await withinTime(connectDatabase(opened), WITHIN_MS)
    const facts = await withinTime(lookAtStore(database), WITHIN_MS)
    return { examined: judged(facts, now()), facts: facts.installationId === null ? null : facts }
  } catch (error) {
    return { examined: [notThere(error, config)], facts: null }
  } finally {
    await database?.close()
  }
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  )

async function newFolder(folder: string): Promise<Examined> {
  const nearest = (await isThere(folder)) ? folder : dirname(resolve(folder))
  return access(nearest, constants.W_OK).then(
    () => ok('database', 'reachable', `embedded, new: ${folder} is made by the first start`),
    () =>
      fail(
        'database',
        'reachable',
        `${nearest} cannot be written to`,
        'set DATA_DIR to a folder of the broker’s own user',
      ),
  )
}

function notThere(error: unknown, { DATABASE_URL }: StoreConfig): Examined {
  const found = sentenceOf(error)
  if (error instanceof FolderInUse) {
    return warn('database', 'reachable', found, 'stop that broker to have its store looked at; /readyz says how it is')
  }
  const advice =
    DATABASE_URL === undefined
      ? 'set DATA_DIR to a folder of the broker’s own user, or restore a backup into a new one'
      : 'check DATABASE_URL (host, port, user, password, database), that the server runs, and that this machine may connect'
  return fail('database', 'reachable', found, advice)
}

function judged(facts: StoreFacts, now: number): readonly Examined[] {
  const { engine, version, installationId } = facts
  const whose = installationId === null ? 'new' : `installation ${installationId}`
  return [
    ok('database', 'reachable', `${engine} ${version}, ${whose}`),
    ...(engine === 'postgres' ? serverOf(facts) : [embedded()]),
    clockOf('database', facts.at - now),
    migrationsOf(facts),
    facts.deletesHeld
      ? warn('database', 'deletions', 'held', 'look at sweep show <provider>, then: gpu-broker resume-deletes')
      : ok('database', 'deletions', 'not held'),
  ]
}

const embedded = (): Examined =>
  warn(
    'database',
    'durability',
    'embedded: a loss of power may lose what was acknowledged',
    'set DATABASE_URL in production',
  )

function serverOf({ version, settings, maxConnections, pgMajor }: StoreFacts): readonly Examined[] {
  const off = Object.entries(settings).filter(([, value]) => value === 'off')
  const replicas = Math.floor(maxConnections / CONNECTIONS_OF_A_REPLICA)
  return [
    pgMajor >= OLDEST_SERVER
      ? ok('database', 'version', version)
      : fail('database', 'version', version, `use PostgreSQL ${OLDEST_SERVER} or later`),
    off.length === 0
      ? ok('database', 'durability', 'a commit waits for the disk')
      : fail(
          'database',
          'durability',
          off.map(([name]) => `${name} is off`).join(', '),
          'turn it on: what was acknowledged may be lost',
        ),
    replicas >= 2
      ? ok('database', 'connections', `${maxConnections}: enough for ${replicas} replicas`)
      : warn(
          'database',
          'connections',
          String(maxConnections),
          `raise max_connections: a replica takes ${CONNECTIONS_OF_A_REPLICA}`,
        ),
  ]
}

function migrationsOf({ pending, unknown, applied }: StoreFacts): Examined {
  if (unknown.length > 0 && pending.length > 0) {
    const found = `unknown: ${unknown.join(', ')}; missing: ${pending.join(', ')}`
    return fail(
      'database',
      'migrations',
      found,
      'this store belongs to another version: start the one that it was used with',
    )
  }
  if (unknown.length > 0) {
    return warn(
      'database',
      'migrations',
      `a later version has been here: ${unknown.join(', ')}`,
      'fine while stepping back',
    )
  }
  if (applied === 0) return ok('database', 'migrations', `${pending.length} to run at the first start`)
  if (pending.length === 0) return ok('database', 'migrations', `${applied} applied`)
  return warn(
    'database',
    'migrations',
    `to run: ${pending.join(', ')}`,
    'gpu-broker migrate, or the next start runs them',
  )
}
