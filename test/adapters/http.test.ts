/** The client that all adapters call through, against a real server on loopback, and the gate in front of it. */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { expect } from 'chai'
import { after, afterEach, before, beforeEach, describe, it } from 'mocha'
import { z } from 'zod'
import { type Gate, createGate } from '../../adapters/gate.ts'
import {
  type HttpAnswer,
  type HttpRequest,
  type ProviderHttp,
  createProviderHttp,
  readJson,
  retryAfterMs,
} from '../../adapters/http.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'
import { leaveNockOut } from '../support/real-network.ts'
import { errorOf } from './rejection.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void

interface LoopbackServer {
  readonly url: string
  readonly requests: IncomingMessage[]
  handler: Handler
  close(): Promise<void>
}

async function loopbackServer(): Promise<LoopbackServer> {
  const server = createServer((request, response) => {
    loopback.requests.push(request)
    loopback.handler(request, response)
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  const loopback: LoopbackServer = {
    url: `http://127.0.0.1:${port}`,
    requests: [],
    handler: (_, response) => response.end('{}'),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
  return loopback
}

const aCall = (overrides: Partial<Call> = {}): Call => ({
  operationId: 'op-1',
  deadlineAt: Date.now() + 10_000,
  signal: new AbortController().signal,
  ...overrides,
})

/** Resolves once the server holds so many requests. */
async function untilReceived(server: LoopbackServer, count: number): Promise<void> {
  while (server.requests.length < count) await setImmediate()
}

describe('calls to operators', () => {
  let server: LoopbackServer
  let http: ProviderHttp
  let putNockBack: () => void
  before(() => {
    putNockBack = leaveNockOut()
  })
  after(() => putNockBack())
  beforeEach(async () => {
    server = await loopbackServer()
    http = createProviderHttp({ ratePerSecond: 10_000, maxConcurrent: 2, now: Date.now })
  })
  afterEach(async () => {
    http.close()
    await server.close()
  })

  const get = (path: string, overrides: Partial<HttpRequest> = {}): HttpRequest => ({
    method: 'GET',
    url: `${server.url}${path}`,
    changes: false,
    ...overrides,
  })

  it('sends the target exactly as it was given, because signatures cover it', async () => {
    const target = '/a%2Fb/~c?name=%5Egb.%2A%24&x=%20&flag&empty=&y=a+b'
    await http.send(get(target), aCall())
    expect(server.requests[0]?.url).to.equal(target)
  })

  it('sends body, headers and trace context', async () => {
    let body = ''
    server.handler = (request, response) => {
      request.on('data', (chunk: Buffer) => (body += chunk.toString()))
      request.on('end', () => response.end('done'))
    }
    const request = get('/', {
      method: 'POST',
      body: 'a=1',
      headers: () => ({ 'x-auth-token': 'secret' }),
      changes: true,
    })
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const answer = await http.send(request, aCall({ traceparent }))
    expect(answer.body).to.equal('done')
    expect(body).to.equal('a=1')
    expect(server.requests[0]?.headers).to.include({
      'x-auth-token': 'secret',
      traceparent,
      'user-agent': 'gpu-broker',
    })
  })

  it('hands every status on without judging it, header names in lower case', async () => {
    server.handler = (_, response) => response.writeHead(503, { 'Retry-After': '3' }).end('not now')
    const answer = await http.send(get('/'), aCall())
    expect(answer).to.deep.include({ status: 503, body: 'not now' })
    expect(answer.headers).to.include({ 'retry-after': '3' })
  })

  it('follows no redirect, which would carry the token to somebody else', async () => {
    server.handler = (_, response) => response.writeHead(302, { location: `${server.url}/elsewhere` }).end()
    expect((await http.send(get('/'), aCall())).status).to.equal(302)
    expect(server.requests).to.have.length(1)
  })

  it('keeps connections open between calls', async () => {
    await http.send(get('/'), aCall())
    await http.send(get('/'), aCall())
    expect(server.requests[1]?.socket).to.equal(server.requests[0]?.socket)
  })

  describe('without an answer', () => {
    it('is unreachable and surely without effect where nobody listens', async () => {
      await server.close()
      const error = await errorOf(http.send(get('/', { method: 'POST', changes: true }), aCall()))
      expect(error).to.include({ kind: 'unreachable', effect: 'none', code: 'ECONNREFUSED' })
      server = await loopbackServer()
    })

    for (const { changes, effect } of [
      { changes: true, effect: 'maybe' },
      { changes: false, effect: 'none' },
    ])
      it(`is unreachable with effect ${effect} when a call with changes: ${changes} is cut off`, async () => {
        server.handler = (request) => request.socket.destroy()
        const error = await errorOf(http.send(get('/', { changes }), aCall()))
        expect(error).to.include({ kind: 'unreachable', effect })
      })

    it('is unreachable when the answer breaks off half-way', async () => {
      server.handler = (request, response) => {
        response.writeHead(200, { 'content-length': '100' }).write('half', () => request.socket.destroy())
      }
      const error = await errorOf(http.send(get('/', { changes: true }), aCall()))
      expect(error).to.include({ kind: 'unreachable', effect: 'maybe' })
    })

    it('ends at the deadline when the operator is silent', async () => {
      server.handler = () => undefined
      const error = await errorOf(http.send(get('/', { changes: true }), aCall({ deadlineAt: Date.now() + 60 })))
      expect(error).to.include({ kind: 'unreachable', effect: 'maybe', code: 'DEADLINE' })
    })

    it('ends at the deadline when the answer comes in drips', async () => {
      let dripping: NodeJS.Timeout | undefined
      server.handler = (_, response) => {
        response.writeHead(200)
        dripping = setInterval(() => response.write('.'), 10)
      }
      const error = await errorOf(http.send(get('/'), aCall({ deadlineAt: Date.now() + 80 })))
      clearInterval(dripping)
      expect(error).to.include({ kind: 'unreachable', effect: 'none', code: 'DEADLINE' })
    })

    it('ends with its caller', async () => {
      server.handler = () => undefined
      const caller = new AbortController()
      const ended = errorOf(http.send(get('/', { changes: true }), aCall({ signal: caller.signal })))
      await untilReceived(server, 1)
      caller.abort()
      expect(await ended).to.include({ kind: 'unreachable', effect: 'maybe', code: 'ABORTED' })
    })

    it('sends nothing when the deadline has passed or the caller has gone', async () => {
      const late = await errorOf(http.send(get('/', { changes: true }), aCall({ deadlineAt: Date.now() - 1 })))
      expect(late).to.include({ kind: 'unreachable', effect: 'none', code: 'DEADLINE' })
      const gone = await errorOf(http.send(get('/', { changes: true }), aCall({ signal: AbortSignal.abort() })))
      expect(gone).to.include({ kind: 'unreachable', effect: 'none' })
      expect(server.requests).to.be.empty
    })

    it('takes any deadline, however far or uneven', async () => {
      for (const aheadMs of [1e15, 1_234.567]) {
        const answer = await http.send(get('/'), aCall({ deadlineAt: Date.now() + aheadMs }))
        expect(answer.status).to.equal(200)
      }
    })

    it('keeps tokens and bodies out of its errors', async () => {
      server.handler = (request) => request.socket.destroy()
      const request = get('/?key=in-the-query', {
        method: 'POST',
        body: 'in-the-body',
        headers: () => ({ 'x-auth-token': 'in-the-header' }),
        changes: true,
      })
      const error = await errorOf(http.send(request, aCall()))
      expect(inspect(error, { depth: 20, showHidden: true })).to.not.match(/in-the-(query|body|header)/)
    })

    it('calls an answer without end malformed', async () => {
      const megabyte = Buffer.alloc(1024 * 1024, 'x')
      server.handler = (_, response) => {
        const pour = (): void => {
          while (!response.destroyed && response.write(megabyte));
          if (!response.destroyed) response.once('drain', pour)
        }
        pour()
      }
      expect(await errorOf(http.send(get('/'), aCall()))).to.include({ kind: 'malformed', effect: 'none' })
    })
  })

  describe('under load', () => {
    it('never has more calls in flight than allowed, and serves all of them', async () => {
      const held: ServerResponse[] = []
      server.handler = (_, response) => held.push(response)
      const calls = Array.from({ length: 20 }, () => http.send(get('/'), aCall()))
      while (held.length < 20) {
        const before = held.length
        await untilReceived(server, before + 2)
        await setImmediate()
        expect(held).to.have.length(before + 2)
        for (const response of held.slice(before)) response.end('{}')
      }
      expect(await Promise.all(calls)).to.have.length(20)
    })

    it('is called less often once the operator says that it is too often', async () => {
      server.handler = (_, response) => response.writeHead(429).end()
      expect((await http.send(get('/'), aCall())).status).to.equal(429)
      expect(http.traffic().ratePerSecond).to.be.lessThan(10_000)
    })

    it('gives the place back when a call fails', async () => {
      server.handler = (request) => request.socket.destroy()
      for (let n = 0; n < 5; n += 1) await errorOf(http.send(get('/'), aCall()))
      server.handler = (_, response) => response.end('{}')
      expect((await http.send(get('/'), aCall())).status).to.equal(200)
    })

    it('counts waiting for a place against the deadline, and has then done nothing', async () => {
      const held: ServerResponse[] = []
      server.handler = (_, response) => held.push(response)
      const first = [http.send(get('/'), aCall()), http.send(get('/'), aCall())]
      await untilReceived(server, 2)
      const late = http.send(get('/', { changes: true }), aCall({ deadlineAt: Date.now() + 50 }))
      expect(await errorOf(late)).to.include({ kind: 'unreachable', effect: 'none', code: 'QUEUED' })
      for (const response of held) response.end('{}')
      await Promise.all(first)
      expect(server.requests).to.have.length(2)
    })

    it('makes headers when the request leaves, not when it is queued', async () => {
      const held: ServerResponse[] = []
      server.handler = (_, response) => held.push(response)
      const first = [http.send(get('/'), aCall()), http.send(get('/'), aCall())]
      await untilReceived(server, 2)
      let stamp = 'when queued'
      const queued = http.send(get('/', { headers: () => ({ stamp }) }), aCall())
      stamp = 'when sent'
      server.handler = (_, response) => response.end('{}')
      for (const response of held) response.end('{}')
      await Promise.all([...first, queued])
      expect(server.requests[2]?.headers['stamp']).to.equal('when sent')
    })
  })
})

describe('reading answers', () => {
  const anAnswer = (overrides: Partial<HttpAnswer>): HttpAnswer => ({
    status: 200,
    headers: {},
    body: '',
    ...overrides,
  })
  const Schema = z.object({ id: z.string() })

  it('reads JSON through its schema', () => {
    expect(readJson(Schema, anAnswer({ body: '{"id":"a","more":1}' }), 'none')).to.deep.equal({ id: 'a' })
  })

  for (const body of ['', '<html>', '{"id":', 'null', '{"id":7}'])
    it(`calls ${JSON.stringify(body)} malformed, with the effect of its call`, () => {
      expect(() => readJson(Schema, anAnswer({ body }), 'maybe'))
        .to.throw(ProviderError)
        .that.includes({ kind: 'malformed', effect: 'maybe' })
    })

  for (const { header, ms } of [
    { header: '7', ms: 7_000 },
    { header: '0', ms: 0 },
    { header: 'Mon, 23 Nov 2026 12:00:05 GMT', ms: 5_000 },
    { header: 'Mon, 23 Nov 2026 11:59:00 GMT', ms: 0 },
    { header: 'soon', ms: null },
  ])
    it(`understands "Retry-After: ${header}" as ${ms} ms`, () => {
      const answer = anAnswer({ headers: { 'retry-after': header } })
      expect(retryAfterMs(answer, Date.parse('2026-11-23T12:00:00Z'))).to.equal(ms)
    })

  it('knows no pause where the operator names none', () => {
    expect(retryAfterMs(anAnswer({}), 0)).to.equal(null)
  })
})

describe('the gate', () => {
  const open = (): AbortSignal => new AbortController().signal

  it('halves the rate at a complaint, once for all answers of a burst', () => {
    const gate = createGate({ ratePerSecond: 160, maxConcurrent: 4 })
    gate.slowDown(0)
    gate.slowDown(0)
    expect(gate.traffic().ratePerSecond).to.be.within(80, 90)
  })

  it('lets nobody in before the operator’s pause is over, and counts the pause against deadlines', async () => {
    const gate = createGate({ ratePerSecond: 10_000, maxConcurrent: 4 })
    gate.slowDown(60_000)
    const error = await errorOf(gate.enter(AbortSignal.timeout(20)))
    expect(error).to.include({ kind: 'unreachable', code: 'QUEUED', effect: 'none' })
    expect(gate.traffic()).to.include({ inFlight: 0, waiting: 0 })
  })

  it('lets in after a short pause, and has the configured rate again in the end', async () => {
    const gate = createGate({ ratePerSecond: 10_000, maxConcurrent: 4 })
    gate.slowDown(5)
    const slowed = gate.traffic().ratePerSecond
    const leave = await gate.enter(open())
    expect(gate.traffic()).to.include({ inFlight: 1, maxConcurrent: 4 })
    leave()
    expect(gate.traffic().ratePerSecond).to.be.at.least(slowed)
    expect(gate.traffic().ratePerSecond).to.be.at.most(10_000)
  })

  it('lets callers in by the order of asking', async () => {
    const gate = createGate({ ratePerSecond: 10_000, maxConcurrent: 1 })
    const order: number[] = []
    await Promise.all(
      [1, 2, 3, 4].map(async (n) => {
        const leave = await gate.enter(open())
        order.push(n)
        leave()
      }),
    )
    expect(order).to.deep.equal([1, 2, 3, 4])
  })

  it('admits no more than burst and rate allow', async () => {
    const gate = createGate({ ratePerSecond: 200, maxConcurrent: 1_000 })
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: 120 }, async () => (await gate.enter(open()))()))
    // A burst of 100, and the last 20 at 5 ms each.
    expect(performance.now() - startedAt).to.be.at.least(95)
  })

  it('frees a place once, however often it is given back', async () => {
    const gate = createGate({ ratePerSecond: 10_000, maxConcurrent: 1 })
    const leave = await gate.enter(open())
    leave()
    leave()
    const leaveSecond = await gate.enter(open())
    expect(await isAdmitted(gate)).to.equal(false)
    leaveSecond()
  })

  it('lets go of who stops waiting and serves the next', async () => {
    const gate = createGate({ ratePerSecond: 10_000, maxConcurrent: 1 })
    const leave = await gate.enter(open())
    const impatient = new AbortController()
    const given = errorOf(gate.enter(impatient.signal))
    const patient = gate.enter(open())
    impatient.abort()
    expect(await given).to.include({ kind: 'unreachable', effect: 'none', code: 'QUEUED' })
    leave()
    ;(await patient)()
  })

  it('refuses more waiting callers than it has room for', async () => {
    const gate = createGate({ ratePerSecond: 10_000, maxConcurrent: 1 })
    const leave = await gate.enter(open())
    const crowd = new AbortController()
    const waiting = Array.from({ length: 5_000 }, () => errorOf(gate.enter(crowd.signal)))
    expect(await errorOf(gate.enter(open()))).to.include({ kind: 'throttled', effect: 'none', code: 'QUEUE_FULL' })
    crowd.abort()
    await Promise.all(waiting)
    leave()
  })

  it('goes on at a rate below one call per second without waking before it can', async () => {
    const gate = createGate({ ratePerSecond: 0.001, maxConcurrent: 8 })
    ;(await gate.enter(open()))()
    const impatient = new AbortController()
    const second = errorOf(gate.enter(impatient.signal))
    impatient.abort()
    expect(await second).to.include({ code: 'QUEUED' })
  })
})

/** Whether one more caller would be let in right now. */
async function isAdmitted(gate: Gate): Promise<boolean> {
  const probe = new AbortController()
  const entering = gate.enter(probe.signal).then(
    () => true,
    () => false,
  )
  probe.abort()
  return await entering
}
