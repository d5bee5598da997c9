/**
 * Lists for programs that read tables (`--output csv`): a column for every member of what the list is made of, named by
 * its path (`limits.maxNodes`). The columns follow from the schema, so that they are the same whatever the rows hold.
 */
import { z } from 'zod'
import { csv } from '../../shared/csv.ts'

type Field = string | number | null | undefined

export interface Sheet {
  readonly columns: readonly string[]
  readonly rows: readonly Readonly<Record<string, Field>>[]
}

/** What has no members of its own that all rows share, such as a list or a choice, is one field of JSON. */
export function sheetOf(schema: z.ZodObject, rows: readonly object[]): Sheet {
  const paths = pathsIn(schema, [])
  return {
    columns: paths.map((path) => path.join('.')),
    rows: rows.map((row) => Object.fromEntries(paths.map((path) => [path.join('.'), fieldAt(row, path)]))),
  }
}

export const sheetText = ({ columns, rows }: Sheet): string => csv(columns, rows)

function pathsIn(schema: z.ZodObject, above: readonly string[]): (readonly string[])[] {
  return Object.entries(schema.shape).flatMap(([name, member]) => {
    const inner = withoutWrapping(member as z.ZodType) // zod's own type of a shape is looser
    return inner instanceof z.ZodObject ? pathsIn(inner, [...above, name]) : [[...above, name]]
  })
}

const withoutWrapping = (schema: z.ZodType): z.ZodType =>
  schema instanceof z.ZodOptional || schema instanceof z.ZodNullable
    ? withoutWrapping(schema.unwrap() as z.ZodType)
    : schema

function fieldAt(row: object, path: readonly string[]): Field {
  let value: unknown = row
  for (const name of path) value = (value as Readonly<Record<string, unknown>> | null | undefined)?.[name]
  if (value === null || value === undefined) return null
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value)
}
