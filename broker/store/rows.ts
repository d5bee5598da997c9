/**
 * Many rows in one statement: the rows travel as one JSON parameter and PostgreSQL unpacks them, so the statement's text
 * (and its plan) is the same for one row and for a thousand.
 */
import { sql } from 'kysely'
import type { Transaction } from './database.ts'

type Row = object

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** Only the top level is renamed: what is inside a jsonb column keeps its names. */
const toColumns = (row: Row): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [snake(name), value]))

export async function insertRows(trx: Transaction, table: string, rows: readonly Row[]): Promise<void> {
  if (rows.length === 0) return
  await sql`insert into ${sql.table(table)} ${unpack(table, rows)}`.execute(trx)
}

/** @param keep columns that an existing row keeps, whatever the new one says (they belong to somebody else) */
export async function upsertRows(
  trx: Transaction,
  table: string,
  rows: readonly Row[],
  { key, keep = [] }: { readonly key: readonly string[]; readonly keep?: readonly string[] },
): Promise<void> {
  const first = rows[0]
  if (first === undefined) return
  const columns = Object.keys(toColumns(first)).filter((name) => !key.includes(name) && !keep.includes(name))
  const updates = columns.map((name) => sql`${sql.id(name)} = excluded.${sql.id(name)}`)
  await sql`insert into ${sql.table(table)} ${unpack(table, rows)}
    on conflict (${sql.join(key.map((name) => sql.id(name)))}) do update set ${sql.join(updates)}`.execute(trx)
}

const unpack = (table: string, rows: readonly Row[]) =>
  sql`select * from json_populate_recordset(null::${sql.table(table)}, ${JSON.stringify(rows.map(toColumns))}::json)`
