/** `migrate`, `backup` and `restore`: they work on the store that the environment names, as `serve` does. */
import type { Command } from 'commander'
import type { BackupSummary } from '../../../shared/backup.ts'
import { readStoreConfig } from '../../config.ts'
import type * as Maintenance from '../../maintenance.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { count, instant, NONE } from '../screen/words.ts'
import type { Text } from '../text/text.ts'
import type { Run } from './command-context.ts'
import { factsIn } from './listing.ts'

export const describeMigrate = (command: Command, { t }: Io): Command =>
  command.description(t('run the migrations on the store of DATABASE_URL or DATA_DIR, and end; serve does so too'))

export const describeBackup = (command: Command, { t }: Io): Command =>
  command
    .description(
      t('write the store of DATABASE_URL or DATA_DIR into a file; a broker on PostgreSQL may go on meanwhile'),
    )
    .argument('<file>', t('that is not there yet'))

export const describeRestore = (command: Command, { t }: Io): Command =>
  command
    .description(t('put a backup into the empty store of DATABASE_URL or DATA_DIR; deletions are held afterwards'))
    .argument('<file>')

/** Loaded only here: the other commands need no database. */
async function maintain<T>(io: Io, work: (maintenance: typeof Maintenance) => Promise<T>): Promise<T | null> {
  const maintenance = await import('../../maintenance.ts')
  try {
    return await work(maintenance)
  } catch (error) {
    const line = io.signal.aborted ? null : maintenance.maintenanceLine(error)
    if (line === null) throw error
    io.terminal.writeError(`gpu-broker: ${line}\n`)
    return null
  }
}

export const migrateStore: Run<object> = async ({ io, answer, t }) => {
  const applied = await maintain(io, (maintenance) => maintenance.migrateStore(readStoreConfig(io.env)))
  if (applied === null) return EXIT.refused
  answer({ applied }, () =>
    applied.length === 0 ? `${t('All migrations have run before.')}\n` : applied.map((name) => `${name}\n`).join(''),
  )
  return undefined
}

export const backUpStore: Run<object> = async ({ io, answer, t }, file = '') => {
  const { onProgress, done } = progressOn(io)
  const options = { file, onProgress, signal: io.signal, now: io.now() }
  const summary = await maintain(io, ({ backUp }) => backUp(readStoreConfig(io.env), options)).finally(done)
  if (summary === null) return EXIT.refused
  answer(summary, (one) => `${summaryText(one, t)}${t('{file} was read back and is whole.', { file })}\n`)
  return undefined
}

export const restoreStore: Run<object> = async ({ io, answer, t }, file = '') => {
  const { onProgress, done } = progressOn(io)
  const options = { file, onProgress, signal: io.signal }
  const summary = await maintain(io, ({ restore }) => restore(readStoreConfig(io.env), options)).finally(done)
  if (summary === null) return EXIT.refused
  answer(
    summary,
    (one) =>
      `${summaryText(one, t)}\n${t('Deletions are held. Start the broker, look at what sweeps find (sweep show <provider>), say what is to become of it, and then: gpu-broker resume-deletes')}\n`,
  )
  return undefined
}

/** A line for each table on standard error; in a terminal the one at hand changes in place. */
function progressOn({ terminal, t }: Io): { onProgress: (table: string, rows: number) => void; done: () => void } {
  let current: { readonly table: string; readonly rows: number } | null = null
  const wipe = terminal.isInteractive ? '\r\u001b[2K' : ''
  const finish = (): void => {
    if (current !== null) terminal.writeError(`${wipe}${lineOf(current.table, current.rows, t)}\n`)
  }
  return {
    onProgress(table, rows) {
      if (current?.table !== table) finish()
      current = { table, rows }
      if (terminal.isInteractive) terminal.writeError(`${wipe}${lineOf(table, rows, t)} …`)
    },
    done: finish,
  }
}

const lineOf = (table: string, rows: number, t: Text): string =>
  `${table}: ${rows === 1 ? t('1 row') : t('{count} rows', { count: count(rows) })}`

const summaryText = ({ installationId, createdAt, engine, migrations, rows, sha256 }: BackupSummary, t: Text): string =>
  factsIn(t, [
    ['installation', installationId],
    ['made (UTC)', instant(createdAt)],
    ['from', engine],
    ['last migration', migrations.at(-1) ?? NONE],
    ['rows', count(Object.values(rows).reduce((sum, one) => sum + one, 0))],
    ['sha256', sha256],
  ])
