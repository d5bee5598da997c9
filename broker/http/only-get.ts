/** For what is only there to be read. */
import type { RequestHandler } from 'express'
import { Refusal } from '../../shared/refusal.ts'

export const onlyGet: RequestHandler = (request, response, next) => {
  if (request.method === 'GET' || request.method === 'HEAD') return next()
  response.setHeader('Allow', 'GET, HEAD')
  throw new Refusal('method-not-allowed', `${request.method} is not allowed here; GET and HEAD are.`)
}
