/** How NHN Cloud's OpenStack services speak: envelopes of errors, forms of time, links, paging, and which path is whose. */
import { randomUUID } from 'node:crypto'
import type { z } from 'zod'
import type { SandboxRequest, SandboxResponse } from './harness.ts'

/** Nova behind the front door: links name a host that no client can reach, in a version that no client asked for. */
const INTERNAL_NOVA = 'http://nova.iaas.sandbox.internal:8774/v2.1'

/** An answer that ends the handling of a request early. */
export class NhnRefusal extends Error {
  readonly response: SandboxResponse

  constructor(response: SandboxResponse) {
    super(`answered ${response.status}`)
    this.response = response
  }
}

const FAULT_NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  429: 'overLimit',
  503: 'serviceUnavailable',
}

/** Nova's and Cinder's envelope: one root member that names the fault. */
export function fault(status: number, message: string, retryAfter?: string): SandboxResponse {
  const name = FAULT_NAMES[status] ?? 'computeFault'
  const waiting: Record<string, string> = retryAfter === undefined ? {} : { 'retry-after': retryAfter }
  return {
    status,
    headers: { 'content-type': 'application/json; charset=UTF-8', 'x-compute-request-id': requestId(), ...waiting },
    body: { [name]: { message, code: status, ...(retryAfter === undefined ? {} : { retryAfter }) } },
  }
}

export const refuse = (status: number, message: string): NhnRefusal => new NhnRefusal(fault(status, message))

/** Keystone's envelope, also used by the services for a token that does not hold. */
export const keystoneError = (code: number, title: string, message: string): SandboxResponse => ({
  status: code,
  body: { error: { code, title, message } },
})

export const neutronError = (status: number, type: string, message: string): SandboxResponse => ({
  status,
  body: { NeutronError: { type, message, detail: '' } },
})

export const answer = (status: number, body?: object): SandboxResponse => ({
  status,
  headers: { 'x-compute-request-id': requestId() },
  ...(body === undefined ? {} : { body }),
})

const requestId = (): string => `req-${randomUUID()}`

/** `2020-04-29T15:31:21Z` */
export const secondsZ = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 19)}Z`

/** `2020-04-29T03:32:28.000405`: microseconds, and no `Z`. */
export const microseconds = (atMs: number): string => `${new Date(atMs).toISOString().slice(0, 23)}000`

export const linksOf = (collection: string, id: string): object[] => [
  { rel: 'self', href: `${INTERNAL_NOVA}/${collection}/${id}` },
  { rel: 'bookmark', href: `${INTERNAL_NOVA.replace('/v2.1', '')}/${collection}/${id}` },
]

export const nextLink = (collection: string, query: URLSearchParams, marker: string): object => {
  const next = new URLSearchParams(query)
  next.set('marker', marker)
  return { rel: 'next', href: `${INTERNAL_NOVA}/${collection}?${next.toString()}` }
}

const DEFAULT_LIMIT = 100
const MAX_LIMIT = 1_000

/** The `limit` of a list: 100 unless said, never above 1,000. */
export function limitOf(query: URLSearchParams): number {
  const text = query.get('limit')
  if (text === null) return DEFAULT_LIMIT
  if (!/^\d+$/.test(text)) throw refuse(400, `Invalid input for query parameters limit. Value: ${text}.`)
  return Math.min(Number(text) || MAX_LIMIT, MAX_LIMIT)
}

export interface Page<T> {
  readonly items: readonly T[]
  /** Marker of the next page; null on the last. */
  readonly next: string | null
}

/** One page of a list in its order, after the item that `marker` names. */
export function pageOf<T extends { readonly id: string }>(all: readonly T[], query: URLSearchParams): Page<T> {
  const limit = limitOf(query)
  const marker = query.get('marker')
  const after = marker === null ? 0 : all.findIndex(({ id }) => id === marker) + 1
  if (marker !== null && after === 0) throw refuse(400, `marker [${marker}] not found`)
  const items = all.slice(after, after + limit)
  return { items, next: after + limit < all.length ? (items.at(-1)?.id ?? null) : null }
}

/** The parsed JSON body. Refused as Nova does when it is no JSON or not of that shape. */
export function bodyAs<T>(request: SandboxRequest, schema: z.ZodType<T>): T {
  let parsed: unknown
  try {
    parsed = JSON.parse(request.body.toString('utf8'))
  } catch {
    throw refuse(400, 'Malformed request body')
  }
  const checked = schema.safeParse(parsed)
  if (checked.success) return checked.data
  const issue = checked.error.issues[0]
  throw refuse(
    400,
    `Invalid input for field/attribute ${String(issue?.path.at(-1) ?? 'body')}. ${issue?.message ?? ''}`,
  )
}

export interface Route {
  readonly method: string
  readonly pattern: RegExp
  readonly handle: (request: SandboxRequest, parameter: (name: string) => string) => SandboxResponse
}

/** @param template segments, `:name` takes one: `/servers/:id/action` */
export function route(method: string, template: string, handle: Route['handle']): Route {
  return { method, pattern: new RegExp(`^${template.replaceAll(/:(\w+)/g, '(?<$1>[^/]+)')}/?$`), handle }
}

/** Null when no route has that path; 405 when one has it for another method. */
export function dispatch(routes: readonly Route[], path: string, request: SandboxRequest): SandboxResponse | null {
  const there = routes.filter(({ pattern }) => pattern.test(path))
  const found = there.find(({ method }) => method === request.method)
  if (found === undefined) return there.length === 0 ? null : fault(405, 'The method is not allowed for this resource.')
  const groups = found.pattern.exec(path)?.groups ?? {}
  return found.handle(request, (name) => decoded(groups[name] ?? ''))
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refuse(400, 'Malformed request URL')
  }
}
