/** Tables and facts whose headings are in the user's language. */
import { facts, table } from '../screen/table.ts'
import type { Plain, Text } from '../text/text.ts'

export interface Column<T> {
  readonly head: Plain
  /** Default left. */
  readonly align?: 'left' | 'right'
  readonly value: (row: T, t: Text) => string | number
}

export const tableIn = <T>(t: Text, columns: readonly Column<T>[], rows: readonly T[]): string =>
  table<T>(
    columns.map(({ head, value, ...column }) => ({ ...column, head: t(head), value: (row) => value(row, t) })),
    rows,
  )

export type Fact = readonly [name: Plain, value: string | number | null]

export const factsIn = (t: Text, pairs: readonly Fact[]): string =>
  facts(pairs.map(([name, value]) => [t(name), value]))
