import { expect } from 'chai'
import { describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import { type Clock, HOST, NOW, SECRET, aCall, aProvider, iamAnswers, listPath } from './support.ts'

const FILTER = { installationId: 'ins_abcdefghijklmnop' }
const EMPTY = { instances: [], pagination: { total: 0, offset: 0, limit: 1_000 } }

const listWith = (token: string, status: number, body: object = EMPTY): nock.Scope =>
  nock(HOST.bcs).get(listPath).query(true).matchHeader('x-auth-token', token).reply(status, body)

describe('the token of kakao', () => {
  onlyPreparedAnswers()

  it('is asked for with the application credential and sent with every call, as is the content type', async () => {
    nock(HOST.iam)
      .post('/identity/v3/auth/tokens', {
        auth: {
          identity: {
            methods: ['application_credential'],
            application_credential: { id: 'the-key-id', secret: SECRET },
          },
        },
      })
      .reply(200, { token: { expires_at: '2026-12-01T12:00:00.000000Z' } }, { 'x-subject-token': 'lower-case' })
    const list = nock(HOST.bcs)
      .get(listPath)
      .query(true)
      .matchHeader('x-auth-token', 'lower-case')
      .matchHeader('content-type', 'application/json')
      .reply(200, EMPTY)
    await aProvider().listNodes(FILTER, aCall())
    list.done()
  })

  it('is asked for once by any number of calls at once', async () => {
    const iam = iamAnswers()
    nock(HOST.bcs).persist().get(listPath).query(true).reply(200, EMPTY)
    const provider = aProvider()
    await Promise.all(Array.from({ length: 8 }, () => provider.listNodes(FILTER, aCall())))
    expect(iam.asked).to.equal(1)
  })

  for (const { lifeMs, kept, renewed } of [
    { lifeMs: 43_200_000, kept: 42_899_000, renewed: 42_900_000 }, // 12 h: five minutes before
    { lifeMs: 1_000_000, kept: 899_000, renewed: 900_000 }, // short: a tenth before
  ]) {
    it(`is renewed ahead of the end of a life of ${lifeMs} ms`, async () => {
      const clock: Clock = { now: NOW }
      const iam = iamAnswers({ lifeMs, clock })
      nock(HOST.bcs).persist().get(listPath).query(true).reply(200, EMPTY)
      const provider = aProvider({ clock })
      const list = () => provider.listNodes(FILTER, aCall({ deadlineAt: clock.now + 5_000 }))
      await list()
      clock.now = NOW + kept
      await list()
      expect(iam.asked).to.equal(1)
      clock.now = NOW + renewed
      await list()
      expect(iam.asked).to.equal(2)
    })
  }

  it('measures its life on the clock of the operator', async () => {
    const operators: Clock = { now: NOW - 3_600_000 }
    const iam = iamAnswers({ lifeMs: 1_800_000, clock: operators })
    nock(HOST.bcs).persist().get(listPath).query(true).reply(200, EMPTY)
    const provider = aProvider()
    await provider.listNodes(FILTER, aCall())
    await provider.listNodes(FILTER, aCall())
    expect(iam.asked).to.equal(1)
  })

  it('is renewed once when a call is refused with 401, and the call made again', async () => {
    const iam = iamAnswers()
    listWith('token-1', 401, { error: { code: 'Unauthorized', message: 'expired' } })
    listWith('token-2', 200)
    expect(await aProvider().listNodes(FILTER, aCall())).to.deep.equal([])
    expect(iam.asked).to.equal(2)
  })

  it('is not renewed a second time for one call', async () => {
    const iam = iamAnswers()
    listWith('token-1', 401)
    listWith('token-2', 401, { error: { code: 'Unauthorized', message: 'role revoked' } })
    const error = await rejectionOf('unauthenticated', aProvider().listNodes(FILTER, aCall()))
    expect(error.effect).to.equal('none')
    expect(error.code).to.equal('Unauthorized')
    expect(iam.asked).to.equal(2)
  })

  it('is not renewed for a 403, which is a matter of roles', async () => {
    const iam = iamAnswers()
    listWith('token-1', 403, { error: { code: 'Forbidden', message: 'policy does not allow it' } })
    const error = await rejectionOf('unauthenticated', aProvider().listNodes(FILTER, aCall()))
    expect(error.effect).to.equal('none')
    expect(iam.asked).to.equal(1)
  })

  it('is unauthenticated where the key is not accepted, and never shows the key', async () => {
    nock(HOST.iam)
      .post('/identity/v3/auth/tokens')
      .reply(401, { error: { code: 401, message: `no credential with ${SECRET}`, title: 'Unauthorized' } })
    const error = await rejectionOf('unauthenticated', aProvider().listNodes(FILTER, aCall()))
    expect(error.effect).to.equal('none')
    expect(error.code).to.equal('401')
    expect(`${error.message} ${error.providerMessage} ${error.code}`).to.not.include(SECRET)
  })

  it('never shows itself where the operator repeats it', async () => {
    iamAnswers()
    listWith('token-1', 400, { error: { code: 'bad token-1', message: 'what is token-1?' } })
    const error = await rejectionOf('refused', aProvider().listNodes(FILTER, aCall()))
    expect(error.providerMessage).to.equal('what is ***?')
    expect(error.code).to.equal('bad ***')
  })

  for (const [what, headers, body] of [
    ['no X-Subject-Token', {}, { token: { expires_at: '2026-12-01T12:00:00Z' } }],
    ['no end', { 'x-subject-token': 't' }, { token: {} }],
    ['an end that is no time', { 'x-subject-token': 't' }, { token: { expires_at: 'soon' } }],
  ] as const) {
    it(`is malformed with ${what}`, async () => {
      nock(HOST.iam).post('/identity/v3/auth/tokens').reply(201, body, headers)
      const error = await rejectionOf('malformed', aProvider().listNodes(FILTER, aCall()))
      expect(error.effect).to.equal('none')
    })
  }

  it('is not lost to the others when the caller who asked first gives up', async () => {
    let release = (): void => expect.fail('nobody asked for a token')
    const asked = new Promise<void>((heard) => {
      nock(HOST.iam)
        .post('/identity/v3/auth/tokens')
        .reply(
          201,
          async () => {
            heard()
            await new Promise<void>((resolve) => {
              release = resolve
            })
            return { token: { expires_at: '2026-12-01T12:00:00Z' } }
          },
          { 'x-subject-token': 'token-1' },
        )
    })
    listWith('token-1', 200)
    const provider = aProvider()
    const impatient = new AbortController()
    const first = provider.listNodes(FILTER, aCall({ signal: impatient.signal }))
    const second = provider.listNodes(FILTER, aCall())
    await asked
    impatient.abort()
    expect(await rejectionOf('unreachable', first)).to.include({ effect: 'none', code: 'ABORTED' })
    release()
    expect(await second).to.deep.equal([])
  })

  it('is waited for up to the deadline of each caller', async () => {
    nock(HOST.iam).post('/identity/v3/auth/tokens').delay(2_000).reply(201, {})
    const error = await rejectionOf('unreachable', aProvider().listNodes(FILTER, aCall({ deadlineAt: NOW + 30 })))
    expect(error).to.include({ effect: 'none', code: 'DEADLINE' })
  })

  it('is not asked for once the caller has gone or the deadline has passed', async () => {
    const iam = iamAnswers()
    const provider = aProvider()
    const gone = await rejectionOf('unreachable', provider.listNodes(FILTER, aCall({ signal: AbortSignal.abort() })))
    const late = await rejectionOf('unreachable', provider.listNodes(FILTER, aCall({ deadlineAt: NOW - 1 })))
    expect([gone.code, late.code]).to.deep.equal(['ABORTED', 'DEADLINE'])
    expect(iam.asked).to.equal(0)
  })

  it('is checked by a ping, which renews one that the operator no longer knows', async () => {
    const iam = iamAnswers()
    const check = (token: string, status: number): nock.Scope =>
      nock(HOST.iam)
        .get('/identity/v3/auth/tokens')
        .matchHeader('x-auth-token', token)
        .matchHeader('x-subject-token', token)
        .reply(status, {})
    check('token-1', 404)
    const second = check('token-2', 200)
    await aProvider().ping(aCall())
    second.done()
    expect(iam.asked).to.equal(2)
  })
})
