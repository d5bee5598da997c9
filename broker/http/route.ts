/**
 * An endpoint as data: `mount.ts` makes it answer and `openapi.ts` describes it, both from the same declaration, so that
 * what is served and what is documented cannot drift.
 */
import type { z } from 'zod'
import type { RefusalCode } from '../../shared/refusal.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Answer, Caller, Command, Scope } from '../app/command.ts'
import type { LaneName } from './admission.ts'
import type { EventReader } from '../app/event-tail.ts'
import type { PageBody } from './pagination.ts'
import type { Success } from './problem.ts'
import type { Seen, UseCases } from './use-cases.ts'

/** A request whose parts are parsed. */
export interface Asked<P, Q, B> {
  readonly caller: Caller
  readonly command: Command
  readonly params: P
  readonly query: Q
  readonly body: B
  readonly now: EpochMs
}

export interface Reply {
  readonly success: Success
  readonly body: unknown
  /** Without quotes; null for none. */
  readonly etag: string | null
  /** Path of what was created; null for none. */
  readonly location: string | null
  /** The first answer to an idempotency key, once more. */
  readonly replayed: boolean
}

/** What a route's success looks like to its readers. */
interface Described {
  readonly description: string
  readonly schema: z.ZodType
  /** Must satisfy the schema; a test holds it to that. */
  readonly example: unknown
}

export interface RouteSpec<P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType> {
  readonly method: 'get' | 'post' | 'put' | 'delete'
  /** As OpenAPI writes it: `/v1/allocations/{id}`. */
  readonly path: string
  readonly operationId: string
  readonly tag: string
  readonly summary: string
  readonly description?: string
  readonly scope: Scope
  /** What does not parse names nothing: 404. */
  readonly params: P
  readonly query: Q
  /** Null where a body has no meaning. */
  readonly body: { readonly schema: B; readonly required: boolean; readonly example: unknown } | null
  readonly takesIdempotencyKey: boolean
  /** Whether it changes one thing that has a version. What changes none refuses a version that a caller names. */
  readonly takesIfMatch: boolean
  /** Whose crowd it waits with. Default: that of its method. Only where the path has no parameters. */
  readonly lane?: LaneName
  readonly successes: Readonly<Partial<Record<Success, Described>>>
  /** Whether its successes carry an ETag; of a GET, also whether it honours `If-None-Match`. */
  readonly hasEtag: boolean
  /** What its use case may refuse, beside what every route may. */
  readonly problems: readonly RefusalCode[]
  /** Throws `not-found` unless the path's resource exists: asked before a caller is told what is wrong with the rest. */
  find?(useCases: UseCases, caller: Caller, params: z.output<P>): Promise<unknown>
  handle(useCases: UseCases, asked: Asked<z.output<P>, z.output<Q>, z.output<B>>): Promise<Reply>
  /** The body of its success as a table (RFC 4180), for who accepts that rather than JSON. */
  csv?(body: unknown): string
  /** The same as server-sent events, for who accepts those rather than JSON. @param lastEventId what a reader saw last */
  stream?(
    useCases: UseCases,
    asked: Asked<z.output<P>, z.output<Q>, z.output<B>>,
    lastEventId: string | null,
  ): Promise<EventReader>
}

/** A route whose types have done their work. */
export type Route = RouteSpec<z.ZodObject, z.ZodObject, z.ZodType>

export const route = <P extends z.ZodObject, Q extends z.ZodObject, B extends z.ZodType>(
  spec: RouteSpec<P, Q, B>,
): Route => spec

type Read<P extends z.ZodObject, Q extends z.ZodObject> = Omit<
  RouteSpec<P, Q, z.ZodType>,
  'method' | 'body' | 'takesIdempotencyKey' | 'takesIfMatch' | 'problems'
> &
  Partial<Pick<RouteSpec<P, Q, z.ZodType>, 'problems'>>

/** A route that only looks. */
export const reading = <P extends z.ZodObject, Q extends z.ZodObject>(spec: Read<P, Q>): Route =>
  route({ problems: [], ...spec, method: 'get', body: null, takesIdempotencyKey: false, takesIfMatch: false })

const plain = { etag: null, location: null, replayed: false } as const

export const found = (body: unknown): Reply => ({ ...plain, success: 'ok', body })
export const seen = <T>({ body, etag }: Seen<T>): Reply => ({ ...plain, success: 'ok', body, etag })
export const paged = <T>(page: PageBody<T>): Reply => ({ ...plain, success: 'ok', body: page })
export const answered = <T>(success: Success, { body, etag, replayed }: Answer<T>): Reply => ({
  ...plain,
  success,
  body,
  etag,
  replayed,
})
