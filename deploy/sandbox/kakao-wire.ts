/** KakaoCloud's conventions on the wire: error shapes, bodies, lists with limit and offset. Pure. */
import type { z } from 'zod'
import { SECOND_MS, toIso } from '../../shared/time.ts'
import type { SandboxResponse } from './harness.ts'
import { MAX_LIMIT } from './kakao-knobs.ts'

/** Codes are not published; clients can rely on the status only. */
const CODES = {
  400: 'BadRequest',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  429: 'TooManyRequests',
  500: 'InternalServerError',
} as const

type ErrorStatus = keyof typeof CODES

/** What any service except IAM answers instead of doing as asked. */
export class ServiceRefusal extends Error {
  override readonly name = 'ServiceRefusal'
  readonly status: ErrorStatus

  constructor(status: ErrorStatus, message: string) {
    super(message)
    this.status = status
  }
}

/** A body or query that breaks the schema; answered as 400 or as FastAPI's 422. */
export class SchemaRefusal extends Error {
  override readonly name = 'SchemaRefusal'
  readonly detail: readonly { loc: (string | number)[]; msg: string; type: string }[]

  constructor(detail: SchemaRefusal['detail']) {
    super(detail.map(({ loc, msg }) => `${loc.join('.')}: ${msg}`).join('; '))
    this.detail = detail
  }
}

/** `{"error":{"code":"<text>","message":"…"}}` */
export const serviceError = (status: ErrorStatus, message: string): SandboxResponse => ({
  status,
  body: { error: { code: CODES[status], message } },
})

/** Keystone's shape, with an integer for a code and a title. */
export const keystoneError = (status: 400 | 401 | 403 | 404, message: string): SandboxResponse => ({
  status,
  body: {
    error: { code: status, message, title: CODES[status].replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ') },
  },
})

/** Stamps have whole seconds, so two things made together are told apart by their order in lists only. */
export const stamp = (at: number): string => toIso(Math.floor(at / SECOND_MS) * SECOND_MS)

/** @throws SchemaRefusal where the body is not JSON or does not fit */
export function parseBody<T>(body: Buffer, schema: z.ZodType<T>): T {
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    throw new SchemaRefusal([{ loc: ['body'], msg: 'JSON decode error', type: 'json_invalid' }])
  }
  const parsed = schema.safeParse(json)
  if (parsed.success) return parsed.data
  throw new SchemaRefusal(
    parsed.error.issues.map(({ path, message, code }) => ({
      loc: ['body', ...path.map((part) => (typeof part === 'number' ? part : String(part)))],
      msg: message,
      type: code,
    })),
  )
}

export type FieldValue = string | number | boolean | null

interface Listing<Row> {
  /** The member that holds the rows. */
  readonly noun: string
  /** In the order in which they were made. */
  readonly rows: readonly Row[]
  readonly query: URLSearchParams
  /** Query parameters that must equal a field, and those that need only be found in it. */
  readonly exact: readonly string[]
  readonly substring: readonly string[]
  /** What a row is filtered and sorted by; undefined for a field that it does not have. */
  readonly field: (row: Row, name: string) => FieldValue | undefined
  readonly view: (row: Row) => object
}

/**
 * One page: `{<noun>: […], pagination: {total, offset, limit}}`. Newest first unless `sort_keys` and `sort_dirs` say
 * otherwise; parameters that the list does not know are ignored.
 */
export function listAnswer<Row>(listing: Listing<Row>): SandboxResponse {
  const { noun, query } = listing
  const limit = Math.min(MAX_LIMIT, whole(query, 'limit', { fallback: 20, least: 1 }))
  const offset = whole(query, 'offset', { fallback: 0, least: 0 })
  const rows = sorted(listing, filtered(listing))
  return {
    status: 200,
    body: {
      [noun]: rows.slice(offset, offset + limit).map((row) => listing.view(row)),
      pagination: { total: rows.length, offset, limit },
    },
  }
}

function filtered<Row>({ rows, query, exact, substring, field }: Listing<Row>): Row[] {
  const wanted = (names: readonly string[]) =>
    names.flatMap((name) => query.getAll(name).map((value) => ({ name, value })))
  const equal = wanted(exact)
  const within = wanted(substring)
  const text = (row: Row, name: string): string => String(field(row, name) ?? '')
  return rows.filter(
    (row) =>
      equal.every(({ name, value }) => text(row, name) === value) &&
      within.every(({ name, value }) => text(row, name).includes(value)),
  )
}

function sorted<Row>({ query, field }: Listing<Row>, rows: readonly Row[]): Row[] {
  const keys = (query.get('sort_keys') ?? 'created_at').split(',')
  const directions = (query.get('sort_dirs') ?? 'desc').split(',')
  const bad = directions.find((direction) => direction !== 'asc' && direction !== 'desc')
  if (bad !== undefined) throw new ServiceRefusal(400, `sort_dirs: ${bad} is neither asc nor desc`)
  const orders = keys.map((key, index) => ({
    key,
    sign: (directions[index] ?? directions.at(-1)) === 'asc' ? 1 : -1, // a missing direction is that of the key before
  }))
  const [first] = rows
  for (const { key } of orders) {
    if (first !== undefined && field(first, key) === undefined)
      throw new ServiceRefusal(400, `sort_keys: cannot sort by ${key}`)
  }
  // Rows made in one instant keep the direction too: the later made is the newer.
  const lastSign = orders.at(-1)?.sign ?? -1
  return rows
    .map((row, made) => ({ row, made, values: orders.map(({ key }) => field(row, key) ?? null) }))
    .toSorted((a, b) => {
      for (const [at, { sign }] of orders.entries()) {
        const difference = compare(a.values[at] ?? null, b.values[at] ?? null)
        if (difference !== 0) return sign * difference
      }
      return lastSign * (a.made - b.made)
    })
    .map(({ row }) => row)
}

function compare(a: FieldValue, b: FieldValue): number {
  if (a === b) return 0
  if (a === null) return -1
  if (b === null) return 1
  return a < b ? -1 : 1
}

function whole(query: URLSearchParams, name: string, { fallback, least }: { fallback: number; least: number }): number {
  const text = query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (text !== '' && Number.isSafeInteger(value) && value >= least) return value
  throw new SchemaRefusal([
    { loc: ['query', name], msg: `Input should be an integer, at least ${least}`, type: 'int_parsing' },
  ])
}
