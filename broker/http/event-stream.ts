/**
 * Server-sent events, as the HTML standard has them. A reader is asked for more only when its connection has taken what
 * was sent before: one that takes nothing is let go after a while, and comes back with the number that it saw last.
 *
 * How far a reader has come is told before the first event and with every heartbeat, as an `id` without data: no event to
 * anybody, but the number to come back with. Without it a client that is cut off before its first event would begin anew,
 * from a later "now"; and one whose events are rare would come back with a number that is no longer kept.
 */
import type { ServerResponse } from 'node:http'
import type { Request } from 'express'
import { HOUR_MS, SECOND_MS } from '../../shared/time.ts'
import type { EventReader, TailedEvent } from '../app/event-tail.ts'
import { prefers } from './accept.ts'
import { SUCCESS_STATUS } from './problem.ts'

export const EVENT_STREAM = 'text/event-stream'

export interface StreamTimes {
  /** Something is sent so often, so that whoever stands in between does not take silence for an end. */
  readonly heartbeatMs: number
  /** How long a connection may take nothing at all. */
  readonly stalledMs: number
  /** Then the reader comes back with a token that still holds. */
  readonly longestMs: number
}

const TIMES: StreamTimes = { heartbeatMs: 15 * SECOND_MS, stalledMs: 30 * SECOND_MS, longestMs: HOUR_MS }
/** What the reader's own client is told to wait before it comes back. */
const RETRY_MS = SECOND_MS

export const wantsStream = (request: Request): boolean =>
  request.method === 'GET' && prefers(request, `${EVENT_STREAM}; charset=utf-8`)

/** Streams until the reader goes, stalls, has been here long enough, or there is no more to come. */
export async function streamEvents(
  response: ServerResponse,
  reader: EventReader,
  times: StreamTimes = TIMES,
): Promise<void> {
  if (response.closed) return reader.close() // gone while its place in the log was looked for
  response.once('close', () => reader.close())
  response.statusCode = SUCCESS_STATUS.ok
  response.setHeader('Content-Type', EVENT_STREAM)
  response.setHeader('Connection', 'close') // after a stream nothing else comes on its connection
  response.setHeader('X-Accel-Buffering', 'no') // proxies of nginx's kind would hold it back otherwise
  response.write(beginning(reader.position()))
  const heartbeat = setInterval(() => {
    // What it was given is written in the same turn: the number never runs ahead of the events on their way.
    if (!response.writableNeedDrain) response.write(`:\nid: ${reader.position()}\n\n`)
  }, times.heartbeatMs)
  const longest = setTimeout(() => reader.close(), times.longestMs)
  try {
    for (let events = await reader.next(); events !== null; events = await reader.next()) {
      const isTaken = response.write(events.map(frame).join('')) || (await drained(response, times.stalledMs))
      if (!isTaken) return void response.destroy()
    }
    response.end()
  } finally {
    clearInterval(heartbeat)
    clearTimeout(longest)
    reader.close()
  }
}

/** @param position the number behind which the stream begins */
export const beginning = (position: number): string => `id: ${position}\nretry: ${RETRY_MS}\n\n`

export const frame = ({ sequence, type, json }: TailedEvent): string =>
  `id: ${sequence}\nevent: ${type}\ndata: ${json}\n\n`

/** @returns false when it took too long, or the connection is closed */
function drained(response: ServerResponse, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (isTaken: boolean): void => {
      clearTimeout(timer)
      response.off('drain', onDrain).off('close', onClose)
      resolve(isTaken)
    }
    const onDrain = (): void => settle(true)
    const onClose = (): void => settle(false)
    const timer = setTimeout(onClose, withinMs)
    response.once('drain', onDrain).once('close', onClose)
  })
}
