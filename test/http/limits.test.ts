import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { ServerOptions } from '../../broker/http/server.ts'
import { type Got, type TestServer, startServer } from '../support/http-server.ts'

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
  /** Two places, one for reads and one for writes; who comes in holds theirs until `release`. */
  async function crowded(use: (server: TestServer, release: () => void) => Promise<void>): Promise<void> {
    const held = Promise.withResolvers<void>()
    const authenticate: ServerOptions['authenticate'] = async () => {
      await held.promise
      return { clientId: 'all', scopes: new Set(['catalog:read']), organizationId: null, providerId: null }
    }
    await served({ authenticate, limits: { ...PLENTY, maxInFlight: 2 } }, (server) => use(server, held.resolve))
  }

  /** Sends until one is turned away, so that all places are known to be taken. */
  async function turnedAway(
    server: TestServer,
    path: string,
    method?: 'POST',
  ): Promise<{ got: Got; let: Promise<Got> }> {
    const two = [1, 2].map(() => server.send({ path, ...(method === undefined ? {} : { method, json: {} }) }))
    const first = await Promise.race(two.map(async (one, index) => ({ index, got: await one })))
    const other = two[1 - first.index]
    if (other === undefined) throw new Error('there are two')
    return { got: first.got, let: other }
  }

  it('ends at the limit: 503 at once, with the time to wait', () =>
    crowded(async (server, release) => {
      const { got, let: admitted } = await turnedAway(server, '/v1/clusters')
      expect([got.status, got.json()['code'], Number(got.headers['retry-after'])]).to.deep.equal([
        503,
        'unavailable',
        5,
      ])
      release()
      expect((await admitted).status).to.equal(200)
    }))

  it('leaves writes their own places when reads have none, and health all', () =>
    crowded(async (server, release) => {
      const reads = await turnedAway(server, '/v1/clusters')
      const writes = await turnedAway(server, '/v1/allocations', 'POST')
      expect([reads.got.status, writes.got.status]).to.deep.equal([503, 503])
      expect((await server.send({ path: '/livez', token: null })).status).to.equal(200)
      release()
      expect([(await reads.let).status, (await writes.let).status]).to.deep.equal([200, 403])
    }))

  it('gives the place to the next once the answer is out', () =>
    crowded(async (server, release) => {
      release()
      for (let nth = 0; nth < 5; nth += 1) {
        expect((await server.send({ path: '/v1/clusters' })).status).to.equal(200)
      }
    }))
})
