import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Allocation, AllocationNode } from '../../shared/allocation.ts'
import { Decision } from '../../shared/decision.ts'
import { pageOf } from '../../shared/text.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { allocate, approve, days, look, reaches, release } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

const requires = { providers: ['kakao'] }
const SECONDS_OF_TURNOVER = 5

describe('extending an allocation', () => {
  let platform: ApiClient
  let approval: string
  before(async () => {
    platform = await sharedBroker().as('platform')
    approval = await approve(platform)
  })
  after(() => platform.post(`/v1/approvals/${approval}/revoke`))

  const take = (first: number, length: number, nodes = 200): Promise<Allocation> =>
    allocate(platform, approval, {
      requires,
      demand: { nodes },
      period: { start: days(first), end: days(first + length) },
    })
  const extend = (id: string, end: string, headers = {}) =>
    platform.post(`/v1/allocations/${id}/extend`, { end }, headers)

  it('moves its end, and keeps the decision', async () => {
    const first = ownDays(4)
    const { id } = await take(first, 1)
    const extended = (await extend(id, days(first + 3))).as(200, Allocation)
    expect(extended.placement?.end).to.equal(days(first + 3))
    expect(extended.period).to.deep.equal({ start: days(first), end: days(first + 1) })
    const decisions = (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision)).items
    expect(decisions.map((decision) => decision.kind)).to.deep.equal(['place', 'extend'])
    await release(platform, id)
  })

  it('to the end that it has already changes nothing, and says how it stands', async () => {
    const first = ownDays(2)
    const { id } = await take(first, 1)
    const extended = await extend(id, days(first + 2))
    const again = await extend(id, days(first + 2))
    expect([again.as(200, Allocation), again.etag()]).to.deep.equal([extended.as(200, Allocation), extended.etag()])
    const decisions = (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision)).items
    expect(decisions).to.have.length(2)
    await release(platform, id)
  })

  it('is refused where somebody was promised the room, and says until when it fits', async () => {
    const first = ownDays(5)
    const early = await take(first, 1)
    const late = await take(first + 2, 1)
    const refused = (await extend(early.id, days(first + 4))).problem('no-capacity')
    const latestEnd = new Date(Date.parse(days(first + 2)) - SECONDS_OF_TURNOVER * 1_000)
      .toISOString()
      .replace('.000Z', 'Z')
    expect(refused).to.include({ conflictAt: days(first + 2), conflictWith: late.id, latestEnd })
    expect((await look(platform, early.id)).placement?.end).to.equal(days(first + 1))
    expect((await extend(early.id, latestEnd)).as(200, Allocation).placement?.end).to.equal(latestEnd)
    await Promise.all([early.id, late.id].map((id) => release(platform, id)))
  })

  it('does not tell one organisation who of another is in the way', async () => {
    const first = ownDays(4)
    const others = await approve(platform, { organizationId: 'postech' })
    const mine = await take(first, 1)
    const period = { start: days(first + 1), end: days(first + 3) }
    const theirs = await allocate(platform, others, {
      requires,
      demand: { nodes: 200 },
      period: { ...period, start: days(first + 2) },
    })
    const refused = (await extend(mine.id, days(first + 3))).problem('no-capacity')
    expect(refused).to.include({ conflictAt: days(first + 2), conflictWith: null })
    expect(JSON.stringify(refused)).not.to.include(theirs.id)
    await release(platform, mine.id)
    await platform.post(`/v1/approvals/${others}/revoke`)
  })

  it('only ever makes an end later, and only of what has one', async () => {
    const first = ownDays(3)
    const { id } = await take(first, 2)
    const errors = (await extend(id, days(first + 1))).problem('invalid-request')['errors']
    expect(errors).to.deep.equal([{ pointer: '/end', detail: `must not be before ${days(first + 2)}, its end now` }])
    await release(platform, id)
    ;(await extend(id, days(first + 3))).problem('not-in-this-status')
  })

  it('stays within the approval', async () => {
    const first = ownDays(4)
    const tight = await approve(platform, {}, { gpuHours: 8 * 24 * 2 })
    const period = { start: days(first), end: days(first + 1) }
    const { id } = await allocate(platform, tight, { requires, demand: { nodes: 1 }, period })
    expect((await extend(id, days(first + 3))).problem('approval-exceeded')).to.include({
      limit: 'gpuHours',
      asked: 576,
    })
    expect((await extend(id, days(first + 2))).as(200, Allocation).placement?.end).to.equal(days(first + 2))
    await platform.post(`/v1/approvals/${tight}/revoke`)
  })
})

describe('shrinking an allocation', () => {
  let platform: ApiClient
  let approval: string
  before(async () => {
    platform = await sharedBroker().as('platform')
    approval = await approve(platform)
  })
  after(() => platform.post(`/v1/approvals/${approval}/revoke`))

  const shrink = (id: string, nodes: number, headers = {}) =>
    platform.post(`/v1/allocations/${id}/shrink`, { nodes }, headers)

  it('makes room at once where nothing runs yet', async () => {
    const first = ownDays(3)
    const period = { start: days(first), end: days(first + 1) }
    const { id } = await allocate(platform, approval, { requires, demand: { nodes: 200 }, period })
    const shrunk = (await shrink(id, 100)).as(202, Allocation)
    expect([shrunk.placement?.nodes, shrunk.nodes.desired, shrunk.demand]).to.deep.equal([100, 100, { nodes: 100 }])
    const beside = await allocate(platform, approval, { requires, demand: { nodes: 155 }, period })
    expect(beside.status).to.equal('scheduled')
    const decisions = (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision)).items
    expect(decisions.map((decision) => decision.kind)).to.deep.equal(['place', 'shrink'])
    await Promise.all([id, beside.id].map((one) => release(platform, one)))
  })

  for (const provider of ['nhn', 'naver']) {
    it(`lets the highest ordinals leave what runs at ${provider}, and frees their place once they are gone`, async () => {
      const body = { requires: { providers: [provider] }, demand: { nodes: 5 }, period: { durationHours: 3 } }
      const { id } = await allocate(platform, approval, body)
      await reaches(platform, id, 'active')
      const answer = (await shrink(id, 2)).as(202, Allocation)
      expect([answer.status, answer.nodes.desired, answer.placement?.nodes]).to.deep.equal(['active', 2, 5])
      const done = await until(
        () => look(platform, id),
        (allocation) => allocation.placement?.nodes === 2,
      )
      expect([done.status, done.statusReason, done.nodes]).to.deep.equal([
        'active',
        null,
        { desired: 2, ready: 2, failed: 0 },
      ])
      const nodes = (await platform.get(`/v1/allocations/${id}/nodes`)).as(200, pageOf(AllocationNode)).items
      const statuses = nodes.map(({ ordinal, status }) => [ordinal, status])
      expect(statuses).to.deep.equal([
        [0, 'ready'],
        [1, 'ready'],
        [2, 'deleted'],
        [3, 'deleted'],
        [4, 'deleted'],
      ])
      await release(platform, id)
      await reaches(platform, id, 'released')
    })
  }

  it('to as many nodes as it has already changes nothing, and says how it stands', async () => {
    const { id } = await allocate(platform, approval, { requires, demand: { nodes: 3 }, period: { durationHours: 3 } })
    await reaches(platform, id, 'active')
    const seen = (await platform.get(`/v1/allocations/${id}`)).etag()
    const shrunk = await shrink(id, 2, { 'if-match': seen })
    const again = await shrink(id, 2)
    expect([again.as(202, Allocation).nodes.desired, again.etag()]).to.deep.equal([2, shrunk.etag()])
    ;(await shrink(id, 2, { 'if-match': seen })).problem('stale')
    const decisions = (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision)).items
    expect(decisions.map((decision) => decision.kind)).to.deep.equal(['place', 'shrink'])
    await release(platform, id)
    await reaches(platform, id, 'released')
  })

  it('only ever makes it smaller, and only while it lives', async () => {
    const { id } = await allocate(platform, approval, { requires, demand: { nodes: 2 } })
    const errors = (await shrink(id, 3)).problem('invalid-request')['errors']
    expect(errors).to.deep.equal([{ pointer: '/nodes', detail: 'must be at most 2, what it has now' }])
    await release(platform, id)
    for (const nodes of [1, 2]) (await shrink(id, nodes)).problem('not-in-this-status')
  })
})

describe('taking a failed allocation up again', () => {
  it('is for failed ones, and for an operator’s staff', async () => {
    const platform = await sharedBroker().as('platform')
    const approval = await approve(platform)
    const { id } = await allocate(platform, approval)
    ;(await platform.post(`/v1/allocations/${id}/retry`)).problem('not-in-this-status')
    const kaist = await sharedBroker().as('kaist')
    ;(await kaist.post(`/v1/allocations/${id}/retry`)).problem('insufficient-scope')
    await platform.post(`/v1/approvals/${approval}/revoke`)
  })
})
