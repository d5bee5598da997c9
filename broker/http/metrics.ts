/** `/metrics`, on a listener of its own: it needs no token, and is for the inside of the house. */
import type { RequestListener } from 'node:http'
import type { Metrics } from '../metrics.ts'
import { SUCCESS_STATUS, statusOf } from './problem.ts'

/** @param refresh brings the gauges up to date, in time whatever happens; it never rejects */
export const metricsListener =
  (metrics: Metrics, refresh: () => Promise<void>): RequestListener =>
  (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') {
      response.writeHead(statusOf('not-found')).end()
      return
    }
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(statusOf('method-not-allowed'), { allow: 'GET, HEAD' }).end()
      return
    }
    refresh()
      .then(() => metrics.read(request.headers.accept ?? ''))
      .then(
        ({ contentType, text }) =>
          response
            .writeHead(SUCCESS_STATUS.ok, {
              'content-type': contentType,
              'content-length': Buffer.byteLength(text), // said to who asks for no body, too
            })
            .end(text), // of which Node sends nothing in answer to HEAD
        () => response.writeHead(statusOf('internal')).end(),
      )
  }
