/** Reads a backup line by line, never more than a line at a time in memory, and says whether it is whole. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { createGunzip } from 'node:zlib'
import { BackupEnd, BackupError, BackupHeader, type BackupSummary, BackupTable } from '../../../shared/backup.ts'

/** A row as the text that it is in the file: a JSON list of texts and nulls. */
export interface BackupRow {
  readonly table: string
  readonly columns: readonly string[]
  readonly json: string
}

/**
 * Reads all of it.
 *
 * @throws BackupError unless checksum and counts are what its last line says
 */
export async function checkBackup(file: string): Promise<BackupSummary> {
  const hash = createHash('sha256')
  const counted: Record<string, number> = {}
  let header: BackupHeader | null = null
  let table = ''
  let last: string | null = null
  for await (const line of linesOf(file)) {
    if (last !== null) {
      hash.update(`${last}\n`)
      if (header === null) header = headerOf(file, last)
      else if (last.startsWith('[')) counted[table] = (counted[table] ?? 0) + 1
      else ({ table } = tableOf(file, last))
      counted[table] ??= 0
    }
    last = line
  }
  const end = endOf(file, last)
  delete counted['']
  if (header === null || hash.digest('hex') !== end.sha256 || !isSame(counted, end.rows)) {
    throw new BackupError(`${file} is damaged: it is not what its checksum says`)
  }
  const { createdAt, engine, installationId, migrations } = header
  return { createdAt, engine, installationId, migrations, rows: end.rows, sha256: end.sha256 }
}

/** The rows in their order. Of what `checkBackup` has found whole. */
export async function* rowsIn(file: string): AsyncGenerator<BackupRow> {
  let table: { readonly table: string; readonly columns: readonly string[] } | null = null
  for await (const line of linesOf(file)) {
    if (line.startsWith('[') && table !== null) yield { ...table, json: line }
    else if (line.startsWith('{"table"')) table = tableOf(file, line)
  }
}

const headerOf = (file: string, line: string): BackupHeader =>
  parsed(BackupHeader, line) ?? fail(`${file} is no backup of a broker that this version can read`)

const tableOf = (file: string, line: string): BackupTable => parsed(BackupTable, line) ?? fail(`${file} is damaged`)

const endOf = (file: string, line: string | null): BackupEnd =>
  parsed(BackupEnd, line ?? '') ?? fail(`${file} is not whole: its end is missing`)

const isSame = (counted: Readonly<Record<string, number>>, said: Readonly<Record<string, number>>): boolean =>
  Object.keys(counted).length === Object.keys(said).length &&
  Object.entries(counted).every(([table, rows]) => said[table] === rows)

interface Schema<T> {
  safeParse(value: unknown): { readonly success: true; readonly data: T } | { readonly success: false }
}

function parsed<T>(schema: Schema<T>, line: string): T | null {
  try {
    const result = schema.safeParse(JSON.parse(line))
    return result.success ? result.data : null
  } catch {
    return null
  }
}

function fail(sentence: string): never {
  throw new BackupError(sentence)
}

const BREAK = 0x0a

/** @throws BackupError when the file is not there, or is no gzip */
async function* linesOf(file: string): AsyncGenerator<string> {
  const source = createReadStream(file)
  const unzipped = createGunzip()
  source.once('error', (error) => unzipped.destroy(error))
  let begun: Buffer[] = []
  try {
    for await (const chunk of source.pipe(unzipped) as AsyncIterable<Buffer>) {
      let from = 0
      for (let at = chunk.indexOf(BREAK); at >= 0; at = chunk.indexOf(BREAK, from)) {
        yield Buffer.concat([...begun, chunk.subarray(from, at)]).toString()
        begun = []
        from = at + 1
      }
      if (from < chunk.length) begun.push(chunk.subarray(from))
    }
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException // of the file system or of zlib
    throw new BackupError(`${file} cannot be read (${code})`, { cause: error })
  } finally {
    source.destroy()
    unzipped.destroy()
  }
}
