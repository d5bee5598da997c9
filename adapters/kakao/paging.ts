/**
 * Reads a whole list by limit and offset. There is no marker, so rows that go while we read move the rest forward, past
 * the place where we go on. Hence each page begins with the last row of the one before it: is that row not there, the
 * list has moved, and we step back. Nothing that exists all the while is missed, and a row met twice counts once.
 */
import { z } from 'zod'
import { readJson } from '../http.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import type { KakaoClient } from './client.ts'

export interface ListRequest<S extends z.ZodType> {
  /** The list's own URL, without a query. */
  readonly url: string
  /** The member that holds the rows. */
  readonly noun: string
  readonly row: S
  readonly limit: number
  /** Filters at the operator; what they let through is for the caller to compare. */
  readonly filter?: Readonly<Record<string, string>>
}

interface Page<Row> {
  readonly rows: readonly Row[]
  readonly total: number | null
}

/** Oldest first: what is added while we read comes at the end. */
const ORDER = { sort_keys: 'created_at', sort_dirs: 'asc' }

/** A list that has not ended by then is not one: 500 instances are a project's limit. */
const MAX_PAGES = 500

/** @throws ProviderError `malformed` when the list never ends or cannot be read */
export async function listAll<S extends z.ZodType<{ readonly id: string }>>(
  client: KakaoClient,
  request: ListRequest<S>,
  call: Call,
): Promise<z.infer<S>[]> {
  const found = new Map<string, z.infer<S>>()
  let offset = 0
  let again = true
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const { rows, total } = await readPage(client, request, offset, call)
    const first = rows[0]
    const moved = offset > 0 && (first === undefined || !found.has(first.id))
    if (moved) {
      offset = Math.max(0, offset - request.limit)
      continue
    }
    const before = found.size
    for (const row of rows) found.set(row.id, row)
    // Who tells no total may not know pages either, and give the same rows to every offset: all that there are, if fewer
    // than we would have taken.
    const repeated = offset > 0 && found.size === before && rows.length < request.limit
    const atEnd = total === null ? rows.length <= 1 || repeated : offset + rows.length >= total
    if (!atEnd && rows.length <= 1) throw unending(request.noun)
    // Rows of one instant have no order among themselves, so one may hide between two pages: look once more.
    const short = total !== null && found.size < total
    if (atEnd && !(short && again)) return [...found.values()]
    if (atEnd) again = false
    offset = atEnd ? 0 : offset + rows.length - 1
  }
  throw unending(request.noun)
}

const unending = (noun: string) =>
  new ProviderError('malformed', `the list of ${noun} does not end where its total says`, { effect: 'none' })

/** Lists without it are read until a page brings nothing new. A short page proves nothing: our limit may not be theirs. */
const Pagination = z.object({
  pagination: z
    .object({ total: z.int().min(0) })
    .nullish()
    .catch(null),
})

async function readPage<S extends z.ZodType<{ readonly id: string }>>(
  client: KakaoClient,
  { url, noun, row, limit, filter }: ListRequest<S>,
  offset: number,
  call: Call,
): Promise<Page<z.infer<S>>> {
  const query = new URLSearchParams({ ...filter, limit: String(limit), offset: String(offset), ...ORDER })
  const answer = await client.get(`the list of ${noun}`, `${url}?${query.toString()}`, call)
  const page = readJson(z.object({ [noun]: z.array(row) }).and(Pagination), answer, 'none')
  return { rows: page[noun] ?? [], total: page.pagination?.total ?? null }
}
