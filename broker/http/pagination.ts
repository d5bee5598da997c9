/**
 * Cursors: opaque to callers, they carry the list's name and a check sum, so that one of another list, of another
 * version or a mangled one is refused rather than misread. They are no secret: a list shows what its caller may see,
 * whatever the cursor says.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'
import { type Refusal, invalidRequest } from '../../shared/refusal.ts'
import type { Page, PageRequest } from '../app/command.ts'

const VERSION = 1
const MAX_LIMIT = 500
const DEFAULT_LIMIT = 50
const MAX_CURSOR_CHARACTERS = 2_048

const Limit = z
  .string()
  .regex(/^0*[1-9][0-9]{0,2}$/, `must be a whole number from 1 to ${MAX_LIMIT}`)
  .transform(Number)
  .refine((limit) => limit <= MAX_LIMIT, `must be a whole number from 1 to ${MAX_LIMIT}`)
  .optional()
  .meta({
    description: `At most so many items; default ${DEFAULT_LIMIT}.`,
    // A text that is read as a number: callers are told of the number.
    override: ({ jsonSchema }) => {
      delete jsonSchema.pattern
      Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: MAX_LIMIT, default: DEFAULT_LIMIT })
    },
  })

const Cursor = z
  .string()
  .min(1)
  .max(MAX_CURSOR_CHARACTERS)
  .optional()
  .meta({ description: '`nextCursor` of the page before.' })

/** What every paged list takes in its query. */
export const pageMembers = { limit: Limit, cursor: Cursor }

interface PageQuery {
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

export interface PageBody<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** @throws Refusal `invalid-request` at `?cursor` */
export const pageRequest = (list: string, query: PageQuery): PageRequest => ({
  limit: query.limit ?? DEFAULT_LIMIT,
  after: query.cursor === undefined ? null : decodeCursor(list, query.cursor),
})

export const pageBody = <T>(list: string, page: Page<T>): PageBody<T> => ({
  items: page.items,
  nextCursor: page.next === null ? null : encodeCursor(list, page.next),
})

/**
 * A page of a list that is at hand as a whole and bounded by its nature (an allocation's nodes). Without a limit it is
 * all of it: whoever asks for 510 nodes wants 510.
 *
 * @throws Refusal `invalid-request` at `?cursor`
 */
export function pageOfWhole<T>(list: string, whole: readonly T[], query: PageQuery): PageBody<T> {
  const start = query.cursor === undefined ? 0 : Number(decodeCursor(list, query.cursor))
  if (!Number.isSafeInteger(start) || start < 0) throw badCursor()
  const end = query.limit === undefined ? whole.length : start + query.limit
  return {
    items: whole.slice(start, end),
    nextCursor: end < whole.length ? encodeCursor(list, String(end)) : null,
  }
}

export function encodeCursor(list: string, after: string): string {
  const content = JSON.stringify([VERSION, list, after])
  return Buffer.from(checkSum(content) + content).toString('base64url')
}

/** @throws Refusal `invalid-request` at `?cursor` */
export function decodeCursor(list: string, cursor: string): string {
  const text = Buffer.from(cursor, 'base64url').toString()
  const content = text.slice(SUM_CHARACTERS)
  // The first comparison also refuses what base64url would skip in silence.
  if (Buffer.from(text).toString('base64url') !== cursor || checkSum(content) !== text.slice(0, SUM_CHARACTERS)) {
    throw badCursor()
  }
  const [version, name, after] = JSON.parse(content) as readonly unknown[] // what has our sum is our JSON
  if (version !== VERSION || name !== list || typeof after !== 'string') throw badCursor()
  return after
}

const SUM_CHARACTERS = 12
const checkSum = (content: string): string =>
  createHash('sha256').update(`cursor ${content}`).digest('base64url').slice(0, SUM_CHARACTERS)

const badCursor = (): Refusal =>
  invalidRequest([{ pointer: '/cursor', detail: 'must be the nextCursor of a page of this list, unchanged' }])
