/**
 * How much the API takes on at a time. What comes beyond is turned away before anything is done for it, so that what was
 * let in is answered in time: at most as long as `in flight ÷ answered per second`, however many ask. Reads and writes
 * have a lane each, so that neither waits for the other's crowd. Health and metrics pass none.
 */
import type { Request, RequestHandler } from 'express'
import { Refusal } from '../../shared/refusal.ts'

/**
 * @param maxInFlight requests at a time, half of them reads and half writes; at least 2
 * @param onRejected told of each that is turned away
 */
export function admission(maxInFlight: number, onRejected: () => void): RequestHandler {
  const perLane = Math.floor(maxInFlight / 2)
  const reads = { inFlight: 0 }
  const writes = { inFlight: 0 }
  return (request, response, next) => {
    if (asksForStream(request)) return next()
    const lane = request.method === 'GET' || request.method === 'HEAD' ? reads : writes
    if (lane.inFlight >= perLane) {
      onRejected()
      throw new Refusal('unavailable', 'The broker has as much to answer as it can in time. Nothing was done.')
    }
    lane.inFlight += 1
    response.once('close', () => void (lane.inFlight -= 1))
    next()
  }
}

/** A stream lasts for as long as its reader likes: how many there may be is a bound of its own. */
const asksForStream = (request: Request): boolean => request.get('accept')?.includes('text/event-stream') ?? false
