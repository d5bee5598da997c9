import { expect } from 'chai'
import { beforeEach, describe, it } from 'mocha'
import nock from 'nock'
import { onlyPreparedAnswers } from '../prepared-answers.ts'
import { rejectionOf } from '../rejection.ts'
import { HOST, NODE, aCall, aProvider, iamAnswers, listPath } from './support.ts'

const removal = (n: number, status: number, body: object | string = ''): nock.Scope =>
  nock(HOST.bcs)
    .delete(`${listPath}/${NODE(n)}`)
    .reply(status, body)

const remove = (...ids: readonly string[]): Promise<void> =>
  aProvider().deleteNodes({ clusterId: 'kakao-b200-255', providerInstanceIds: ids }, aCall())

describe('deleteNodes of kakao', () => {
  onlyPreparedAnswers()
  beforeEach(() => {
    iamAnswers()
  })

  it('takes any 2xx, with whatever body, and a node that is gone for done', async () => {
    const scopes = [removal(1, 204), removal(2, 202, 'null'), removal(3, 200, {}), removal(4, 404, '')]
    await remove(NODE(1), NODE(2), NODE(3), NODE(4))
    for (const scope of scopes) scope.done()
  })

  it('asks for each node once, however often it is named', async () => {
    const scope = removal(1, 204)
    await remove(NODE(1), NODE(1))
    scope.done()
  })

  it('sends nothing for what is no id of an instance', async () => {
    await remove('', '..', 'a/b')
  })

  it('asks for all nodes although one cannot go yet, then says busy', async () => {
    removal(1, 409, { error: { code: 'Conflict', message: 'instance is building' } })
    const others = [removal(2, 204), removal(3, 204)]
    const error = await rejectionOf('busy', remove(NODE(1), NODE(2), NODE(3)))
    for (const scope of others) scope.done()
    expect(error).to.include({ effect: 'maybe', retryAfterMs: 2_000, providerMessage: 'instance is building' })
  })

  it('did nothing when the only node cannot go yet', async () => {
    removal(1, 409)
    expect((await rejectionOf('busy', remove(NODE(1)))).effect).to.equal('none')
  })

  it('tells a fault rather than that another node is busy, and asks for the rest all the same', async () => {
    removal(1, 409)
    removal(2, 500)
    const last = removal(3, 204)
    const error = await rejectionOf('unreachable', remove(NODE(1), NODE(2), NODE(3)))
    expect(error.effect).to.equal('maybe')
    last.done()
  })

  it('asks for no more once it is throttled', async () => {
    const ids = Array.from({ length: 40 }, (_, n) => NODE(n + 1))
    let asked = 0
    nock(HOST.bcs)
      .persist()
      .delete(/instances/)
      .reply(() => {
        asked += 1
        return [429, '', { 'Retry-After': '3' }]
      })
    const error = await rejectionOf('throttled', remove(...ids))
    expect(error).to.include({ effect: 'none', retryAfterMs: 3_000 })
    expect(asked).to.be.at.most(8)
  })
})
