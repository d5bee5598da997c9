/**
 * Whatever is sent, the broker answers as its own document says: no 5xx but a deliberate 503, no body off its schema, no
 * word of its inside. Requests are made from the served document; a failure prints the seed that finds it again.
 * `FUZZ_RUNS` says how many per operation.
 */
import { connect } from 'node:net'
import { expect } from 'chai'
import * as fc from 'fast-check'
import { before, describe, it } from 'mocha'
import { tokenFor } from '../support/api-client.ts'
import { START_WITHIN_MS, type TestBroker, startTestBroker } from '../support/broker.ts'
import { type ApiDocument, type Operation, readDocument } from '../support/api-document.ts'
import { endsInTheEnd } from '../support/ends.ts'
import { type FuzzRequest, requestOf } from './requests.ts'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? '30')
/** Who has every scope, most of the time; who is bound to an organisation or an operator has other ways through. */
const ASKING = ['platform', 'platform', 'opaque', 'kaist', 'nhn-staff']
const CLIENTS = ['platform', 'opaque', 'sre', 'auditor', 'kaist', 'nhn-staff'] as const
/** From so many runs on it is the long form. */
const LONG_RUNS = 100
/** What comes after a freeze would wait, and after a change of the log level no error might be seen. */
const LAST = ['freeze', 'setLogLevel']
/** Stacks, paths of files, statements and secrets. */
const INSIDE =
  /(?:\\n|\n)\s+at .+:\d|node_modules|\/broker\/|\.ts\b|select .+ from |insert into|\b(?:platform|opaque|sre|auditor|kaist|nhn-staff|broker)-secret\b|BEGIN [A-Z ]*PRIVATE/i

describe('whatever is sent', () => {
  let broker: TestBroker
  let document: ApiDocument
  let known: string[]
  const tokens = new Map<string, string>()

  const ends = endsInTheEnd()
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker()
    ends(() => broker.stop())
    document = readDocument((await (await fetch(`${broker.url}/openapi.json`)).json()) as Record<string, unknown>)
    for (const id of CLIENTS) tokens.set(id, await tokenFor(broker.sandbox.identityUrl, id))
    known = await someIds(broker)
  })

  const send = async (request: FuzzRequest, client: string) => {
    const answer = await fetch(`${broker.url}${request.path}`, {
      method: request.method,
      headers: { ...request.headers, authorization: `Bearer ${tokens.get(client)}` },
      ...(request.body === null ? {} : { body: request.body }),
      redirect: 'manual',
    })
    return { status: answer.status, type: answer.headers.get('content-type'), text: await answer.text() }
  }

  async function holds(operation: Operation, request: FuzzRequest, client: string): Promise<void> {
    const answer = await send(request, client)
    const breach = operation.breach(answer)
    const inside = INSIDE.exec(answer.text)?.[0] ?? null
    expect({ breach, inside, failed: answer.status === 500 }, answer.text.slice(0, 1_000)).to.deep.equal({
      breach: null,
      inside: null,
      failed: false,
    })
  }

  it('every operation answers as the document says', async function run() {
    this.timeout(RUNS * 60_000)
    for (const operation of document.operations.toSorted((a, b) => LAST.indexOf(a.id) - LAST.indexOf(b.id))) {
      await fc.assert(
        fc.asyncProperty(requestOf(operation, document, known), fc.constantFrom(...ASKING), (request, client) =>
          holds(operation, request, client),
        ),
        { numRuns: RUNS, endOnFailure: true },
      )
    }
    expect(Object.prototype).not.to.have.property('polluted')
  })

  it('a token without the scope of an operation gets 403, and one with it anything else', async function run() {
    this.timeout(120_000)
    for (const operation of document.operations) {
      const path = operation.path.replaceAll(/\{\w+\}/g, 'nothing-of-this-name')
      for (const client of CLIENTS) {
        const headers = operation.body === null ? {} : { 'Content-Type': 'application/json' }
        const body = operation.body === null ? null : '[]' // valid for nobody, so that nothing is changed
        const { status } = await send({ method: operation.method, path, headers, body }, client)
        const may = scopesOf(tokens.get(client) ?? '', client).has(operation.scope)
        expect(status === 403, `${client} ${operation.method} ${operation.path} → ${status}`).to.equal(!may)
        if (may) expect([200, 304, 400, 404], `${client} ${operation.id} → ${status}`).to.include(status)
      }
    }
  })

  it('without a token every operation answers 401', async () => {
    for (const { method, path } of document.operations) {
      const answer = await fetch(`${broker.url}${path.replaceAll(/\{\w+\}/g, 'x')}`, { method })
      expect([method, path, answer.status]).to.deep.equal([method, path, 401])
      expect(answer.headers.get('www-authenticate')).to.match(/^Bearer /)
    }
  })

  it('requests that are no HTTP, too large in their headers, or never finished harm nobody else', async () => {
    const { hostname, port } = new URL(broker.url)
    const exchange = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.write(text))
        let got = ''
        socket.on('data', (data) => {
          got += String(data)
          socket.end()
        })
        socket.on('close', () => resolve(got))
        socket.on('error', reject)
      })
    const flood = Array.from({ length: 3_000 }, (_, nth) => `X-Header-${nth}: ${'v'.repeat(20)}`).join('\r\n')
    expect(await exchange('\u0016\u0003\u0001 hello\r\n\r\n')).to.match(/^HTTP\/1\.1 400 /)
    expect(await exchange(`GET /v1/clusters HTTP/1.1\r\nHost: x\r\n${flood}\r\n\r\n`)).to.match(/^HTTP\/1\.1 431 /)
    const unfinished = connect(Number(port), hostname)
    unfinished.write('POST /v1/allocations HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"name":')
    unfinished.on('error', () => undefined) // it is cut off below
    expect((await fetch(`${broker.url}/livez`)).status).to.equal(200)
    unfinished.destroy()
  })

  it('bodies that come so slowly that they never end are given up, and meanwhile others are answered', async function wait() {
    if (RUNS < LONG_RUNS) this.skip() // it lasts as long as a request may, and until that is looked at: each half a minute
    this.timeout(180_000)
    const { hostname, port } = new URL(broker.url)
    const slow = Array.from({ length: 50 }, () => {
      const socket = connect(Number(port), hostname)
      const head = `Host: x\r\nAuthorization: Bearer ${tokens.get('platform')}\r\nContent-Type: application/json\r\n`
      socket.write(`POST /v1/allocations HTTP/1.1\r\n${head}Content-Length: 100000\r\n\r\n{`)
      const drip = setInterval(() => socket.write(' '), 500)
      return new Promise<string>((resolve) => {
        let got = ''
        socket.on('data', (data) => (got += String(data)))
        socket.on('error', () => undefined) // it is cut off
        socket.on('close', () => {
          clearInterval(drip)
          resolve(got)
        })
      })
    })
    const platform = await broker.as('platform')
    expect((await platform.get('/v1/clusters')).status).to.equal(200)
    expect((await platform.post('/v1/placements/preview', {})).status).to.equal(400)
    for (const answer of await Promise.all(slow)) expect(answer).to.match(/^HTTP\/1\.1 408 /)
  })
})

async function someIds(broker: TestBroker): Promise<string[]> {
  const platform = await broker.as('platform')
  const approval = {
    organizationId: 'kaist',
    organizationName: 'KAIST',
    program: 'fuzz',
    priority: 'standard',
    limits: {
      maxNodes: 1_000,
      gpuHours: 1e9,
      architectures: ['blackwell', 'hopper'],
      validFrom: '2026-01-01T00:00:00Z',
      validTo: '2029-12-31T00:00:00Z',
    },
  }
  await platform.put('/v1/approvals/apr-2026-0001', approval)
  const created = await platform.post('/v1/allocations', {
    approvalId: 'apr-2026-0001',
    name: 'fuzz',
    demand: { nodes: 1 },
    period: { start: '2027-06-01T00:00:00Z', end: '2027-07-01T00:00:00Z' },
  })
  const { id } = JSON.parse(created.text) as { id: string } // an allocation has one
  return ['apr-2026-0001', id, 'nhn', 'kakao', 'naver', 'nhn-b200-510', 'kakao-b200-255', 'kaist']
}

/** What the sandbox's clients may: of a JWT it is written in it; `opaque` has every scope, as design says of it. */
function scopesOf(token: string, client: string): { has(scope: string): boolean } {
  if (client === 'opaque') return { has: () => true }
  const [, payload = ''] = token.split('.')
  const { scope } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { scope: string } // as the issuer writes it
  return new Set(scope.split(' '))
}
