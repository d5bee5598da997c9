/** Tables for people: no lines but one under the head, columns aligned by their cells, numbers to the right. */
import CliTable3 from 'cli-table3'

export interface Column<T> {
  readonly head: string
  /** Default left. */
  readonly align?: 'left' | 'right'
  /** What the row shows here; a line break makes the row higher. */
  readonly value: (row: T) => string | number
}

const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '  ',
}

/** Ends with a line break; without rows it is the head alone. */
export function table<T>(columns: readonly Column<T>[], rows: readonly T[]): string {
  const made = new CliTable3({
    head: columns.map((column) => column.head),
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
    colAligns: columns.map((column) => column.align ?? 'left'),
  })
  for (const row of rows) made.push(columns.map((column) => String(column.value(row))))
  return `${trimmed(made.toString())}\n`
}

/** One fact per line, its name first. */
export function facts(pairs: readonly (readonly [name: string, value: string | number | null])[]): string {
  const told = pairs.filter(([, value]) => value !== null)
  const made = new CliTable3({
    chars: NO_LINES,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
  })
  for (const [name, value] of told) made.push([name, String(value)])
  return `${trimmed(made.toString())}\n`
}

const trimmed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
