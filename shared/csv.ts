/** Tables as RFC 4180 has them. What a spreadsheet would take for a formula is written as text: names come from callers. */

type Field = string | number | null | undefined

/** Every row has the same members, in one order: their names are the first line. */
export function csv(columns: readonly string[], rows: readonly Readonly<Record<string, Field>>[]): string {
  const lines = rows.map((row) => columns.map((column) => field(row[column])))
  return [columns.map(field), ...lines].map((fields) => `${fields.join(',')}\r\n`).join('')
}

function field(value: Field): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'number') return String(value)
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
