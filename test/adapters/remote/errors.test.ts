import { expect } from 'chai'
import { describe, it } from 'mocha'
import nock from 'nock'
import { PROVIDER_ERROR_KINDS } from '../../../shared/provider-error.ts'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import { FILTER, HOST, OWNER, SECRET, aCall, aGroup, aProvider, identityAnswers } from './support.ts'

const GROUP = `/gpu/v1/groups/${OWNER.group}`

const createAnswered = (status: number, body: object | string, headers: Record<string, string> = {}): void => {
  identityAnswers()
  nock(HOST).persist().put(GROUP).reply(status, body, headers)
}

describe('errors of a remote provider', () => {
  onlyPreparedAnswers()

  for (const kind of PROVIDER_ERROR_KINDS) {
    for (const effect of ['none', 'maybe'] as const) {
      it(`come as the operator names them, with its code and words: ${kind}, effect ${effect}`, async () => {
        createAnswered(422, { kind, effect, code: 'OP-17', detail: '자원이 부족합니다', retryAfterMs: 1_500 })
        const error = await rejectionOf(kind, aProvider().createNodes(aGroup(), aCall()))
        expect(error).to.include({
          effect,
          code: 'OP-17',
          providerMessage: '자원이 부족합니다',
          retryAfterMs: 1_500,
        })
      })
    }
  }

  for (const [status, kind, effect] of [
    [302, 'malformed', 'maybe'],
    [400, 'refused', 'none'],
    [401, 'unauthenticated', 'none'],
    [403, 'unauthenticated', 'none'],
    [404, 'not-found', 'none'],
    [408, 'unreachable', 'maybe'],
    [409, 'busy', 'none'],
    [429, 'throttled', 'none'],
    [500, 'unreachable', 'maybe'],
    [503, 'unreachable', 'maybe'],
  ] as const) {
    it(`are read by the status where a gateway answers ${status}: ${kind}, effect ${effect}`, async () => {
      createAnswered(status, '<html>gateway</html>')
      const error = await rejectionOf(kind, aProvider().createNodes(aGroup(), aCall()))
      expect(error).to.include({ effect, code: String(status), providerMessage: null, retryAfterMs: null })
    })
  }

  it('are read by the status where a problem document lacks what the contract asks for', async () => {
    createAnswered(503, { title: 'Unavailable', kind: 'a-tenth-kind', effect: 'none' }, { 'retry-after': '7' })
    const error = await rejectionOf('unreachable', aProvider().createNodes(aGroup(), aCall()))
    expect(error).to.include({ effect: 'maybe', retryAfterMs: 7_000 })
  })

  it('claim no effect of a read, whatever the operator says', async () => {
    identityAnswers()
    nock(HOST).get('/gpu/v1/nodes').query(true).reply(500, { kind: 'unreachable', effect: 'maybe' })
    expect((await rejectionOf('unreachable', aProvider().listNodes(FILTER, aCall()))).effect).to.equal('none')
  })

  it('show neither token nor secret, although the operator repeats them', async () => {
    createAnswered(400, { kind: 'refused', effect: 'none', code: SECRET, detail: `Bearer token-1 and ${SECRET}` })
    const { code, providerMessage } = await rejectionOf('refused', aProvider().createNodes(aGroup(), aCall()))
    expect([code, providerMessage]).to.deep.equal(['***', 'Bearer *** and ***'])
  })

  it('are malformed, maybe done, where a create is answered with something else', async () => {
    createAnswered(200, { nodes: 'two' })
    const error = await rejectionOf('malformed', aProvider().createNodes(aGroup(), aCall()))
    expect(error.effect).to.equal('maybe')
  })
})
