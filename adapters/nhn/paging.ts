/**
 * Whole lists, page by page. The next page is asked for by the id of the last item: the operator's own `next` links lead
 * to hosts inside NHN. A list that cannot be read to its end is an error, never a shorter list: a node that is missing
 * from a list counts as gone.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import type { HttpAnswer } from '../http.ts'
import { type NhnClient, type NhnRequest, isSuccess } from './client.ts'

export interface Page<T> {
  readonly items: readonly T[]
  /** Whether the operator says that there is more. */
  readonly hasNext: boolean
}

export interface PagedList<T> {
  readonly url: string
  readonly query: Readonly<Record<string, string>>
  readonly asked: string
  readonly read: (answer: HttpAnswer) => Page<T>
  /** A service that does not know such things at all (404) has none. */
  readonly mayBeUnknown?: boolean
}

const MAX_PAGES = 500
/** A marker that was deleted meanwhile is refused: begin again, so often. */
const MAX_STARTS = 3
/** The operator's own page where it does not heed our limit: a shorter one is surely the last. */
const DEFAULT_PAGE = 100

/** Each item once, in the operator's order. */
export async function listAll<T extends { readonly id: string }>(
  client: NhnClient,
  list: PagedList<T>,
  call: Call,
): Promise<readonly T[]> {
  for (let start = 1; start <= MAX_STARTS; start += 1) {
    const items = await listOnce(client, list, call)
    if (items !== 'marker gone') return items
  }
  throw new ProviderError('busy', `${list.asked}: the list changed faster than it could be read`, { effect: 'none' })
}

async function listOnce<T extends { readonly id: string }>(
  client: NhnClient,
  list: PagedList<T>,
  call: Call,
): Promise<readonly T[] | 'marker gone'> {
  const limit = client.settings.pageSize
  const found = new Map<string, T>()
  let marker: string | null = null
  for (let pages = 1; pages <= MAX_PAGES; pages += 1) {
    const request: NhnRequest = { method: 'GET', url: pageUrl(list, limit, marker), asked: list.asked }
    const answer = await client.send(request, call)
    if (answer.status === 400 && marker !== null) return 'marker gone'
    if (answer.status === 404 && list.mayBeUnknown === true) return []
    if (!isSuccess(answer)) throw client.errorOf(request, answer)
    const page = list.read(answer)
    const before = found.size
    for (const item of page.items) if (!found.has(item.id)) found.set(item.id, item)
    const mayHaveMore = page.hasNext || page.items.length >= limit
    const last = page.items.at(-1)
    if (last === undefined) return [...found.values()]
    if (!mayHaveMore && (page.items.length < DEFAULT_PAGE || found.size === before)) return [...found.values()]
    if (!mayHaveMore && (await linksPages(client, list, call))) return [...found.values()]
    if (found.size === before) throw endless(list.asked, 'a page repeats itself')
    marker = last.id
  }
  throw endless(list.asked, `it has more than ${MAX_PAGES} pages`)
}

/**
 * Whether a page without a link is surely the last: of a list that is known to have several items one is asked for, and
 * the answer links to the others or does not. Asked once for each list.
 */
async function linksPages<T>(client: NhnClient, list: PagedList<T>, call: Call): Promise<boolean> {
  const known = client.linking.get(list.url)
  if (known !== undefined) return known
  const answer = await client.send({ method: 'GET', url: pageUrl(list, 1, null), asked: list.asked }, call)
  if (!isSuccess(answer)) return false // it is asked for another page, as if nobody knew
  const { items, hasNext } = list.read(answer)
  if (items.length === 0) return false
  const links = hasNext && items.length === 1 // more than one: it does not heed limits, so its links say nothing
  client.linking.set(list.url, links)
  return links
}

function pageUrl({ url, query }: PagedList<unknown>, limit: number, marker: string | null): string {
  const parameters = new URLSearchParams({ ...query, limit: String(limit), ...(marker === null ? {} : { marker }) })
  return `${url}?${parameters.toString()}`
}

const endless = (asked: string, why: string) =>
  new ProviderError('malformed', `${asked}: the list has no end: ${why}`, { effect: 'none' })
