/**
 * Names as the database has them ↔ as we write them. Statements are renamed as Kysely does it; rows faster than it does,
 * because all rows of a result have the same names: with fifty rows of a list that was a tenth of what the list cost.
 */
import { CamelCasePlugin, type KyselyPlugin, type UnknownRow } from 'kysely'

export function camelCaseNames(): KyselyPlugin {
  const kyselys = new CamelCasePlugin({ maintainNestedObjectKeys: true })
  return {
    transformQuery: (args) => kyselys.transformQuery(args),
    transformResult: async ({ result }) => ({ ...result, rows: renamed(result.rows) }),
  }
}

interface Shape {
  readonly names: readonly string[]
  /** Copied for each row: an object that gets so many members one by one is made a table, which is slow to copy ever after. */
  readonly empty: UnknownRow
}

/** By the columns of a result: as many as there are kinds of statements, each once. */
const shapes = new Map<string, Shape>()
const MOST_SHAPES = 500

function renamed(rows: readonly UnknownRow[]): UnknownRow[] {
  const [first] = rows
  if (first === undefined) return []
  const columns = Object.keys(first)
  const { names, empty } = shapeOf(columns)
  return rows.map((row) => {
    const named = { ...empty }
    for (const [at, name] of names.entries()) named[name] = row[columns[at] ?? name]
    return named
  })
}

function shapeOf(columns: readonly string[]): Shape {
  const key = columns.join()
  let shape = shapes.get(key)
  if (shape === undefined) {
    const names = columns.map(nameOf)
    const members = [...new Set(names)].map((name) => `${JSON.stringify(name)}:null`)
    shape = { names, empty: JSON.parse(`{${members.join()}}`) as UnknownRow } // just written
    if (shapes.size < MOST_SHAPES) shapes.set(key, shape)
  }
  return shape
}

/** `fp8_h200_thousandths` → `fp8H200Thousandths`; what is no column's name, such as an alias of ours, stays. */
const nameOf = (column: string): string => column.replace(/_([a-z0-9])/g, (_, first: string) => first.toUpperCase())
