/** Each request of the API is a span: of the trace that its sender names, or of one that begins here. */
import type { RequestHandler } from 'express'
import { parentOfRequest, startSpan, within } from '../tracing.ts'
import { matchedRoute } from './mount.ts'
import { statusOf } from './problem.ts'
import { pathOf } from './query.ts'
import { requestIdOf } from './request-id.ts'

/** Probes and pages come often and lead nowhere. */
const TRACED = '/v1/'

export const traced: RequestHandler = (request, response, next) => {
  const path = pathOf(request.originalUrl)
  if (!path.startsWith(TRACED)) return next()
  const { method } = request
  const requestId = requestIdOf(response)
  const span = startSpan({
    name: method,
    kind: 'server',
    parent: parentOfRequest(request.get('traceparent')),
    attributes: { 'http.request.method': method, 'url.path': path, 'gpu_broker.request.id': requestId },
  })
  response.once('close', () => {
    const route = matchedRoute(response)
    if (route !== null) span.otel.updateName(`${method} ${route}`)
    const status = response.statusCode
    span.set({ 'http.response.status_code': status, ...(route !== null && { 'http.route': route }) })
    span.end(status >= statusOf('internal') ? 'server fault' : null)
  })
  within(span, { requestId }, next)
}
