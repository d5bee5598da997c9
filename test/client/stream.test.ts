import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { afterEach, describe, it } from 'mocha'
import { type Client, createClient } from '../../broker/client/client.ts'
import { fixedToken } from '../../broker/client/credentials.ts'
import type { ExchangeOptions } from '../../broker/client/exchange.ts'
import { ProblemError, UnreachableError } from '../../broker/client/problem-error.ts'
import type { StreamOptions } from '../../broker/client/stream.ts'
import { event } from '../../broker/http/examples.ts'
import type { CloudEvent } from '../../shared/event.ts'

type Serve = (response: ServerResponse) => void

interface Asked {
  readonly path: string | undefined
  readonly lastEventId: string | undefined
}

let closing: (() => Promise<void>) | null = null

/** The nth connection is served by the nth of `serves`, later ones by the last. */
async function world(
  serves: readonly [Serve, ...Serve[]],
  options: Partial<ExchangeOptions> = {},
): Promise<{ client: Client; asked: Asked[] }> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    asked.push({ path: request.url, lastEventId: request.headers['last-event-id'] as string | undefined })
    const serve = serves[Math.min(asked.length, serves.length) - 1] ?? serves[0]
    serve(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing = async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  }
  const { port } = server.address() as AddressInfo // listening on TCP
  const baseUrl = `http://127.0.0.1:${port}`
  return { client: createClient({ baseUrl, tokens: fixedToken('t'), pause: async () => undefined, ...options }), asked }
}

const frame = (sequence: number): string =>
  `id: ${sequence}\nevent: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence })}\n\n`

/** Sends these, then ends, breaks off in the midst of a frame, or stays silent. */
const streaming =
  (frames: readonly string[], then: 'end' | 'break' | 'silence' = 'end'): Serve =>
  (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(frames.join(''), () => {
      if (then === 'end') response.end()
      if (then === 'break') response.write('id: 99\ndata: {"seq', () => response.destroy())
    })
  }

async function numbers(stream: AsyncIterable<CloudEvent>, count: number): Promise<number[]> {
  const seen: number[] = []
  for await (const { sequence } of stream) {
    seen.push(sequence)
    if (seen.length === count) break
  }
  return seen
}

describe('the client’s stream of events', () => {
  afterEach(async () => {
    await closing?.()
    closing = null
  })

  it('goes on behind the event seen last when its connection ends or breaks, without a loss or a double', async () => {
    const { client, asked } = await world([
      streaming([frame(3), frame(4)], 'break'),
      streaming(['id: 4\nretry: 1000\n\n', ':\n\n', frame(4), frame(6)]),
      streaming([frame(7)], 'silence'),
    ])
    expect(await numbers(client.streamEvents({ after: 2, types: ['approval.put', 'node.gone'] }), 4)).to.deep.equal([
      3, 4, 6, 7,
    ])
    expect(asked).to.deep.equal([
      { path: '/v1/events?after=2&types=approval.put%2Cnode.gone', lastEventId: undefined },
      { path: '/v1/events?after=2&types=approval.put%2Cnode.gone', lastEventId: '4' },
      { path: '/v1/events?after=2&types=approval.put%2Cnode.gone', lastEventId: '6' },
    ])
  })

  it('that begins from now on still does after a break before the first event', async () => {
    const { client, asked } = await world([streaming(['id: 41\nretry: 1000\n\n']), streaming([frame(42)], 'silence')])
    expect(await numbers(client.streamEvents({ after: 'latest' }), 1)).to.deep.equal([42])
    expect(asked[1]?.lastEventId).to.equal('41')
  })

  it('comes back with the number that it was told last, though no event that it asked for had it', async () => {
    const { client, asked } = await world([
      streaming(['id: 41\nretry: 1000\n\n', ':\nid: 60\n\n', ':\nid: 75\n\n'], 'break'),
      streaming([frame(80)], 'silence'),
    ])
    expect(await numbers(client.streamEvents({ after: 'latest' }), 1)).to.deep.equal([80])
    // Not 99, the number of the event in which the connection broke.
    expect(asked[1]?.lastEventId).to.equal('75')
  })

  it('takes a connection on which nothing comes as broken', async () => {
    const { client, asked } = await world([streaming([frame(1)], 'silence'), streaming([frame(2)])])
    const options: StreamOptions = { silenceMs: 500 } // longer than a busy machine holds up what was sent
    expect(await numbers(client.streamEvents({}, options), 2)).to.deep.equal([1, 2])
    expect(asked).to.have.length(2)
  })

  it('is not cut by the deadline of the call that opened it', async () => {
    const late: Serve = (response) => {
      streaming([frame(1)], 'silence')(response)
      setTimeout(() => response.write(frame(2)), 1_200)
    }
    const { client, asked } = await world([late], { attemptTimeoutMs: 1_000 })
    expect(await numbers(client.streamEvents(), 2)).to.deep.equal([1, 2])
    expect(asked).to.have.length(1)
  })

  it('does not give up where nothing that it asked for happens for as long as many streams last', async () => {
    const quiet = streaming(['id: 41\nretry: 1000\n\n', ':\nid: 41\n\n'])
    const { client, asked } = await world([quiet, quiet, quiet, quiet, streaming([frame(42)], 'silence')], {
      retry: { maxAttempts: 2 },
    })
    expect(await numbers(client.streamEvents({ after: 'latest' }), 1)).to.deep.equal([42])
    expect(asked).to.have.length(5)
  })

  it('gives up when streams end again and again before anything comes', async () => {
    const { client, asked } = await world([streaming(['id: 41\nretry: 1000\n\n'])], { retry: { maxAttempts: 3 } })
    const failure: unknown = await numbers(client.streamEvents(), 1).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(UnreachableError)
    expect(asked).to.have.length(3)
  })

  it('ends with the problem when what comes next is no longer kept', async () => {
    const gone: Serve = (response) => {
      response.writeHead(410, { 'content-type': 'application/problem+json' })
      const problem = {
        type: '/problems/events-gone',
        title: 'Gone',
        status: 410,
        detail: 'Oldest is 7.',
        instance: '/',
      }
      response.end(JSON.stringify({ ...problem, code: 'events-gone', oldest: 7 }))
    }
    const { client } = await world([streaming([frame(1)], 'break'), gone])
    const failure: unknown = await numbers(client.streamEvents(), 2).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(ProblemError).with.property('code', 'events-gone')
  })

  it('ends with the problem when the log ends before what was seen', async () => {
    const shorter: Serve = (response) => {
      response.writeHead(400, { 'content-type': 'application/problem+json' })
      const problem = {
        type: '/problems/invalid-request',
        title: 'Bad',
        status: 400,
        detail: 'At most 1.',
        instance: '/',
      }
      response.end(JSON.stringify({ ...problem, code: 'invalid-request', last: 1 }))
    }
    const { client, asked } = await world([streaming([frame(7)], 'break'), shorter])
    const failure: unknown = await numbers(client.streamEvents(), 2).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(ProblemError).with.property('code', 'invalid-request')
    expect(failure).to.have.nested.property('problem.last', 1)
    expect(asked.map(({ lastEventId }) => lastEventId)).to.deep.equal([undefined, '7'])
  })

  it('ends with its caller’s signal', async () => {
    const { client } = await world([streaming([frame(1)], 'silence')])
    const stop = new AbortController()
    const reading = (async () => {
      for await (const { sequence } of client.streamEvents({}, { signal: stop.signal }))
        if (sequence === 1) stop.abort(new Error('enough'))
    })()
    const failure: unknown = await reading.catch((error: unknown) => error)
    expect(failure).to.have.property('message', 'enough')
  })
})
