/**
 * Makes a route answer. The order in which a request is refused is the contract's: scope, then the path's resource, then
 * everything else. The resource is looked up for its own sake only once something else is wrong: what is right goes
 * straight to its use case, which looks for it anyway.
 */
import type { Request, Response, Router } from 'express'
import { Refusal } from '../../shared/refusal.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Caller, Command } from '../app/command.ts'
import { currentTraceparent } from '../tracing.ts'
import { prefers } from './accept.ts'
import { passageOf } from './admission.ts'
import { readJson } from './body.ts'
import { assertNamesNone, ifMatchOf, matchesNone, onlyIfAbsent, quoteEtag } from './conditional.ts'
import { idempotencyKey, idempotencyOf } from './idempotency.ts'
import { streamEvents, wantsStream } from './event-stream.ts'
import { SUCCESS_STATUS } from './problem.ts'
import { pathOf, readQuery } from './query.ts'
import { requestIdOf } from './request-id.ts'
import type { Reply, Route } from './route.ts'
import { CSV_WITH_HEADER, send, sendJson } from './send.ts'
import type { UseCases } from './use-cases.ts'
import { parseWith } from './validation.ts'

export interface Mounting {
  readonly useCases: UseCases
  readonly now: () => EpochMs
}

/** @param router is told paths below `prefix` */
export function mountRoutes(router: Router, prefix: string, routes: readonly Route[], mounting: Mounting): void {
  const paths = Map.groupBy(routes, (route) => route.path)
  for (const [path, methods] of paths) {
    const place = router.route(path.slice(prefix.length).replaceAll(/\{(\w+)\}/g, ':$1'))
    for (const route of methods) place[route.method]((request, response) => answer(route, mounting, request, response))
    const allow = allowed(methods)
    place.all((request, response) => {
      response.setHeader('Allow', allow)
      throw new Refusal('method-not-allowed', `${request.method} is not allowed here; ${allow} is.`)
    })
  }
}

const allowed = (routes: readonly Route[]): string =>
  routes
    .flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()]))
    .toSorted()
    .join(', ')

async function answer(route: Route, mounting: Mounting, request: Request, response: Response): Promise<void> {
  const { useCases, now } = mounting
  response.locals[ROUTE] = route.path
  const caller = callerOf(response)
  if (caller === null) throw new Error('a route was reached without authentication')
  if (!caller.scopes.has(route.scope)) throw lacks(route)
  const params = route.params.safeParse(request.params)
  if (!params.success) throw new Refusal('not-found', 'There is no such thing: the path holds no valid id.')
  const rest = await readRest(route, request, response, caller).catch(async (error: unknown) => {
    await route.find?.(useCases, caller, params.data)
    throw error
  })
  const asked = { caller, params: params.data, now: now(), ...rest }
  if (route.stream !== undefined) {
    response.vary('Accept')
    if (wantsStream(request)) {
      passageOf(response)?.standAside()
      await streamEvents(response, await route.stream(useCases, asked, request.get('last-event-id') ?? null))
      return
    }
  }
  const passage = passageOf(response)
  passage?.enter()
  try {
    sendReply(request, response, await route.handle(useCases, asked), route)
  } finally {
    passage?.leave()
  }
}

function lacks({ scope }: Route): Refusal {
  return new Refusal('insufficient-scope', `This needs a token with scope ${scope}.`, { scope })
}

interface Rest {
  readonly command: Command
  readonly query: Readonly<Record<string, unknown>>
  readonly body: unknown
}

async function readRest(route: Route, request: Request, response: Response, caller: Caller): Promise<Rest> {
  const query = parseWith(route.query, readQuery(request.url))
  const key = route.takesIdempotencyKey ? idempotencyKey(request.get('idempotency-key')) : null
  const ifMatch = route.method === 'get' ? null : ifMatchOf(request.get('if-match'))
  const sent = route.body === null ? undefined : await readJson(request)
  const asked = { method: request.method, path: pathOf(request.originalUrl), body: sent }
  const body = bodyOf(route, sent)
  if (!route.takesIfMatch) assertNamesNone(ifMatch)
  return {
    query,
    body,
    command: {
      caller,
      action: route.operationId,
      resource: asked.path.slice('/v1/'.length),
      requestId: requestIdOf(response),
      idempotency: key === null ? null : idempotencyOf({ key, ...asked }),
      ifMatch,
      onlyIfAbsent: route.takesIfMatch && onlyIfAbsent(request.get('if-none-match')),
      traceparent: currentTraceparent(),
    },
  }
}

const bodyOf = ({ body }: Route, sent: unknown): unknown => {
  if (body === null) return undefined
  return parseWith(body.schema, sent === undefined && !body.required ? {} : sent)
}

function sendReply(request: Request, response: Response, reply: Reply, { csv }: Route): void {
  if (reply.etag !== null) response.setHeader('ETag', quoteEtag(reply.etag))
  if (reply.location !== null) response.setHeader('Location', reply.location)
  if (reply.replayed) response.setHeader('Idempotent-Replayed', 'true')
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (reads && reply.etag !== null && matchesNone(request.get('if-none-match'), reply.etag)) {
    response.status(SUCCESS_STATUS['not-modified']).end()
    return
  }
  if (reply.success === 'no-content') {
    response.status(SUCCESS_STATUS['no-content']).end()
    return
  }
  if (csv !== undefined) {
    response.vary('Accept')
    if (prefers(request, CSV_WITH_HEADER)) {
      return send(response, { status: SUCCESS_STATUS[reply.success], type: CSV_WITH_HEADER, text: csv(reply.body) })
    }
  }
  sendJson(response, SUCCESS_STATUS[reply.success], reply.body)
}

// What a request is known by, kept in express's own place for it.
const CALLER = 'caller'
const ROUTE = 'route'

/** Notes who asks for what comes after authentication. */
export const setCaller = (response: Response, caller: Caller): void => {
  response.locals[CALLER] = caller
}

/** Null before authentication. */
export const callerOf = (response: Response): Caller | null => (response.locals[CALLER] as Caller | undefined) ?? null

/** The declared path of the route that was reached; null for none. */
export const matchedRoute = (response: Response): string | null =>
  (response.locals[ROUTE] as string | undefined) ?? null
