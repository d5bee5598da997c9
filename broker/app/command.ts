/** What every use case is told beside its request: who asks, and how the asking may be repeated. */
import { invalidRequest } from '../../shared/refusal.ts'
import type { EpochMs } from '../../shared/time.ts'

export const SCOPES = [
  'catalog:read',
  'approvals:write',
  'allocations:read',
  'allocations:write',
  'operations:write',
  'usage:read',
  'audit:read',
  'webhooks:write',
] as const
export type Scope = (typeof SCOPES)[number]

/** Who asks, as the token says. */
export interface Caller {
  readonly clientId: string
  readonly scopes: ReadonlySet<string>
  /** Sees and touches only this organisation's rows; null for no such bound. */
  readonly organizationId: string | null
  /** Sees what runs at this provider, and operates on it; null for no such bound. */
  readonly providerId: string | null
}

/** Operations are for the operator's own staff and for callers bound to nobody. */
export const mayOperate = (caller: Caller, providerId: string): boolean =>
  caller.organizationId === null && (caller.providerId === null || caller.providerId === providerId)

export interface Idempotency {
  /** The caller's key; unique together with its client id. */
  readonly key: string
  /** SHA-256 (hex) of method, path and body: the same key with another digest is refused. */
  readonly digest: string
}

/** What the audit trail has of a request. */
export interface Attempt {
  readonly caller: Caller
  /** The operation, as the OpenAPI document names it. */
  readonly action: string
  /** Path below `/v1/`, without the query. */
  readonly resource: string
  readonly requestId: string
}

export interface Command extends Attempt {
  readonly idempotency: Idempotency | null
  /** The ETags that the caller saw (`If-Match`), without quotes; null for none. `*` matches any. */
  readonly ifMatch: readonly string[] | null
  /** Nothing that is there already is to be changed (`If-None-Match: *`). */
  readonly onlyIfAbsent: boolean
  readonly traceparent: string | null
}

/** What a changing use case answers. `etag` without quotes. */
export interface Answer<T> {
  readonly body: T
  readonly etag: string | null
  /** The first answer to this idempotency key, not a new effect. */
  readonly replayed: boolean
}

/** Marks a refusal that is the first answer again; a symbol, so that it is no member of the problem document. */
export const REPLAYED: unique symbol = Symbol('replayed')

/** One page asked for: `after` is the key of the last item of the page before, as the list's own `next` gave it. */
export interface PageRequest {
  readonly limit: number
  readonly after: string | null
}

/**
 * `after` of a list that counts.
 *
 * @throws Refusal `invalid-request` for a cursor that no answer of ours ever held
 */
export function afterNumber({ after }: PageRequest): number | null {
  if (after === null) return null
  const value = Number(after)
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw invalidRequest([{ pointer: '/cursor', detail: 'must be a nextCursor that this list has given' }])
}

export interface Page<T> {
  readonly items: readonly T[]
  readonly next: string | null
}

export interface Range {
  readonly from: EpochMs
  readonly to: EpochMs
}
