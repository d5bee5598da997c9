import { expect } from 'chai'
import { afterEach, before, describe, it } from 'mocha'
import { AllocationNode } from '../../shared/allocation.ts'
import { Decision } from '../../shared/decision.ts'
import { pageOf } from '../../shared/text.ts'
import { SECOND_MS, toIso } from '../../shared/time.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import type { TestBroker } from '../support/broker.ts'
import { allocate, approve, days, hours, look, reaches, release } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

const NODES = pageOf(AllocationNode)
const DECISIONS = pageOf(Decision)

/** To come when it is asked for, also where a request takes its time to travel. */
const SOON_MS = 3 * SECOND_MS

const soon = (providerId: string, changes: object = {}): object => ({
  period: { durationHours: 24 },
  requires: { providers: [providerId] },
  ...changes,
})

describe('the life of an allocation', () => {
  let broker: TestBroker
  let platform: ApiClient
  before(async () => {
    broker = sharedBroker()
    platform = await broker.as('platform')
  })
  afterEach(() => broker.sandbox.setBehaviour('nhn', {}))

  const nodesOf = async (id: string) => (await platform.get(`/v1/allocations/${id}/nodes`)).as(200, NODES).items

  for (const operator of ['naver', 'nhn', 'kakao'] as const) {
    it(`leads from scheduled over active to released at ${operator}, and leaves no node there`, async () => {
      const created = await allocate(platform, await approve(platform), soon(operator, { demand: { nodes: 2 } }))
      expect([created.status, created.activeAt]).to.deep.equal(['scheduled', null])
      expect(created.placement?.providerId).to.equal(operator)
      const active = await reaches(platform, created.id, 'active')
      expect(active.nodes).to.deep.equal({ desired: 2, ready: 2, failed: 0 })
      expect(active.activeAt).to.be.a('string')
      const standing = await nodesOf(created.id)
      expect(standing.map((node) => [node.ordinal, node.generation, node.status])).to.deep.equal([
        [0, 1, 'ready'],
        [1, 1, 'ready'],
      ])
      expect(new Set(standing.map((node) => node.address)).size).to.equal(2)
      expect((await release(platform, created.id)).status).to.equal('releasing')
      const released = await reaches(platform, created.id, 'released')
      expect([released.releasedAt === null, released.nodes.ready]).to.deep.equal([false, 0])
      expect((await nodesOf(created.id)).map((node) => node.status)).to.deep.equal(['deleted', 'deleted'])
      expect(await broker.sandbox.standing(operator)).to.equal(0)
    })
  }

  it('ends as cancelled when it is released while its nodes are being built', async () => {
    await broker.sandbox.setBehaviour('nhn', { bootMs: 600_000, stopMs: 30 })
    const { id } = await allocate(platform, await approve(platform), soon('nhn'))
    await until(
      () => nodesOf(id),
      ([node]) => node?.status === 'building',
    )
    const building = await look(platform, id)
    expect([building.status, building.nodes]).to.deep.equal(['provisioning', { desired: 1, ready: 0, failed: 0 }])
    expect((await release(platform, id, { reason: 'reclaimed' })).status).to.equal('releasing')
    const ended = await reaches(platform, id, 'cancelled')
    expect([ended.activeAt, ended.releasedAt === null]).to.deep.equal([null, false])
    expect(await broker.sandbox.standing('nhn')).to.equal(0)
  })

  it('ends by itself at the end of its period', async () => {
    const approval = await approve(platform)
    const end = toIso(Date.now() + SOON_MS)
    const period = { start: toIso(Date.now()), end }
    const created = await allocate(platform, approval, soon('kakao', { period }))
    expect(created.placement?.end).to.equal(end)
    const released = await until(
      () => look(platform, created.id),
      ({ status }) => status === 'released' || status === 'cancelled',
    )
    expect(Date.parse(released.releasedAt ?? '')).to.be.at.least(Date.parse(end))
    expect(await broker.sandbox.standing('kakao')).to.equal(0)
  })

  it('ends at the instant that a release names', async () => {
    const { id } = await allocate(platform, await approve(platform), soon('kakao'))
    await reaches(platform, id, 'active')
    const at = toIso(Date.now() + SOON_MS)
    const shortened = await release(platform, id, { at })
    expect([shortened.status, shortened.placement?.end]).to.deep.equal(['active', at])
    const released = await reaches(platform, id, 'released')
    expect(Date.parse(released.releasedAt ?? '')).to.be.at.least(Date.parse(at))
  })

  it('tells of every decision that was made about it', async () => {
    const created = await allocate(platform, await approve(platform))
    const { items } = (await platform.get(`/v1/allocations/${created.id}/decisions`)).as(200, DECISIONS)
    expect(items.map(({ kind, supersedes, decisionId }) => [kind, supersedes, decisionId])).to.deep.equal([
      ['place', null, created.placement?.decisionId],
    ])
    expect(items[0]?.candidates.length).to.equal(8)
    expect(items[0]?.outcome).to.include({ status: 'scheduled', clusterId: created.placement?.clusterId, nodes: 1 })
    expect(items[0]?.inputDigest).to.match(/^[0-9a-f]{64}$/)
  })

  describe('a release', () => {
    it('cancels at once what has not started, and a second one changes nothing', async () => {
      const { id } = await allocate(platform, await approve(platform))
      const first = await platform.post(`/v1/allocations/${id}/release`, { reason: 'finished' })
      const second = await platform.post(`/v1/allocations/${id}/release`, { reason: 'other' })
      expect(second.etag()).to.equal(first.etag())
      expect(second.text).to.equal(first.text)
      const { status, releasedAt, activeAt } = await look(platform, id)
      expect([status, releasedAt === null, activeAt]).to.deep.equal(['cancelled', false, null])
    })

    it('at a later instant shortens what is scheduled', async () => {
      const { id } = await allocate(platform, await approve(platform), { period: { start: days(2), end: days(4) } })
      const shortened = await release(platform, id, { at: days(3) })
      expect([shortened.status, shortened.placement?.end]).to.deep.equal(['scheduled', days(3)])
    })

    it('at an instant after the end changes nothing', async () => {
      const created = await allocate(platform, await approve(platform))
      expect(await release(platform, created.id, { at: days(9) })).to.deep.equal(created)
    })

    it('at an instant that is past ends it now', async () => {
      const { id } = await allocate(platform, await approve(platform))
      expect((await release(platform, id, { at: hours(-5) })).status).to.equal('cancelled')
    })

    it('at an instant before the start is refused', async () => {
      const { id } = await allocate(platform, await approve(platform))
      const refused = await platform.post(`/v1/allocations/${id}/release`, { at: days(1) })
      expect(refused.problem('invalid-request').errors?.map(({ pointer }) => pointer)).to.deep.equal(['/at'])
      expect((await look(platform, id)).status).to.equal('scheduled')
    })

    it('is made only to the version that If-Match names', async () => {
      const { id } = await allocate(platform, await approve(platform), { period: { start: days(2), end: days(4) } })
      const seen = (await platform.get(`/v1/allocations/${id}`)).etag()
      await release(platform, id, { at: days(3) })
      const stale = await platform.post(`/v1/allocations/${id}/release`, undefined, { 'if-match': seen })
      stale.problem('stale')
      expect((await look(platform, id)).status).to.equal('scheduled')
      const present = (await platform.get(`/v1/allocations/${id}`)).etag()
      expect(present).not.to.equal(seen)
      const done = await platform.post(`/v1/allocations/${id}/release`, undefined, { 'if-match': present })
      expect(done.status).to.equal(202)
    })
  })
})
