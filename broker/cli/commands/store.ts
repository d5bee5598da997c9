/** `migrate`, `backup` and `restore`: they work on the store that the environment names, as `serve` does. */
import type { Command } from 'commander'
import type { BackupSummary } from '../../../shared/backup.ts'
import { readStoreConfig } from '../../config.ts'
import type * as Maintenance from '../../maintenance.ts'
import { EXIT } from '../failure.ts'
import type { Io } from '../io.ts'
import { facts } from '../screen/table.ts'
import { count, instant, NONE } from '../screen/words.ts'
import type { Run } from './command-context.ts'

export const describeMigrate = (command: Command): Command =>
  command.description('run the migrations on the store of DATABASE_URL or DATA_DIR, and end; serve does so too')

export const describeBackup = (command: Command): Command =>
  command
    .description('write the store of DATABASE_URL or DATA_DIR into a file; a broker on PostgreSQL may go on meanwhile')
    .argument('<file>', 'that is not there yet')

export const describeRestore = (command: Command): Command =>
  command
    .description('put a backup into the empty store of DATABASE_URL or DATA_DIR; deletions are held afterwards')
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

export const migrateStore: Run<object> = async ({ io, answer }) => {
  const applied = await maintain(io, (maintenance) => maintenance.migrateStore(readStoreConfig(io.env)))
  if (applied === null) return EXIT.refused
  answer({ applied }, () =>
    applied.length === 0 ? 'All migrations have run before.\n' : applied.map((name) => `${name}\n`).join(''),
  )
  return undefined
}

export const backUpStore: Run<object> = async ({ io, answer }, file = '') => {
  const { onProgress, done } = progressOn(io)
  const options = { file, onProgress, signal: io.signal, now: io.now() }
  const summary = await maintain(io, ({ backUp }) => backUp(readStoreConfig(io.env), options)).finally(done)
  if (summary === null) return EXIT.refused
  answer(summary, (one) => `${summaryText(one)}${file} was read back and is whole.\n`)
  return undefined
}

export const restoreStore: Run<object> = async ({ io, answer }, file = '') => {
  const { onProgress, done } = progressOn(io)
  const options = { file, onProgress, signal: io.signal }
  const summary = await maintain(io, ({ restore }) => restore(readStoreConfig(io.env), options)).finally(done)
  if (summary === null) return EXIT.refused
  answer(summary, (one) => `${summaryText(one)}${AFTER_RESTORE}`)
  return undefined
}

const AFTER_RESTORE = `
Deletions are held. Start the broker, look at what sweeps find (sweep show <provider>), say what is to become of it, and
then: gpu-broker resume-deletes
`

/** A line for each table on standard error; in a terminal the one at hand changes in place. */
function progressOn({ terminal }: Io): { onProgress: (table: string, rows: number) => void; done: () => void } {
  let current: { readonly table: string; readonly rows: number } | null = null
  const wipe = terminal.isInteractive ? '\r\u001b[2K' : ''
  const finish = (): void => {
    if (current !== null) terminal.writeError(`${wipe}${lineOf(current.table, current.rows)}\n`)
  }
  return {
    onProgress(table, rows) {
      if (current?.table !== table) finish()
      current = { table, rows }
      if (terminal.isInteractive) terminal.writeError(`${wipe}${lineOf(table, rows)} …`)
    },
    done: finish,
  }
}

const lineOf = (table: string, rows: number): string => `${table}: ${count(rows)} ${rows === 1 ? 'row' : 'rows'}`

const summaryText = ({ installationId, createdAt, engine, migrations, rows, sha256 }: BackupSummary): string =>
  facts([
    ['installation', installationId],
    ['made (UTC)', instant(createdAt)],
    ['from', engine],
    ['last migration', migrations.at(-1) ?? NONE],
    ['rows', count(Object.values(rows).reduce((sum, one) => sum + one, 0))],
    ['sha256', sha256],
  ])
