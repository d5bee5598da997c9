import { type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { errors } from 'jose'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createKeySet } from '../../broker/http/key-set.ts'
import { type ForgingIssuer, startForgingIssuer } from '../support/forging-issuer.ts'
import { until } from '../support/api-client.ts'
import { refusalFrom } from '../support/refusal-of.ts'

const TOKEN = { payload: '', signature: '' }

describe('the key set', () => {
  let issuer: ForgingIssuer
  let nowMs: number
  let failures: unknown[]
  beforeEach(async () => {
    issuer = await startForgingIssuer()
    nowMs = 1_000_000
    failures = []
  })
  afterEach(() => issuer.close())

  const keySet = (url: string) =>
    createKeySet({ url: async () => new URL(url), now: () => nowMs, onFailure: (cause) => void failures.push(cause) })
  const known = { alg: 'ES256', kid: 'the-key' }
  const unknown = { alg: 'ES256', kid: 'made-up' }

  const notFound = (asking: unknown): Promise<unknown> =>
    Promise.resolve(asking).then(
      () => expect.fail('a key was found'),
      (error: unknown) => expect(error).to.be.instanceOf(errors.JWKSNoMatchingKey),
    )

  it('is fetched once for all who ask at the same time', async () => {
    const keys = keySet(`${issuer.url}/jwks`)
    await Promise.all([keys(known, TOKEN), keys(known, TOKEN), keys(known, TOKEN)])
    await keys(known, TOKEN)
    expect(issuer.keyRequests()).to.equal(1)
  })

  it('is fetched again after half a minute', async () => {
    const keys = keySet(`${issuer.url}/jwks`)
    await keys(known, TOKEN)
    nowMs += 29_000
    await keys(known, TOKEN)
    expect(issuer.keyRequests()).to.equal(1)
    nowMs += 1_000
    await keys(known, TOKEN)
    expect(issuer.keyRequests()).to.equal(2)
  })

  it('is waited for once where the issuer has it no more, and then used as it is known', async () => {
    const held: ServerResponse[] = []
    const server = createServer((_request, response) => {
      if (held.push(response) === 1) response.end(JSON.stringify({ keys: [issuer.publicKey] }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo // listening on TCP
    const keys = keySet(`http://127.0.0.1:${port}/`)
    try {
      await keys(known, TOKEN)
      nowMs += 30_000
      const waiting = Promise.resolve(keys(known, TOKEN))
      await until(
        async () => held.length,
        (length) => length === 2,
      )
      held[1]?.destroy()
      await waiting
      expect(failures).to.have.length(1)
      nowMs += 1_000
      await keys(known, TOKEN) // though this one is never answered
      await until(
        async () => held.length,
        (length) => length === 3,
      )
    } finally {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  })

  it('is fetched for unknown keys once in 30 seconds, however many are made up', async () => {
    const keys = keySet(`${issuer.url}/jwks`)
    await keys(known, TOKEN)
    for (let n = 0; n < 5; n += 1) await notFound(keys(unknown, TOKEN))
    expect(issuer.keyRequests()).to.equal(2)
    nowMs += 29_000
    for (let n = 0; n < 5; n += 1) await notFound(keys(unknown, TOKEN))
    expect(issuer.keyRequests()).to.equal(2)
    nowMs += 1_000
    await Promise.all(Array.from({ length: 5 }, () => notFound(keys(unknown, TOKEN))))
    expect(issuer.keyRequests()).to.equal(3)
  })

  it('is asked for a new key at once, for all who bring it, though it was fetched a moment ago', async () => {
    const keys = keySet(`${issuer.url}/jwks`)
    await keys(known, TOKEN)
    issuer.renameKey('the-next-key')
    const next = { ...known, kid: 'the-next-key' }
    await Promise.all([keys(next, TOKEN), keys(next, TOKEN), keys(next, TOKEN)])
    expect(issuer.keyRequests()).to.equal(2)
  })

  it('is asked for once a second while it cannot be had', async () => {
    const keys = keySet(`${issuer.url}/jwks`)
    await issuer.close()
    for (let n = 0; n < 5; n += 1)
      expect((await refusalFrom(Promise.resolve(keys(known, TOKEN)))).code).to.equal('unavailable')
    expect(failures).to.have.length(1)
    nowMs += 1_000
    await refusalFrom(Promise.resolve(keys(known, TOKEN)))
    expect(failures).to.have.length(2)
  })

  it('tells whether the issuer answers, and asks again four times a minute while somebody wants to know', async () => {
    const keys = keySet(`${issuer.url}/jwks`)
    expect(keys.state()).to.equal('not asked yet')
    await keys(known, TOKEN)
    expect(keys.state()).to.equal('ok')
    await issuer.close()
    expect(keys.state(), 'as it was found').to.equal('ok')
    nowMs += 15_000
    keys.state()
    await until(
      async () => failures.length,
      (length) => length === 1,
    )
    expect(keys.state()).to.equal('no answer')
    expect(await keys(known, TOKEN), 'and known keys go on').not.to.equal(undefined)
  })

  const bad: readonly [string, (response: ServerResponse) => void][] = [
    ['of another shape', (response) => response.end('{"keys": 1}')],
    ['that is not JSON', (response) => response.end('<html>')],
    ['that is an error', (response) => response.writeHead(500).end('{"keys": []}')],
    ['that is somewhere else', (response) => response.writeHead(302, { location: issuer.url }).end()],
    ['that is too large', (response) => response.end(`{"keys": [], "x": "${'x'.repeat(300 * 1024)}"}`)],
  ]
  for (const [rule, answer] of bad) {
    it(`does not take an answer ${rule}`, async () => {
      const server = createServer((_request, response) => answer(response))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo // listening on TCP
      const refusal = await refusalFrom(Promise.resolve(keySet(`http://127.0.0.1:${port}/`)(known, TOKEN)))
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      expect(refusal.code).to.equal('unavailable')
      expect(failures).to.have.length(1)
    })
  }
})
