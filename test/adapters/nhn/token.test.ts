import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import nock from 'nock'
import { errorOf } from '../rejection.ts'
import {
  COMPUTE,
  IDENTITY,
  PASSWORD,
  SERVERS,
  TENANT,
  aCall,
  aProvider,
  forgetAnswers,
  switchNetworkOff,
  switchNetworkOn,
  tokenBody,
} from './support.ts'

const HOUR_MS = 3_600_000
/** When the token of the documents' example was issued. */
const ISSUED_AT = Date.parse('2026-11-23T03:32:28Z')

/** Answers tokens `token-1`, `token-2`, … each good for twelve hours; counts how many were asked for. */
function countTokens(): { asked: number } {
  const counter = { asked: 0 }
  nock(IDENTITY)
    .persist()
    .post('/v2.0/tokens')
    .reply(200, () => {
      counter.asked += 1
      return tokenBody({ id: `token-${counter.asked}` })
    })
  return counter
}

/** Answers pings made with one of these tokens, and 401 to all others. */
function acceptOnly(...tokens: readonly string[]): { pings: string[] } {
  const seen: { pings: string[] } = { pings: [] }
  nock(COMPUTE)
    .persist()
    .get(SERVERS)
    .query(true)
    .reply(function answer() {
      const token = String(this.req.headers['x-auth-token'])
      seen.pings.push(token)
      return tokens.includes(token) ? [200, { servers: [] }] : [401, 'Authentication required']
    })
  return seen
}

describe('the NHN token', () => {
  before(switchNetworkOff)
  after(switchNetworkOn)
  afterEach(forgetAnswers)

  it('is asked for with tenant, user and API password, and sent with every call', async () => {
    nock(IDENTITY)
      .post('/v2.0/tokens', {
        auth: { tenantId: TENANT, passwordCredentials: { username: 'broker@agency.example', password: PASSWORD } },
      })
      .reply(200, tokenBody({ id: 'token-1' }))
    const seen = acceptOnly('token-1')
    const provider = aProvider()
    await provider.ping(aCall())
    await provider.ping(aCall())
    expect(seen.pings).to.deep.equal(['token-1', 'token-1'])
  })

  it('is asked for once however many calls wait for it', async () => {
    const tokens = countTokens()
    acceptOnly('token-1')
    const provider = aProvider()
    await Promise.all(Array.from({ length: 20 }, () => provider.ping(aCall())))
    expect(tokens.asked).to.equal(1)
  })

  it('is renewed ahead of its expiry', async () => {
    const tokens = countTokens()
    const seen = acceptOnly('token-1', 'token-2')
    let now = ISSUED_AT
    const provider = aProvider({ now: () => now })
    const call = (): ReturnType<typeof aCall> => aCall({ deadlineAt: now + 5_000 })
    await provider.ping(call())
    now += 11 * HOUR_MS + 45 * 60_000
    await provider.ping(call())
    now += 8 * 60_000
    await provider.ping(call())
    expect(seen.pings).to.deep.equal(['token-1', 'token-1', 'token-2'])
    expect(tokens.asked).to.equal(2)
  })

  it('lives as long as the operator says, whatever our clock shows', async () => {
    const tokens = countTokens()
    acceptOnly('token-1')
    const now = Date.parse('2031-01-01T00:00:00Z')
    const provider = aProvider({ now: () => now })
    await provider.ping(aCall({ deadlineAt: now + 5_000 }))
    await provider.ping(aCall({ deadlineAt: now + 5_000 }))
    expect(tokens.asked).to.equal(1)
  })

  it('goes on being used while its renewal fails', async () => {
    let now = ISSUED_AT
    nock(IDENTITY)
      .post('/v2.0/tokens')
      .reply(200, tokenBody({ id: 'token-1' }))
    const renewal = nock(IDENTITY).post('/v2.0/tokens').reply(503, 'down')
    const seen = acceptOnly('token-1')
    const provider = aProvider({ now: () => now })
    await provider.ping(aCall({ deadlineAt: now + 5_000 }))
    now += 11 * HOUR_MS + 55 * 60_000
    await provider.ping(aCall({ deadlineAt: now + 5_000 }))
    await provider.ping(aCall({ deadlineAt: now + 5_000 })) // asks for none: the renewal has just failed
    expect(renewal.isDone()).to.equal(true)
    expect(seen.pings).to.deep.equal(['token-1', 'token-1', 'token-1'])
  })

  it('is replaced once, and the call repeated, when the operator refuses it early', async () => {
    const tokens = countTokens()
    const seen = acceptOnly('token-2')
    await aProvider().ping(aCall())
    expect(seen.pings).to.deep.equal(['token-1', 'token-2'])
    expect(tokens.asked).to.equal(2)
  })

  it('is replaced once for all calls that it was refused to at the same time', async () => {
    const tokens = countTokens()
    const seen = acceptOnly('token-2')
    const provider = aProvider()
    await Promise.all(Array.from({ length: 8 }, () => provider.ping(aCall())))
    expect(tokens.asked).to.equal(2)
    expect(seen.pings).to.have.length(16)
  })

  it('is not asked for again and again when every new one is refused', async () => {
    const tokens = countTokens()
    acceptOnly()
    const error = await errorOf(aProvider().ping(aCall()))
    expect(error).to.include({ kind: 'unauthenticated', effect: 'none' })
    expect(tokens.asked).to.equal(2)
  })

  for (const { status, body } of [
    { status: 401, body: { error: { code: 401, title: 'Unauthorized', message: 'Could not find user: x' } } },
    { status: 403, body: { error: { code: 403, title: 'Forbidden', message: 'You are not authorized' } } },
    { status: 400, body: { error: { code: 400, title: 'Bad Request', message: 'Expecting to find auth' } } },
    { status: 404, body: 'no such page' },
  ])
    it(`means unauthenticated when it is refused with ${status}`, async () => {
      nock(IDENTITY).post('/v2.0/tokens').reply(status, body)
      const error = await errorOf(aProvider().ping(aCall()))
      expect(error).to.include({ kind: 'unauthenticated', effect: 'none' })
    })

  it('never shows the password, even when the operator quotes it', async () => {
    nock(IDENTITY)
      .post('/v2.0/tokens')
      .reply(401, { error: { code: 401, title: 'Unauthorized', message: `wrong password ${PASSWORD}` } })
    const error = await errorOf(aProvider().ping(aCall()))
    expect(`${error.message} ${error.stack}`).to.not.include(PASSWORD)
    expect(error.providerMessage).to.equal('wrong password ***')
  })

  for (const { what, status, body, kind } of [
    { what: 'the identity service is down', status: 503, body: 'down', kind: 'unreachable' },
    { what: 'the identity service throttles', status: 429, body: '', kind: 'throttled' },
    { what: 'the answer is a page', status: 200, body: '<html>', kind: 'malformed' },
    { what: 'the answer has no token', status: 200, body: { access: {} }, kind: 'malformed' },
  ])
    it(`leaves a create without effect when ${what}`, async () => {
      nock(IDENTITY).post('/v2.0/tokens').reply(status, body)
      const error = await errorOf(aProvider().deleteNodes({ clusterId: 'c', providerInstanceIds: ['a'] }, aCall()))
      expect(error).to.include({ kind, effect: 'none' })
    })

  it('is waited for no longer than the call lasts, while others go on waiting', async () => {
    const asked = Promise.withResolvers<void>()
    const answered = Promise.withResolvers<void>()
    nock(IDENTITY)
      .post('/v2.0/tokens')
      .reply(200, async () => {
        asked.resolve()
        await answered.promise
        return tokenBody({ id: 'token-1' })
      })
    acceptOnly('token-1')
    const provider = aProvider()
    const caller = new AbortController()
    const impatient = errorOf(provider.ping(aCall({ signal: caller.signal })))
    const patient = provider.ping(aCall())
    await asked.promise
    caller.abort()
    expect(await impatient).to.include({ kind: 'unreachable', effect: 'none' })
    answered.resolve()
    await patient
  })
})
