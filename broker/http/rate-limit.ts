/**
 * How often one client may ask, in windows of two seconds: a burst may use up a whole window at once, and in the long run
 * nobody gets more than the rate. Counted in this process: with several replicas behind a balancer, each counts its own.
 */
import type { RequestHandler, Response } from 'express'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { Refusal } from '../../shared/refusal.ts'
import { SECOND_MS } from '../../shared/time.ts'
import { callerOf } from './mount.ts'

const WINDOW_SECONDS = 2

/**
 * @param ratePerSecond requests per second and client, in the long run; a burst is twice that
 * @param onRejected told of each that is turned away
 */
export function limitPerClient(ratePerSecond: number, onRejected: () => void): RequestHandler {
  const quota = ratePerSecond * WINDOW_SECONDS
  const limiter = new RateLimiterMemory({ points: quota, duration: WINDOW_SECONDS })
  const policy = `"default";q=${quota};w=${WINDOW_SECONDS}`
  const tell = (response: Response, { remainingPoints, msBeforeNext }: RateLimiterRes): number => {
    const resetSeconds = Math.ceil(msBeforeNext / SECOND_MS)
    response.setHeader('RateLimit-Policy', policy)
    response.setHeader('RateLimit', `"default";r=${Math.max(0, remainingPoints)};t=${resetSeconds}`)
    return resetSeconds
  }
  return async (_request, response, next) => {
    const caller = callerOf(response)
    if (caller === null) throw new Error('a client is limited before it is known')
    const refused = await limiter.consume(caller.clientId).then(
      (state) => void tell(response, state),
      (state: unknown) => state,
    )
    if (refused === undefined) return next()
    if (!(refused instanceof RateLimiterRes)) throw refused
    onRejected()
    response.setHeader('Retry-After', Math.max(1, tell(response, refused)))
    throw new Refusal('rate-limited', `A client may ask ${ratePerSecond} times per second.`)
  }
}
