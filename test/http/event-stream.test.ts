import { once } from 'node:events'
import { type AddressInfo, type Socket, connect } from 'node:net'
import { expect } from 'chai'
import express from 'express'
import { describe, it } from 'mocha'
import type { EventReader, TailedEvent } from '../../broker/app/event-tail.ts'
import { type StreamTimes, streamEvents } from '../../broker/http/event-stream.ts'
import { createNodeServer } from '../../broker/http/node-server.ts'

const LONG = 60_000
const TIMES: StreamTimes = { heartbeatMs: LONG, stalledMs: LONG, longestMs: LONG }
const event = (sequence: number): TailedEvent => ({ sequence, type: 'kr.gpubroker.approval.put', json: '{}' })

interface Fed {
  readonly reader: EventReader
  readonly closed: Promise<void>
  /** How often it was asked for more. */
  asked(): number
}

/** A reader that is given `next()` until it is closed. */
function feed(next: () => readonly TailedEvent[] | null, position = () => 0): Fed {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let isOpen = true
  let asked = 0
  const reader: EventReader = {
    position,
    async next() {
      asked += 1
      await new Promise((turn) => setImmediate(turn))
      const found = isOpen ? next() : null
      if (found === null || found.length > 0) return found
      await closed
      return null
    },
    close() {
      isOpen = false
      resolve()
    },
  }
  return { reader, closed, asked: () => asked }
}

/** What arrives at a client that reads everything, or nothing until the broker lets it go. */
async function streamTo(fed: Fed, { times = TIMES, reads }: { times?: StreamTimes; reads: boolean }): Promise<string> {
  const app = express()
  app.get('/', (_request, response) => streamEvents(response, fed.reader, times))
  const server = createNodeServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const socket: Socket = connect((server.address() as AddressInfo).port, '127.0.0.1') // listening on TCP
  socket.on('error', () => undefined) // being let go may come as a reset
  if (!reads) socket.pause()
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  await fed.closed
  const parts: Buffer[] = []
  socket.on('data', (part: Buffer) => parts.push(part))
  socket.resume()
  await once(socket, 'close')
  await new Promise((resolve) => server.close(resolve))
  return Buffer.concat(parts).toString()
}

describe('a stream of server-sent events', () => {
  it('lets a reader go that takes nothing, and has held no more for it than its connection', async () => {
    const big = { ...event(1), json: JSON.stringify('x'.repeat(64 * 1_024)) }
    const fed = feed(() => [big])
    await streamTo(fed, { times: { ...TIMES, stalledMs: 50 }, reads: false })
    // What the two ends of a connection on loopback hold is some megabytes; it was not asked for again and again.
    expect(fed.asked()).to.be.below(500)
  })

  it('is of nobody who has gone while its place in the log was looked for', async () => {
    const fed = feed(() => [])
    const [asked, found] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const app = express()
    app.get('/', async (_request, response) => {
      response.once('close', found.resolve)
      asked.resolve()
      await found.promise
      await streamEvents(response, fed.reader, TIMES)
    })
    const server = createNodeServer(app)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1') // listening on TCP
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await asked.promise
    socket.destroy()
    await fed.closed
    await new Promise((resolve) => server.close(resolve))
  })

  it('says how far its reader has come while there is nothing to tell', async () => {
    let position = 40
    const fed: Fed = feed(
      () => [],
      () => {
        position += 1
        if (position > 43) fed.reader.close() // it has told what is asked about below, however long that took
        return position
      },
    )
    const text = await streamTo(fed, { times: { ...TIMES, heartbeatMs: 5 }, reads: true })
    expect(text).to.include('id: 41\nretry: 1000\n\n').and.include(':\nid: 42\n\n').and.include(':\nid: 43\n\n')
  })

  it('ends after its longest time, so that its reader comes back with a token that still holds', async () => {
    const text = await streamTo(
      feed(() => []),
      { times: { ...TIMES, longestMs: 20 }, reads: true },
    )
    expect(text)
      .to.include('id: 0\nretry: 1000\n\n')
      .and.match(/0\r\n\r\n$/)
  })

  it('ends when there is no more to come', async () => {
    const batches = [[event(7), event(9)], null]
    const text = await streamTo(
      feed(() => batches.shift() ?? null),
      { reads: true },
    )
    expect(text).to.include(
      'id: 7\nevent: kr.gpubroker.approval.put\ndata: {}\n\nid: 9\nevent: kr.gpubroker.approval.put\ndata: {}\n\n',
    )
  })
})
