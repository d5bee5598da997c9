/** Server-sent events of a tail over real sockets, with readers that can stop reading, and a look at what is held for them. */
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer, get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createParser } from 'eventsource-parser'
import type { EventTail } from '../../broker/app/event-tail.ts'
import { streamEvents } from '../../broker/http/event-stream.ts'
import { MINUTE_MS } from '../../shared/time.ts'

interface Reading {
  readonly after: number
  /** How long its connection may take nothing; default for as long as a test may take. */
  readonly stalledMs?: number
  /** Whether it takes nothing more after its first events, until it is told to. */
  readonly stops?: boolean
}

interface Reader {
  /** Numbers of the events that have come. */
  readonly seen: readonly number[]
  /** Goes on with what is there for one that has stopped, until its connection has ended. */
  readToTheEnd(): Promise<void>
}

export interface ServedEvents {
  read(reading: Reading): Promise<Reader>
  /** How many the broker has now. */
  readers(): Promise<number>
  /** The most bytes that have waited in this process for one connection. */
  mostHeld(): number
  close(): Promise<void>
}

const NOTHING = { types: null, allocationId: null, organizationId: null, providerId: null }

export async function serveEvents(tail: EventTail): Promise<ServedEvents> {
  let mostHeld = 0
  const server = createServer((request, response) => {
    const asked = new URL(request.url ?? '', 'http://localhost').searchParams
    const start = { number: Number(asked.get('after')), by: 'Last-Event-ID' } as const
    const times = { heartbeatMs: MINUTE_MS, stalledMs: Number(asked.get('stalledMs')), longestMs: MINUTE_MS }
    watchWrites(response, (held) => (mostHeld = Math.max(mostHeld, held)))
    void tail.open(NOTHING, start).then(async (reader) => {
      await Promise.all([streamEvents(response, reader, times), tail.refresh()])
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    async read({ after, stalledMs = MINUTE_MS, stops = false }) {
      const request = get(`http://127.0.0.1:${port}/?after=${after}&stalledMs=${stalledMs}`)
      const [response] = (await once(request, 'response')) as [IncomingMessage]
      return readerOf(response, stops)
    },
    readers: async () => tail.readers(),
    mostHeld: () => mostHeld,
    async close() {
      tail.close()
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function watchWrites(response: ServerResponse, onHeld: (bytes: number) => void): void {
  const write = response.write.bind(response)
  response.write = (chunk: unknown) => {
    const isTaken = write(chunk)
    onHeld(response.writableLength)
    return isTaken
  }
}

function readerOf(response: IncomingMessage, stops: boolean): Reader {
  const seen: number[] = []
  const parser = createParser({ onEvent: ({ id }) => void seen.push(Number(id)) })
  const ended = new Promise<void>((resolve) => response.once('close', resolve))
  response.on('error', () => undefined) // being let go is cut off
  response.setEncoding('utf8')
  let mayStop = stops
  response.on('data', (text: string) => {
    parser.feed(text)
    if (mayStop && seen.length > 0) response.pause()
  })
  return {
    seen,
    readToTheEnd() {
      mayStop = false
      response.resume()
      return ended
    },
  }
}
