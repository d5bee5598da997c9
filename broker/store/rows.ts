/**
 * Many rows of many tables in one statement: the rows of a table travel as one JSON parameter and PostgreSQL unpacks them,
 * so that a commit's ways to the database do not grow with what it changes.
 */
import { CompiledQuery } from 'kysely'
import type { Transaction } from './database.ts'
import { PREPARED } from './prepared.ts'

type Row = object

/** What is to be written into one table. */
export interface TableRows {
  readonly table: string
  readonly rows: readonly Row[]
  /** Columns by which a row takes the place of one that is there. Default: all rows are new. */
  readonly key?: readonly string[]
  /** Columns that a row which is there keeps, whatever the new one says (they belong to somebody else). Default: none. */
  readonly keep?: readonly string[]
  /** The rows are there already, and the new ones name some of their columns only. Default: false. */
  readonly changesOnly?: boolean
}

export const insertRows = (trx: Transaction, table: string, rows: readonly Row[]): Promise<void> =>
  writeRows(trx, [{ table, rows }])

export const upsertRows = (
  trx: Transaction,
  table: string,
  rows: readonly Row[],
  on: Required<Pick<TableRows, 'key'>> & Pick<TableRows, 'keep'>,
): Promise<void> => writeRows(trx, [{ table, rows, ...on }])

/**
 * All tables in one statement. None of its parts sees what another writes, so a table may be in it once; what one table
 * references in another is looked for when all are written.
 */
export async function writeRows(trx: Transaction, tables: readonly TableRows[]): Promise<void> {
  const written = tables.filter(({ rows }) => rows.length > 0)
  const parts = written.map((one, index) => partOf(one, `$${index + 1}`))
  const last = parts.pop()
  if (last === undefined) return
  const before = parts.map((part, index) => `w${index} as (${part})`)
  const text = before.length === 0 ? last : `with ${before.join(', ')} ${last}`
  const parameters = written.map(({ rows }) => JSON.stringify(rows.map(toColumns)))
  await trx.executeQuery(CompiledQuery.raw(`${PREPARED}${text}`, parameters))
}

function partOf({ table, rows, key = [], keep = [], changesOnly = false }: TableRows, parameter: string): string {
  const unpacked = `json_populate_recordset(null::"${table}", ${parameter}::json)`
  const named = columnsOf(rows)
  const changing = named.filter((name) => !key.includes(name) && !keep.includes(name))
  const set = (from: string): string => changing.map((name) => `"${name}" = ${from}."${name}"`).join(', ')
  if (changesOnly) {
    const same = key.map((name) => `"${table}"."${name}" = changed."${name}"`).join(' and ')
    return `update "${table}" set ${set('changed')} from ${unpacked} as changed where ${same}`
  }
  const columns = named.map((name) => `"${name}"`).join(', ')
  const insert = `insert into "${table}" (${columns}) select ${columns} from ${unpacked}`
  return key.length === 0 ? insert : `${insert} on conflict (${key.join(', ')}) do update set ${set('excluded')}`
}

/**
 * Those that all rows have. Rows that were read have also what another version of the broker has added, and keep it; new ones
 * get its default there.
 */
function columnsOf(rows: readonly Row[]): string[] {
  let fewest: readonly string[] | null = null
  for (const row of rows) {
    const names = Object.keys(row)
    if (fewest === null || names.length < fewest.length) fewest = names
  }
  return (fewest ?? []).map(snake)
}

/** Only the top level is renamed: what is inside a jsonb column keeps its names. What is null is left out, and null again there. */
function toColumns(row: Row): Record<string, unknown> {
  const columns: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(row)) if (value !== null) columns[snake(name)] = value
  return columns
}

/** There are as many as columns, and each is looked up for every row. */
const snaked = new Map<string, string>()

function snake(name: string): string {
  let column = snaked.get(name)
  if (column === undefined) {
    column = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    snaked.set(name, column)
  }
  return column
}
