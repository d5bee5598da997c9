/**
 * The API as an express application: what every request passes, in order; the routes; the error handler last. It listens
 * nowhere: see `node-server.ts`.
 */
import express, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import helmet from 'helmet'
import { Refusal } from '../../shared/refusal.ts'
import type { EpochMs } from '../../shared/time.ts'
import { REPLAYED } from '../app/command.ts'
import { currentTraceId } from '../tracing.ts'
import { admission, passageOf } from './admission.ts'
import type { Authenticate } from './auth.ts'
import { createDocs } from './docs.ts'
import { EVENT_STREAM } from './event-stream.ts'
import { type Readiness, live, readiness } from './health.ts'
import { callerOf, matchedRoute, mountRoutes, setCaller } from './mount.ts'
import { onlyGet } from './only-get.ts'
import { openApiDocument } from './openapi.ts'
import { SUCCESS_STATUS, asRefusal, problemOf } from './problem.ts'
import { showProblem } from './problem-pages.ts'
import { pathOf } from './query.ts'
import { limitPerClient } from './rate-limit.ts'
import { requestId, requestIdOf } from './request-id.ts'
import { ROUTES } from './routes/all.ts'
import { send, sendProblem } from './send.ts'
import { traced } from './traced.ts'
import type { UseCases } from './use-cases.ts'

/** The part of a pino logger that is used here. */
export interface HttpLogger {
  error(fields: object, sentence: string): void
  debug(fields: object, sentence: string): void
}

export interface Answered {
  readonly method: string
  /** As declared (`/v1/allocations/{id}`), so that there are few; null when none matched. */
  readonly route: string | null
  readonly status: number
  readonly durationMs: number
  /** Null for what is no part of the API, such as probes. */
  readonly traceId: string | null
}

export interface ServerOptions {
  readonly useCases: UseCases
  readonly authenticate: Authenticate
  readonly ready: () => Promise<Readiness>
  readonly logger: HttpLogger
  readonly now: () => EpochMs
  /** Whether what failed mends by itself, as a database that is away: the caller is told to ask again. Default: nothing. */
  readonly isPassing?: (error: unknown) => boolean
  /** Told of each answer, for metrics. */
  readonly onAnswered?: (answered: Answered) => void
  /** Told of each request that is turned away before anything is done for it. */
  readonly onRejected?: (reason: 'overload' | 'rate-limit') => void
  /** How much is taken on at a time and how often one client may ask; undefined: no limit, as in tests of other things. */
  readonly limits?: { readonly maxInFlight: number; readonly ratePerSecond: number }
  /** Where callers get tokens, shown in the OpenAPI document. */
  readonly tokenUrl?: string
}

export function createServer(options: ServerOptions): Express {
  const app = express()
  app.set('etag', false) // ours come from the store; express's would hash every body
  app.set('x-powered-by', false)
  app.set('query parser', 'simple')
  app.set('trust proxy', false)
  app.set('case sensitive routing', true)
  app.set('strict routing', true)

  app.use(requestId)
  // Before all else: what cannot be answered in time is to cost nothing.
  if (options.limits !== undefined) app.use('/v1', admitted(options, options.limits))
  app.use(traced, watch(options))
  app.use(helmet({ contentSecurityPolicy: { useDefaults: false, directives: NOTHING_TO_LOAD } }))
  app.route('/livez').get(live).all(onlyGet)
  app.route('/readyz').get(readiness(options.ready, failure(options.logger, 'readiness could not be found out')))
  app.route('/readyz').all(onlyGet)
  app.route('/openapi.json').get(showDocument(options)).all(onlyGet)
  app.route('/problems/:code').get(showProblem).all(onlyGet)
  app.use('/docs', createDocs())
  app.use('/v1', createV1(options))
  app.use(nothingHere)
  app.use(answerError(options))
  return app
}

const NOTHING_TO_LOAD = { defaultSrc: ["'none'"], frameAncestors: ["'none'"] }

/** Everything that needs a token: even whether a path exists is for those who have one. */
function createV1(options: ServerOptions): RequestHandler {
  const { useCases, authenticate, now, limits, onRejected = () => undefined } = options
  const v1 = express.Router({ caseSensitive: true, strict: true })
  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- express 5 hands a rejection to the error handler
  v1.use(async (request, response, next) => {
    response.setHeader('Cache-Control', 'no-store')
    setCaller(response, await authenticate(request.headers.authorization))
    next()
  })
  if (limits !== undefined) v1.use(limitPerClient(limits.ratePerSecond, () => onRejected('rate-limit')))
  v1.use((_request, response, next) => {
    const caller = callerOf(response)
    if (caller !== null) passageOf(response)?.belongsTo(caller.clientId)
    next()
  })
  mountRoutes(v1, '/v1', ROUTES, { useCases, now })
  v1.use(nothingHere)
  return v1
}

function admitted(options: ServerOptions, { maxInFlight }: NonNullable<ServerOptions['limits']>): RequestHandler {
  const { onRejected = () => undefined } = options
  const turnAway = (refusal: Refusal, request: Request, response: Response): void => {
    const begun = { startedMs: performance.now(), traceId: null }
    sendProblem(response, problemOf(refusal, pathOf(request.originalUrl)))
    report(options, begun, request, response)
  }
  return admission({ maxInFlight, routes: ROUTES, onRejected, turnAway })
}

const nothingHere: RequestHandler = (request) => {
  throw new Refusal('not-found', `There is nothing at ${pathOf(request.originalUrl)}.`)
}

function showDocument({ tokenUrl }: ServerOptions): RequestHandler {
  const text = JSON.stringify(openApiDocument(tokenUrl === undefined ? {} : { tokenUrl }))
  return (_request, response) => send(response, { status: SUCCESS_STATUS.ok, type: 'application/json', text })
}

function watch(options: ServerOptions): RequestHandler {
  return (request, response, next) => {
    const begun = { startedMs: performance.now(), traceId: currentTraceId() }
    response.once('finish', () => report(options, begun, request, response))
    next()
  }
}

interface Begun extends Pick<Answered, 'traceId'> {
  readonly startedMs: number
}

function report(
  { logger, onAnswered }: ServerOptions,
  { startedMs, traceId }: Begun,
  request: Request,
  response: Response,
): void {
  const durationMs = performance.now() - startedMs
  const route = matchedRoute(response)
  const answered = { method: request.method, route, status: response.statusCode, durationMs, traceId }
  // A stream lasts as long as its reader likes: no measure of how fast the broker answers.
  if (response.getHeader('content-type') !== EVENT_STREAM) onAnswered?.(answered)
  const clientId = callerOf(response)?.clientId
  logger.debug({ ...answered, clientId, requestId: requestIdOf(response) }, 'request answered')
}

const failure =
  (logger: HttpLogger, sentence: string) =>
  (cause: unknown): void =>
    logger.error({ err: cause }, sentence)

function answerError({ logger, isPassing = () => false }: ServerOptions): ErrorRequestHandler {
  // Express tells an error handler by its four parameters.
  return (error: unknown, request, response, _next) => {
    const instance = pathOf(request.originalUrl)
    // The one error of express's own that a caller can cause: an escape in the path that cannot be decoded.
    const refusal =
      error instanceof URIError
        ? new Refusal('not-found', 'The path cannot be decoded.')
        : asRefusal(error, isPassing(error))
    if (refusal !== error && refusal.code !== 'not-found') {
      const clientId = callerOf(response)?.clientId
      logger.error({ err: error, requestId: requestIdOf(response), clientId, path: instance }, 'request failed')
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (REPLAYED in refusal.members) response.setHeader('Idempotent-Replayed', 'true')
    sendProblem(response, problemOf(refusal, instance))
  }
}
