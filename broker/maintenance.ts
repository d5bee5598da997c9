/** What is done to a store without a broker on it: `migrate`, `backup`, `restore`. A backup of PostgreSQL needs no pause. */
import { existsSync } from 'node:fs'
import type { BackupSummary } from '../shared/backup.ts'
import { BackupError } from '../shared/backup.ts'
import { type StoreConfig, ConfigError } from './config.ts'
import { checkBackup } from './store/backup/read.ts'
import { dumpTo } from './store/backup/dump.ts'
import { restoreFrom } from './store/backup/restore.ts'
import { connectDatabase, type Database } from './store/database.ts'
import { whyNoDatabase } from './store/away.ts'
import { FolderInUse } from './store/folder-lock.ts'
import { migrate, SchemaMismatch } from './store/migrate.ts'

export interface FileOptions {
  readonly file: string
  readonly onProgress: (table: string, rows: number) => void
  readonly signal: AbortSignal
}

/** @returns the migrations that have run now */
export const migrateStore = (config: StoreConfig): Promise<readonly string[]> =>
  onStore(config, (database) => migrate(database.queries))

/** @throws BackupError, FolderInUse */
export async function backUp(
  config: StoreConfig,
  options: FileOptions & { readonly now: number },
): Promise<BackupSummary> {
  if (config.DATABASE_URL === undefined && !existsSync(config.DATA_DIR)) {
    throw new BackupError(`there is nothing to back up: ${config.DATA_DIR} is not there`)
  }
  return await onStore(config, (database) => dumpTo(database, options))
}

/** @throws BackupError, FolderInUse */
export async function restore(config: StoreConfig, options: FileOptions): Promise<BackupSummary> {
  const summary = await checkBackup(options.file)
  await onStore(config, (database) => restoreFrom(database, { ...options, summary }))
  return summary
}

async function onStore<T>(config: StoreConfig, work: (database: Database) => Promise<T>): Promise<T> {
  const lost = Promise.withResolvers<never>()
  const database = await connectDatabase({
    url: config.DATABASE_URL ?? null,
    folder: config.DATA_DIR,
    onLost: lost.reject,
    onBroken: () => undefined, // whoever used the connection fails
  })
  try {
    return await Promise.race([work(database), lost.promise])
  } finally {
    await database.close()
  }
}

/** What whoever runs such a command can mend, in one line; null for a mistake of ours. */
export function maintenanceLine(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const isKnown = [BackupError, ConfigError, FolderInUse, SchemaMismatch].some((known) => error instanceof known)
  if (isKnown) return error.message
  return whyNoDatabase(error)
}
