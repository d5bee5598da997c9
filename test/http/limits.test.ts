import { once } from 'node:events'
import { type IncomingMessage, request as httpRequest } from 'node:http'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type Caller, SCOPES } from '../../broker/app/command.ts'
import * as examples from '../../broker/http/examples.ts'
import type { ServerOptions } from '../../broker/http/server.ts'
import { fakeUseCases } from '../support/fake-use-cases.ts'
import { type Got, type Sent, type TestServer, startServer } from '../support/http-server.ts'

const PLENTY = { maxInFlight: 1_000, ratePerSecond: 1_000 }

async function served<T>(options: Partial<ServerOptions>, use: (server: TestServer) => Promise<T>): Promise<T> {
  const server = await startServer(options)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

describe('what one client may ask', () => {
  const limits = { ...PLENTY, ratePerSecond: 3 }
  const ask = (server: TestServer, token: string, times: number): Promise<Got[]> =>
    Promise.all(Array.from({ length: times }, () => server.send({ path: '/v1/clusters', token })))

  it('is twice the rate at once, and then 429 with the time to wait', () =>
    served({ limits }, async (server) => {
      const got = await ask(server, 'all', 8)
      const refused = got.filter(({ status }) => status === 429)
      expect(got.filter(({ status }) => status === 200)).to.have.length(6)
      expect(refused).to.have.length(2)
      for (const { headers, json } of refused) {
        expect(json()['code']).to.equal('rate-limited')
        expect(Number(headers['retry-after'])).to.be.within(1, 2)
      }
    }))

  it('is told on every answer, refusals among them', () =>
    served({ limits }, async (server) => {
      const got = await ask(server, 'all', 7)
      for (const { headers } of got) expect(headers['ratelimit-policy']).to.equal('"default";q=6;w=2')
      const left = got.map(({ headers }) =>
        Number(/^"default";r=(\d+);t=[12]$/.exec(String(headers['ratelimit']))?.[1]),
      )
      expect(left.toSorted((a, b) => a - b)).to.deep.equal([0, 0, 1, 2, 3, 4, 5])
      const unknown = await server.send({ path: '/v1/nothing' })
      expect(unknown.headers).to.have.property('ratelimit')
    }))

  it('takes nothing from another client', () =>
    served({ limits }, async (server) => {
      await ask(server, 'all', 8)
      const [other] = await ask(server, 'catalog', 1)
      expect(other?.status).to.equal(200)
    }))

  it('does not touch what needs no token', () =>
    served({ limits }, async (server) => {
      await ask(server, 'all', 8)
      expect((await server.send({ path: '/livez', token: null })).status).to.equal(200)
    }))
})

describe('what is answered at a time', () => {
  const CALLERS: Readonly<Record<string, Caller>> = Object.fromEntries(
    ['all', 'another', 'third'].map((clientId) => [
      `Bearer ${clientId}`,
      { clientId, scopes: new Set(SCOPES), organizationId: null, providerId: null },
    ]),
  )

  interface Crowded {
    readonly server: TestServer
    /** Whoever is inside is answered. */
    release(): void
    readonly rejected: string[]
  }

  /** Half of `maxInFlight` for reads and half for writes; whoever lists clusters or creates is inside until `release`. */
  async function crowded(use: (crowd: Crowded) => Promise<void>, maxInFlight = 2): Promise<void> {
    const held = Promise.withResolvers<void>()
    const rejected: string[] = []
    const { useCases } = fakeUseCases()
    const options: Partial<ServerOptions> = {
      authenticate: async (header) => CALLERS[header ?? ''] ?? Promise.reject(new Error('an unknown token')),
      limits: { ...PLENTY, maxInFlight },
      onRejected: (reason) => void rejected.push(reason),
      useCases: {
        ...useCases,
        listClusters: async (...asked) => held.promise.then(() => useCases.listClusters(...asked)),
        openEvents: async () => ({
          position: () => 0,
          next: async () => held.promise.then(() => null),
          close: () => undefined,
        }),
        createAllocation: async (...asked) => held.promise.then(() => useCases.createAllocation(...asked)),
      },
    }
    await served(options, (server) => use({ server, release: held.resolve, rejected }))
  }

  const read = { path: '/v1/clusters' }
  const write = { path: '/v1/allocations', method: 'POST', json: examples.allocationRequest }

  /** Sends until one is turned away, so that all places are known to be taken. */
  async function turnedAway(server: TestServer, asked: Sent): Promise<{ got: Got; inside: Promise<Got> }> {
    const two = [1, 2].map(() => server.send(asked))
    const first = await Promise.race(two.map(async (one, index) => ({ index, got: await one })))
    const other = two[1 - first.index]
    if (other === undefined) throw new Error('there are two')
    return { got: first.got, inside: other }
  }

  /** A write whose body does not come to its end until `finish`. */
  function slowly({ port }: TestServer, token = 'all'): { readonly got: Promise<number>; finish(): void } {
    const text = JSON.stringify(examples.allocationRequest)
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      'content-length': text.length,
    }
    const request = httpRequest({ host: '127.0.0.1', port, path: write.path, method: write.method, headers })
    request.write(text.slice(0, 10))
    const got = once(request, 'response').then(([response]) => {
      const { statusCode } = (response as IncomingMessage).resume()
      return statusCode ?? 0
    })
    return { got, finish: () => void request.end(text.slice(10)) }
  }

  /** Until so many that send slowly have arrived, whoever asks beside them is not refused. */
  async function untilRefused(server: TestServer, asked: Sent & { token: string }): Promise<Got> {
    for (;;) {
      const got = await server.send(asked)
      if (got.status !== 200) return got
    }
  }

  it('ends at the limit: 503 at once, with the time to wait', () =>
    crowded(async ({ server, release, rejected }) => {
      const { got, inside } = await turnedAway(server, read)
      expect([got.status, got.json()['code'], Number(got.headers['retry-after'])]).to.deep.equal([
        503,
        'unavailable',
        5,
      ])
      expect(rejected).to.deep.equal(['overload'])
      release()
      expect((await inside).status).to.equal(200)
    }))

  it('asks for no token first', () =>
    crowded(async ({ server, release }) => {
      const { inside } = await turnedAway(server, read)
      expect((await server.send({ ...read, token: 'unknown' })).status).to.equal(503)
      release()
      await inside
    }))

  it('leaves writes their own places when reads have none, and health all', () =>
    crowded(async ({ server, release }) => {
      const reads = await turnedAway(server, read)
      const writes = await turnedAway(server, { ...write, token: 'another' })
      expect([reads.got.status, writes.got.status]).to.deep.equal([503, 503])
      expect((await server.send({ path: '/livez', token: null })).status).to.equal(200)
      release()
      expect([(await reads.inside).status, (await writes.inside).status]).to.deep.equal([200, 201])
    }))

  it('leaves what asks an operator and what only asks what would be out of the crowd of writes', () =>
    crowded(async ({ server, release }) => {
      const { inside } = await turnedAway(server, write)
      const token = 'another'
      const preview = { path: '/v1/placements/preview', method: 'POST', json: examples.previewRequest, token }
      const importing = { path: '/v1/operations/import', method: 'POST', json: examples.importRequest, token }
      expect([(await server.send(preview)).status, (await server.send(importing)).status]).to.deep.equal([200, 200])
      release()
      await inside
    }))

  it('gives the place to the next once the answer is out', () =>
    crowded(async ({ server, release }) => {
      release()
      for (let nth = 0; nth < 5; nth += 1) expect((await server.send(read)).status).to.equal(200)
    }))

  it('has a place for who is there while others send slowly', () =>
    crowded(async ({ server, release }) => {
      release()
      const slow = slowly(server)
      expect((await server.send({ ...write, token: 'another' })).status).to.equal(201)
      slow.finish()
      expect(await slow.got).to.equal(201)
    }))

  it('refuses a client who has half of everything already, and nobody else', () =>
    crowded(async ({ server, release, rejected }) => {
      release()
      const slow = [slowly(server), slowly(server)]
      const got = await untilRefused(server, { ...read, token: 'all' })
      expect([got.status, got.json()['code'], got.headers['retry-after']]).to.deep.equal([429, 'rate-limited', '1'])
      expect(got.headers).to.have.property('ratelimit')
      expect(rejected).to.deep.equal(['rate-limit'])
      expect((await server.send({ ...read, token: 'another' })).status).to.equal(200)
      for (const one of slow) one.finish()
      expect(await Promise.all(slow.map(({ got: status }) => status))).to.deep.equal([201, 201])
      expect((await server.send({ ...read, token: 'all' })).status).to.equal(200)
    }, 4))

  it('counts nobody any more who has gone while his token was looked at', async () => {
    const [asked, looked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const authenticate: ServerOptions['authenticate'] = async (header) => {
      asked.resolve()
      await looked.promise
      return CALLERS[header ?? ''] ?? Promise.reject(new Error('an unknown token'))
    }
    await served({ authenticate, limits: { ...PLENTY, maxInFlight: 2 } }, async (server) => {
      const headers = { authorization: 'Bearer all' }
      const going = httpRequest({ host: '127.0.0.1', port: server.port, path: read.path, headers })
      going.on('error', () => undefined).end()
      await asked.promise
      going.destroy()
      // What is sent after its end arrives after it.
      for (const path of ['/livez', '/livez']) await server.send({ path, token: null })
      looked.resolve()
      expect((await server.send(read)).status).to.equal(200)
    })
  })

  it('takes no more once as many as there may be are still arriving', () =>
    crowded(async ({ server, release }) => {
      release()
      const slow = [slowly(server, 'all'), slowly(server, 'another')]
      expect((await untilRefused(server, { ...read, token: 'third' })).status).to.equal(503)
      for (const one of slow) one.finish()
      expect(await Promise.all(slow.map(({ got }) => got))).to.deep.equal([201, 201])
      expect((await server.send({ ...read, token: 'third' })).status).to.equal(200)
    }))

  it('lets one client have so many streams and no more, and another its own', () =>
    crowded(async ({ server, release }) => {
      const stream = async (token: string): Promise<number> => {
        const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
        const request = httpRequest({ host: '127.0.0.1', port: server.port, path: '/v1/events', headers }).end()
        const [response] = (await once(request, 'response')) as [IncomingMessage]
        return response.resume().statusCode ?? 0
      }
      const statuses: number[] = []
      for (let nth = 0; nth < 9; nth += 1) statuses.push(await stream('all'))
      expect(statuses).to.deep.equal([...Array.from({ length: 8 }, () => 200), 429])
      expect(await stream('another')).to.equal(200)
      release()
      while ((await stream('all')) !== 200); // until one of them has ended
    }))

  it('does not count streams, whose number is a bound of its own', () =>
    crowded(async ({ server, release }) => {
      release()
      const { got, inside } = await turnedAway(server, { path: '/v1/events', headers: { accept: 'text/event-stream' } })
      expect([got.status, (await inside).status]).to.deep.equal([200, 200])
    }))
})
