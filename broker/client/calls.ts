/** What the client's methods are made of: one call, or a list that is walked page by page as it is read. */
import type { AnswerFacts, Asked, Exchange } from './exchange.ts'

export interface CallOptions {
  /** Ends the call, its waits included: `AbortSignal.timeout(ms)` is a deadline over all attempts. */
  readonly signal?: AbortSignal
  /** Told what a success says beside its body: its ETag, whether it is a replay. */
  readonly onAnswer?: (answer: AnswerFacts) => void
}

export interface PostOptions extends CallOptions {
  /** 1 to 255 visible ASCII characters. Default: a new one per call, kept over its retries. */
  readonly idempotencyKey?: string
}

/** Of what changes something that has a version. */
export interface IfMatchOption {
  /** The ETag that the caller saw, with its quotes: another version by now is refused as `stale`. */
  readonly ifMatch?: string
}

/** Of a read of what has a version. */
export interface IfNoneMatchOption {
  /**
   * The ETag of what the caller has, with its quotes: while that is the version, null is answered instead of it. Null for
   * none, as `onAnswer` tells it.
   */
  readonly ifNoneMatch: string | null | undefined
}

type Unconditional = CallOptions & { readonly ifNoneMatch?: undefined }

/** A read of what there is one of. */
export interface ReadOne<T> {
  (options: CallOptions & IfNoneMatchOption): Promise<T | null>
  (options?: Unconditional): Promise<T>
}

/** The same of one among many. */
export interface ReadById<T> {
  (id: string, options: CallOptions & IfNoneMatchOption): Promise<T | null>
  (id: string, options?: Unconditional): Promise<T>
}

export interface ListOptions extends CallOptions {
  /** Items asked for at once, 1 to 500; default 100. */
  readonly pageSize?: number
}

type Query = NonNullable<Asked['query']>
type MaybeConditional = CallOptions & Partial<IfNoneMatchOption>

export interface Calls {
  readonly exchange: Exchange
  read<T>(path: string, options?: CallOptions, query?: Query): Promise<T>
  /** With an ETag, like `readById`. */
  readOne<T>(path: string): ReadOne<T>
  readById<T>(noun: string): ReadById<T>
  post<T>(path: string, body: unknown, options?: PostOptions & IfMatchOption): Promise<T>
  put<T>(path: string, body: unknown, options?: CallOptions & IfMatchOption): Promise<T>
  delete<T>(path: string, options?: CallOptions & IfMatchOption & Pick<Asked, 'goneIsDone'>): Promise<T>
  walk<T>(path: string, options?: ListOptions, query?: Query): AsyncGenerator<T>
}

const PAGE_SIZE = 100

export function callsOver(exchange: Exchange): Calls {
  const send = async <T>(asked: Asked): Promise<T> => (await exchange.ask(asked)).body as T // see `Answered.body`
  return {
    exchange,
    read: (path, options = {}, query = {}) => send({ ...options, method: 'GET', path, query }),
    // An answer without a body comes only to a condition: what the overloads say, and no arrow function can.
    readOne: <T>(path: string) =>
      ((options?: MaybeConditional) => send({ ...options, method: 'GET', path })) as ReadOne<T>,
    readById: <T>(noun: string) =>
      ((id: string, options?: MaybeConditional) =>
        send({ ...options, method: 'GET', path: pathTo(noun, id) })) as ReadById<T>,
    post: (path, body, options = {}) => send({ ...options, method: 'POST', path, body }),
    put: (path, body, options = {}) => send({ ...options, method: 'PUT', path, body }),
    delete: (path, options = {}) => send({ ...options, method: 'DELETE', path }),
    walk: (path, { pageSize = PAGE_SIZE, ...options } = {}, query = {}) =>
      pages(path, (cursor) => send({ ...options, method: 'GET', path, query: { ...query, limit: pageSize, cursor } })),
  }
}

interface Page<T> {
  readonly items: readonly T[]
  readonly nextCursor: string | null
}

/** Asks for the next page only when it is read on; a cursor that repeats itself would never end, so it is an error. */
async function* pages<T>(path: string, ask: (cursor: string | undefined) => Promise<Page<T>>): AsyncGenerator<T> {
  let cursor: string | undefined
  while (true) {
    const page = await ask(cursor)
    yield* page.items
    if (page.nextCursor === null) return
    if (page.nextCursor === cursor) throw new Error(`the list ${path} repeats its cursor`)
    cursor = page.nextCursor
  }
}

/** `/v1/allocations/alc_…`; each part is encoded. */
export const pathTo = (...parts: readonly string[]): string => `/v1/${parts.map(encodeURIComponent).join('/')}`
