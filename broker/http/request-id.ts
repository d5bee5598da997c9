/** Every response carries `x-request-id`: the caller's own if it is sane, so that both sides' logs can be laid together. */
import { randomUUID } from 'node:crypto'
import type { RequestHandler, Response } from 'express'

const HEADER = 'x-request-id'
const SANE = /^[A-Za-z0-9._-]{1,128}$/

export const requestId: RequestHandler = (request, response, next) => {
  const given = request.get(HEADER)
  response.setHeader(HEADER, given !== undefined && SANE.test(given) ? given : randomUUID())
  next()
}

export const requestIdOf = (response: Response): string => String(response.getHeader(HEADER))
