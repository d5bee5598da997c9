/**
 * What a simulated operator remembers: named tables of plain JSON records, in insertion order. Every change is appended
 * to one journal file before the answer leaves, so that killing the sandbox at any instant loses nothing that a client
 * was told; the journal is rewritten when it has grown far beyond what it holds. Without a folder, memory only.
 */
import {
  appendFileSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'

/** Records are replaced, never changed in place: only `set` is written down. */
export interface Table<T> {
  get(key: string): T | undefined
  has(key: string): boolean
  set(key: string, record: T): void
  delete(key: string): void
  /** In the order in which the keys were first set. */
  values(): T[]
  readonly size: number
}

export interface Store {
  /** The table of that name, made when first asked for. The caller knows the type of its own records. */
  table<T>(name: string): Table<T>
  /** The next number of a named counter that starts at `first` and survives a restart. */
  nextNumber(name: string, first: number): number
  /** Writes down what has changed since the last flush. */
  flush(): void
  /** Forgets everything, the journal too. */
  clear(): void
  close(): void
}

interface JournalLine {
  readonly table: string
  readonly key: string
  /** Absent: the record was deleted. */
  readonly record?: unknown
}

const COUNTERS = 'counters'
/** The journal is rewritten once it has this many lines, and four times more than there are records. */
const COMPACT_FROM_LINES = 20_000

/** @param file the journal; null keeps everything in memory */
export function openStore(file: string | null): Store {
  const tables = new Map<string, Map<string, unknown>>()
  let pending: string[] = []
  let lines = 0
  const rows = (name: string): Map<string, unknown> => {
    const found = tables.get(name)
    if (found !== undefined) return found
    const made = new Map<string, unknown>()
    tables.set(name, made)
    return made
  }

  if (file !== null) {
    mkdirSync(dirname(file), { recursive: true })
    for (const line of readJournal(file)) apply(rows(line.table), line)
    rewriteJournal(file, tables)
  }
  let descriptor = file === null ? null : openSync(file, 'a')

  function note(line: JournalLine): void {
    apply(rows(line.table), line)
    if (descriptor !== null) pending.push(`${JSON.stringify(line)}\n`)
  }
  function compact(path: string): void {
    const records = [...tables.values()].reduce((sum, table) => sum + table.size, 0)
    if (lines < COMPACT_FROM_LINES || lines < 4 * records) return
    if (descriptor !== null) closeSync(descriptor)
    rewriteJournal(path, tables)
    descriptor = openSync(path, 'a')
    lines = records
  }
  function flush(): void {
    if (file === null || descriptor === null || pending.length === 0) return
    writeSync(descriptor, pending.join(''))
    lines += pending.length
    pending = []
    compact(file)
  }

  return {
    flush,
    table<T>(name: string): Table<T> {
      const table = (): Map<string, T> => rows(name) as Map<string, T> // one caller per table, and it knows its records
      return {
        get: (key) => table().get(key),
        has: (key) => table().has(key),
        set: (key, record) => note({ table: name, key, record }),
        delete: (key) => {
          if (table().has(key)) note({ table: name, key })
        },
        values: () => [...table().values()],
        get size() {
          return table().size
        },
      }
    },
    nextNumber(name, first) {
      const next = (rows(COUNTERS).get(name) as number | undefined) ?? first // only this function writes counters
      note({ table: COUNTERS, key: name, record: next + 1 })
      return next
    },
    clear() {
      tables.clear()
      pending = []
      if (file === null || descriptor === null) return
      closeSync(descriptor)
      rewriteJournal(file, tables)
      descriptor = openSync(file, 'a')
      lines = 0
    },
    close() {
      flush()
      if (descriptor !== null) closeSync(descriptor)
      descriptor = null
    },
  }
}

function apply(table: Map<string, unknown>, line: JournalLine): void {
  if (line.record === undefined) table.delete(line.key)
  else table.set(line.key, line.record)
}

/** Whole lines only: a last line cut off by a crash was never answered for. */
function readJournal(file: string): JournalLine[] {
  if (!existsSync(file)) return []
  const text = readFileSync(file, 'utf8')
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as JournalLine) // written by this file alone
}

function rewriteJournal(file: string, tables: ReadonlyMap<string, ReadonlyMap<string, unknown>>): void {
  const fresh = `${file}.new`
  writeFileSync(fresh, '')
  for (const [table, rows] of tables) {
    const text = [...rows].map(([key, record]) => `${JSON.stringify({ table, key, record })}\n`).join('')
    appendFileSync(fresh, text)
  }
  renameSync(fresh, file)
}
