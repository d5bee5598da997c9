/**
 * How Naver is called: every action is a signed POST with a form, reads too (a form is not bound by a URL's length, and
 * no proxy repeats a POST). What comes back is either what `<action>Response` holds or a `ProviderError`.
 */
import { z } from 'zod'
import type { Call } from '../../shared/provider.ts'
import { type Effect, ProviderError } from '../../shared/provider-error.ts'
import { type HttpAnswer, type ProviderHttp, readJson } from '../http.ts'
import type { NaverSettings } from './config.ts'
import { signatureHeaders } from './signature.ts'
import { complaintIn, toProviderError } from './wire-errors.ts'

/** A list becomes `name.1`, `name.2`, …; what is undefined is left out. */
export type Parameters = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>

interface Action {
  readonly action: string
  readonly parameters?: Parameters
  readonly service?: 'vserver' | 'vpc'
}

interface Listing<Row extends z.ZodType> extends Action {
  /** The member of the answer that holds the rows. */
  readonly rows: string
  readonly row: Row
}

interface PagedListing<Row extends z.ZodType> extends Listing<Row> {
  readonly idOf: (row: z.infer<Row>) => string
}

type Payload = Readonly<Record<string, unknown>>

export interface NaverClient {
  /** All rows of an action that has no pages, or of one page of it. */
  list<Row extends z.ZodType>(listing: Listing<Row>, call: Call): Promise<z.infer<Row>[]>
  /** All rows of all pages, each id once. */
  listAll<Row extends z.ZodType>(listing: PagedListing<Row>, call: Call): Promise<z.infer<Row>[]>
  /** Changes something; answers what the operator said about it, empty where it said nothing. */
  change(action: Action, call: Call): Promise<Payload>
}

interface NaverClientParts {
  readonly settings: NaverSettings
  readonly http: ProviderHttp
  readonly now: () => number
}

export function createNaverClient(parts: NaverClientParts): NaverClient {
  const clock = createClock(parts.now)

  const send = async (action: Action, changes: boolean, call: Call): Promise<HttpAnswer> => {
    const request = requestFor(parts.settings, action, () => clock.now())
    const answer = await parts.http.send({ ...request, changes }, call)
    // A timestamp too far from the gateway's clock is refused like a bad key. Its own clock is in the answer.
    return answer.status === 401 && clock.follow(answer) ? await parts.http.send({ ...request, changes }, call) : answer
  }

  const read = async (action: Action, call: Call): Promise<Payload> => {
    const answer = await send(action, false, call)
    return payloadOf(answer, { ...failureContext(parts, action), changes: false })
  }

  const list = async <Row extends z.ZodType>(listing: Listing<Row>, call: Call): Promise<z.infer<Row>[]> =>
    readRows(await read(listing, call), listing, 'none')

  return {
    list,
    listAll: (listing, call) => {
      const page = (pageNo: number) => {
        const { pageSize, firstPage } = parts.settings
        const parameters = { ...listing.parameters, pageNo: firstPage + pageNo, pageSize }
        return list({ ...listing, parameters }, call)
      }
      return collectPages({ page, idOf: listing.idOf, action: listing.action, pageSize: parts.settings.pageSize })
    },
    async change(action, call) {
      const answer = await send(action, true, call)
      return payloadOf(answer, { ...failureContext(parts, action), changes: true })
    },
  }
}

function requestFor(settings: NaverSettings, { action, parameters, service }: Action, now: () => number) {
  const url = `${service === 'vpc' ? settings.vpcUrl : settings.vserverUrl}/${action}`
  const { pathname, search } = new URL(url)
  const { accessKey, secretKey } = settings
  const target = pathname + search
  return {
    method: 'POST' as const,
    url,
    headers: () => ({
      'content-type': 'application/x-www-form-urlencoded',
      accept: 'application/json',
      ...signatureHeaders({ method: 'POST', target, timestampMs: now(), accessKey, secretKey }),
    }),
    body: formOf({ responseFormatType: 'json', regionCode: settings.regionCode, ...parameters }),
  }
}

function formOf(parameters: Parameters): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value === undefined) continue
    if (typeof value === 'object') value.forEach((item, index) => form.append(`${name}.${index + 1}`, item))
    else form.append(name, String(value))
  }
  return form.toString()
}

// --- reading answers

interface FailureContext {
  readonly settings: NaverSettings
  readonly action: string
  readonly changes: boolean
  readonly nowMs: number
}

const failureContext = ({ settings, now }: NaverClientParts, { action }: Action) => ({ settings, action, nowMs: now() })

const Wrapper = z.looseObject({ returnCode: z.union([z.string(), z.number()]).nullish() })

/** What `<action>Response` holds. A success that says otherwise inside is a refusal too. */
function payloadOf(answer: HttpAnswer, context: FailureContext): Payload {
  const { action, changes, settings, nowMs } = context
  const effect: Effect = changes ? 'maybe' : 'none'
  const isSuccess = answer.status >= 200 && answer.status < 300
  if (!isSuccess || isComplaint(answer.body)) throw refusal()
  if (changes && isEmpty(answer.body)) return {}
  const payload = readJson(z.object({ [`${action}Response`]: Wrapper }), answer, effect)[`${action}Response`]
  const code = payload?.returnCode ?? '0'
  if (payload === undefined || String(code) === '0') return payload ?? {}
  throw refusal(JSON.stringify({ responseError: payload }))

  function refusal(body = answer.body): ProviderError {
    const secrets = [settings.accessKey, settings.secretKey]
    const { busyRetryMs } = settings
    return toProviderError({ ...answer, body }, { action, changes, codes: settings, nowMs, busyRetryMs, secrets })
  }
}

/** Only JSON is asked here: a success in XML is one that we cannot read, whatever it says. */
const isComplaint = (body: string): boolean => body.trimStart().startsWith('{') && complaintIn(body) !== null

const isEmpty = (body: string): boolean => ['', 'null'].includes(body.trim())

/**
 * The rows of an answer. Without the list the answer says nothing, except where it counts none: a list that we fail to
 * read must never look like one that is empty.
 *
 * @throws ProviderError `malformed`
 */
export function readRows<Row extends z.ZodType>(
  payload: Payload,
  { rows, row, action }: Listing<Row>,
  effect: Effect,
): z.infer<Row>[] {
  const list = payload[rows] ?? (Number(payload['totalRows']) === 0 ? [] : undefined)
  const parsed = z.array(row).safeParse(list)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const where = [rows, ...(issue?.path ?? [])].join('.')
  throw new ProviderError('malformed', `the answer to ${action} cannot be read: ${where}: ${issue?.message ?? ''}`, {
    effect,
  })
}

// --- pages

/** 100,000 rows at the default page size: far beyond what the account can hold. */
const MAX_PAGES = 100

/** No operator caps its pages below this, so a first page shorter than this is the whole list. */
const SMALLEST_PAGE_CAP = 10

interface Paging<Row> {
  readonly page: (index: number) => Promise<Row[]>
  readonly idOf: (row: Row) => string
  readonly action: string
  readonly pageSize: number
}

/**
 * `totalRows` is not to be trusted, and the operator may give fewer rows per page than asked for: the end is a page that
 * brings nothing new, or one shorter than the fullest before it.
 */
async function collectPages<Row>({ page, idOf, action, pageSize }: Paging<Row>): Promise<Row[]> {
  const found = new Map<string, Row>()
  let fullest = Math.min(pageSize, SMALLEST_PAGE_CAP)
  for (let index = 0; index < MAX_PAGES; index++) {
    const rows = await page(index)
    const before = found.size
    for (const row of rows) if (!found.has(idOf(row))) found.set(idOf(row), row)
    if (found.size === before || rows.length < fullest) return [...found.values()]
    fullest = Math.max(fullest, rows.length)
  }
  throw new ProviderError('malformed', `${action} has no end after ${MAX_PAGES} pages`, { effect: 'none' })
}

// --- the gateway's clock

/** The gateway refuses what is 5 minutes off; anything well inside that was refused for another reason. */
const FOLLOW_BEYOND_MS = 4 * 60_000

function createClock(now: () => number) {
  let offsetMs = 0
  return {
    now: () => Math.floor(now() + offsetMs),
    /** Whether the gateway's clock turned out to be another one, and is now followed. */
    follow(answer: HttpAnswer): boolean {
      const at = Date.parse(answer.headers['date'] ?? '')
      if (Number.isNaN(at) || Math.abs(at - (now() + offsetMs)) < FOLLOW_BEYOND_MS) return false
      offsetMs = at - now()
      return true
    },
  }
}
