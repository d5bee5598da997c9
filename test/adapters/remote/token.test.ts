import { expect } from 'chai'
import { describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import {
  type Clock,
  HOST,
  NOW,
  SECRET,
  aCall,
  aProvider,
  identityAnswers,
  identityExpects,
  identityFails,
  identityRefuses,
} from './support.ts'

const pingWith = (token: string, status = 200) =>
  nock(HOST).get('/gpu/v1/ping').matchHeader('authorization', `Bearer ${token}`).reply(status, {})

describe('the token of a remote provider', () => {
  onlyPreparedAnswers()

  it('is had by the client-credentials grant, with the configured parameters and the secret by HTTP Basic', async () => {
    const identity = identityExpects()
    const ping = pingWith('the-token')
    await aProvider().ping(aCall())
    identity.done()
    ping.done()
  })

  it('is asked for once by any number of calls at once', async () => {
    const identity = identityAnswers()
    nock(HOST).persist().get('/gpu/v1/ping').reply(200, {})
    const provider = aProvider()
    await Promise.all(Array.from({ length: 8 }, () => provider.ping(aCall())))
    expect(identity.asked).to.equal(1)
  })

  it('is renewed a minute ahead of the end of its hour', async () => {
    const identity = identityAnswers()
    nock(HOST).persist().get('/gpu/v1/ping').reply(200, {})
    const clock: Clock = { now: NOW }
    const provider = aProvider({ clock })
    const pingAt = async (now: number): Promise<number> => {
      clock.now = now
      await provider.ping(aCall({ deadlineAt: now + 5_000 }))
      return identity.asked
    }
    expect(await pingAt(NOW)).to.equal(1)
    expect(await pingAt(NOW + 3_539_000)).to.equal(1)
    expect(await pingAt(NOW + 3_540_000)).to.equal(2)
  })

  it('is replaced once when the operator refuses it early, and the call made again', async () => {
    identityAnswers()
    pingWith('token-1', 401)
    const again = pingWith('token-2')
    await aProvider().ping(aCall())
    again.done()
  })

  it('is not replaced for ever', async () => {
    const identity = identityAnswers()
    nock(HOST).persist().get('/gpu/v1/ping').reply(401, {})
    expect((await rejectionOf('unauthenticated', aProvider().ping(aCall()))).effect).to.equal('none')
    expect(identity.asked).to.equal(2)
  })

  for (const [status, kind] of [
    [400, 'unauthenticated'],
    [401, 'unauthenticated'],
    [403, 'unauthenticated'],
    [429, 'throttled'],
    [503, 'unreachable'],
    [200, 'malformed'],
  ] as const) {
    it(`is missing as ${kind} where the request for it is answered ${status}, without the secret`, async () => {
      const challenge: Record<string, string> = status === 401 ? { 'www-authenticate': 'Basic realm="x"' } : {}
      identityRefuses(status, { error: 'invalid_client', error_description: SECRET }, challenge)
      const error = await rejectionOf(kind, aProvider().ping(aCall()))
      expect(error.effect).to.equal('none')
      expect(`${error.message} ${error.code} ${error.providerMessage} ${String(error.cause)}`).not.to.include(SECRET)
    })
  }

  it('is missing as unreachable where nothing answers, and is asked for again by the next call', async () => {
    identityFails()
    const provider = aProvider()
    expect((await rejectionOf('unreachable', provider.ping(aCall()))).effect).to.equal('none')
    identityAnswers()
    pingWith('token-1')
    await provider.ping(aCall())
  })

  it('is not even asked for when the call has ended', async () => {
    const provider = aProvider()
    await rejectionOf('unreachable', provider.ping(aCall({ signal: AbortSignal.abort() })))
    await rejectionOf('unreachable', provider.ping(aCall({ deadlineAt: NOW })))
  })
})
