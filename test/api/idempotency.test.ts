import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Allocation } from '../../shared/allocation.ts'
import { pageOf } from '../../shared/text.ts'
import type { ApiClient, Got } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, allocationBody, approvalBody, approve, days, freshId, look, reaches, release } from './requests.ts'

const isReplay = (got: Got): boolean => got.headers.get('idempotent-replayed') === 'true'

describe('an Idempotency-Key', () => {
  let broker: TestBroker
  let platform: ApiClient
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker()
    platform = await broker.as('platform')
  })
  after(() => broker.stop())

  const withKey = (key: string) => ({ 'idempotency-key': key })
  const create = (key: string, body: object, client: ApiClient = platform) =>
    client.post('/v1/allocations', body, withKey(key))
  const countOf = async (approvalId: string): Promise<number> =>
    (await platform.get(`/v1/allocations?approvalId=${approvalId}`)).as(200, pageOf(Allocation)).items.length

  it('replays the first answer, and makes nothing a second time', async () => {
    const approval = await approve(platform)
    const key = freshId('key')
    const first = await create(key, allocationBody(approval))
    const second = await create(key, allocationBody(approval))
    expect([isReplay(first), isReplay(second)]).to.deep.equal([false, true])
    expect([second.status, second.text]).to.deep.equal([first.status, first.text])
    for (const name of ['etag', 'location', 'content-type']) {
      expect(second.headers.get(name), name).to.equal(first.headers.get(name))
    }
    expect(await countOf(approval)).to.equal(1)
  })

  it('replays the first answer although what it told of has changed since', async () => {
    const approval = await approve(platform)
    const key = freshId('key')
    const first = await create(key, allocationBody(approval))
    await release(platform, first.as(201, Allocation).id)
    expect((await create(key, allocationBody(approval))).as(201, Allocation).status).to.equal('scheduled')
  })

  it('is known by what is asked for, not by how it is written', async () => {
    const approval = await approve(platform)
    const key = freshId('key')
    const body = allocationBody(approval)
    const first = await create(key, body)
    const turned = JSON.stringify(Object.fromEntries(Object.entries(body).toReversed()), null, 2)
    const headers = { 'content-type': 'application/json; charset=utf-8', ...withKey(key) }
    const second = await platform.send('POST', '/v1/allocations', { headers, body: turned })
    expect([isReplay(second), second.headers.get('location')]).to.deep.equal([true, first.headers.get('location')])
  })

  it('with another body, or at another path, is refused', async () => {
    const approval = await approve(platform)
    const key = freshId('key')
    const { id } = (await create(key, allocationBody(approval))).as(201, Allocation)
    ;(await create(key, allocationBody(approval, { name: 'another' }))).problem('idempotency-key-reused')
    const elsewhere = await platform.post(`/v1/allocations/${id}/release`, undefined, withKey(key))
    elsewhere.problem('idempotency-key-reused')
    expect([await countOf(approval), (await look(platform, id)).status]).to.deep.equal([1, 'scheduled'])
  })

  it('replays a refusal for want of capacity, although there is room by now', async () => {
    const approval = await approve(platform)
    const full = {
      requires: { providers: ['kakao'] },
      demand: { nodes: 255 },
      period: { start: days(9), end: days(10) },
    }
    const blocker = await allocate(platform, approval, full)
    const key = freshId('key')
    const body = allocationBody(approval, { ...full, ifUnavailable: 'reject' })
    const first = await create(key, body)
    await release(platform, blocker.id)
    const second = await create(key, body)
    expect(second.problem('no-capacity')).to.deep.equal(first.problem('no-capacity'))
    expect([isReplay(first), isReplay(second)]).to.deep.equal([false, true])
    expect((await create(freshId('key'), body)).status).to.equal(201)
  })

  it('replays a refusal of an unknown approval, although it is known by now', async () => {
    const approval = freshId('apr')
    const key = freshId('key')
    const first = await create(key, allocationBody(approval))
    await platform.put(`/v1/approvals/${approval}`, approvalBody())
    const second = await create(key, allocationBody(approval))
    expect(second.problem('approval-unknown')).to.deep.equal(first.problem('approval-unknown'))
    expect(isReplay(second)).to.equal(true)
  })

  it('replays an action', async () => {
    const approval = await approve(platform)
    const { id } = await allocate(platform, approval, { period: { durationHours: 1 } })
    await reaches(platform, id, 'active')
    const key = freshId('key')
    const first = await platform.post(`/v1/allocations/${id}/release`, { reason: 'finished' }, withKey(key))
    await reaches(platform, id, 'released')
    const second = await platform.post(`/v1/allocations/${id}/release`, { reason: 'finished' }, withKey(key))
    expect([second.status, second.text]).to.deep.equal([first.status, first.text])
    const revoke = () => platform.post(`/v1/approvals/${approval}/revoke`, undefined, withKey(`${key}-revoke`))
    const revocations = [await revoke(), await revoke()]
    expect(revocations.map(isReplay)).to.deep.equal([false, true])
    expect(revocations[1]?.text).to.equal(revocations[0]?.text)
  })

  describe('stays unused', () => {
    it('by a request that is not valid, whoever finds that out', async () => {
      const approval = await approve(platform)
      const key = freshId('key')
      ;(await create(key, allocationBody(approval, { colour: 'blue' }))).problem('invalid-request')
      const past = { period: { start: days(-2), end: days(2) } }
      ;(await create(key, allocationBody(approval, past))).problem('invalid-request')
      const right = await create(key, allocationBody(approval))
      expect([right.status, isReplay(right)]).to.deep.equal([201, false])
    })

    it('by a caller without a token, without the scope, or of something unknown', async () => {
      const { id } = await allocate(platform, await approve(platform))
      const key = freshId('key')
      const path = `/v1/allocations/${id}/release`
      ;(await broker.withToken(null).post(path, undefined, withKey(key))).problem('unauthorized')
      ;(await (await broker.as('sre')).post(path, undefined, withKey(key))).problem('insufficient-scope')
      const unknown = '/v1/allocations/alc_aaaaaaaaaaaaaaaa/release'
      ;(await platform.post(unknown, undefined, withKey(key))).problem('not-found')
      expect(isReplay(await platform.post(path, undefined, withKey(key)))).to.equal(false)
    })

    it('by a change to a version that has passed', async () => {
      const { id } = await allocate(platform, await approve(platform))
      const key = freshId('key')
      const path = `/v1/allocations/${id}/release`
      ;(await platform.post(path, undefined, { ...withKey(key), 'if-match': '"99"' })).problem('stale')
      const done = await platform.post(path, undefined, withKey(key))
      expect([done.status, isReplay(done)]).to.deep.equal([202, false])
    })
  })

  it('belongs to the client that sent it', async () => {
    const approval = await approve(platform)
    const key = freshId('key')
    const body = allocationBody(approval)
    const answers = [await create(key, body), await create(key, body, await broker.as('opaque'))]
    expect(answers.map(isReplay)).to.deep.equal([false, false])
    expect(await countOf(approval)).to.equal(2)
  })

  it('is replayed by a broker that was started again on the same store', async () => {
    const approval = await approve(platform)
    const key = freshId('key')
    const refusedKey = freshId('key')
    const first = await create(key, allocationBody(approval))
    const refused = await create(refusedKey, allocationBody(freshId('apr')))
    const refusedBody = allocationBody(String(refused.problem('approval-unknown')['approvalId']))
    await broker.restart()
    const second = await create(key, allocationBody(approval))
    expect([second.status, second.text]).to.deep.equal([first.status, first.text])
    expect([isReplay(second), second.etag()]).to.deep.equal([true, first.etag()])
    const refusedAgain = await create(refusedKey, refusedBody)
    expect(refusedAgain.problem('approval-unknown')).to.deep.equal(refused.problem('approval-unknown'))
    expect([isReplay(refusedAgain), await countOf(approval)]).to.deep.equal([true, 1])
  })

  it('that is none is refused', async () => {
    const approval = await approve(platform)
    for (const key of ['', 'a b', 'x'.repeat(256)]) {
      ;(await create(key, allocationBody(approval))).problem('invalid-request')
    }
    expect((await create('x'.repeat(255), allocationBody(approval))).status).to.equal(201)
    expect(await countOf(approval)).to.equal(1)
  })
})
