import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import { type Allocation, WaitlistItem } from '../../shared/allocation.ts'
import { Approval } from '../../shared/approval.ts'
import { Decision } from '../../shared/decision.ts'
import { pageOf } from '../../shared/text.ts'
import { DAY_MS, HOUR_MS, SECOND_MS, toIso } from '../../shared/time.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, approve, days, hours, look, reaches, release } from './requests.ts'

const WAITLIST = pageOf(WaitlistItem)
const NODES = 4
const requires = { providers: ['kakao'] }

/** Everything of the one cluster that the tests below wait for. */
const full = (first: number, last: number) => ({
  requires,
  demand: { nodes: NODES },
  period: { start: days(first), end: days(last) },
})

describe('waiting', () => {
  let broker: TestBroker
  let platform: ApiClient
  let approval: string
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ nodes: { 'kakao-b200-255': NODES } })
    platform = await broker.as('platform')
  })
  after(() => broker.stop())
  beforeEach(async () => {
    const { items } = (await platform.get('/v1/approvals?limit=500')).as(200, pageOf(Approval))
    for (const { id, status } of items) if (status === 'valid') await platform.post(`/v1/approvals/${id}/revoke`)
    approval = await approve(platform)
  })
  const take = (changes: object) => allocate(platform, approval, changes)
  const listed = async (query = '') => (await platform.get(`/v1/waitlist${query}`)).as(200, WAITLIST).items
  const decisionsOn = async (id: string) =>
    (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision)).items

  it('is told what would make it earlier, and that is what the changed request gets', async () => {
    await take({ ...full(2, 5), demand: { nodes: NODES - 1 } })
    const { id, waitlist } = await take(full(3, 4))
    expect(waitlist).not.to.have.property('earlier')
    const earlier = (await look(platform, id)).waitlist?.earlier
    expect(earlier).to.deep.equal([{ change: 'nodes', to: 1, estimatedStart: days(3) }])
    expect((await listed()).find(({ allocationId }) => allocationId === id)?.earlier).to.deep.equal(earlier)
    const fewer = await take({ ...full(3, 4), demand: { nodes: 1 } })
    expect([fewer.status, fewer.placement?.start]).to.deep.equal(['scheduled', days(3)])
  })

  describe('has a plan:', () => {
    it('the first full hour after what is in the way, and where', async () => {
      await take(full(2, 5))
      const { status, placement, waitlist, createdAt, nodes } = await take(full(3, 4))
      expect([status, placement, nodes.desired]).to.deep.equal(['waitlisted', null, NODES])
      expect(waitlist).to.deep.include({
        position: 1,
        estimatedStart: hours(24 * 5 + 1),
        estimatedClusterId: 'kakao-b200-255',
        since: createdAt,
      })
      expect(waitlist?.reason).to.include('kakao-b200-255 is full until')
    })

    it('before what is in the way, where there is room for it', async () => {
      await take(full(4, 5))
      const { waitlist } = await take({
        requires,
        demand: { nodes: 1 },
        period: { durationHours: 72, earliestStart: days(2) },
      })
      expect(waitlist?.estimatedStart).to.equal(hours(24 * 5 + 1))
      const short = await take({ requires, period: { durationHours: 24, earliestStart: days(2) } })
      expect([short.status, short.placement?.start]).to.deep.equal(['scheduled', days(2)])
    })

    it('and a promise a week later where the wait is short', async () => {
      await take(full(2, 5))
      const { waitlist } = await take(full(3, 4))
      const slack = Date.parse(waitlist?.promisedStart ?? '') - Date.parse(waitlist?.estimatedStart ?? '')
      expect(slack).to.equal(7 * DAY_MS)
    })

    it('and a promise later by half of the planned wait where that is long', async () => {
      await take(full(2, 42))
      const { waitlist, createdAt } = await take(full(3, 4))
      const planned = Date.parse(waitlist?.estimatedStart ?? '')
      const half = Math.floor((planned - Date.parse(createdAt)) / 2)
      expect(waitlist?.promisedStart).to.equal(toIso(planned + half))
    })

    it('and a promise that is never after the latest start', async () => {
      await take(full(2, 5))
      const latestStart = days(6)
      const { waitlist } = await take({
        requires,
        demand: { nodes: 1 },
        period: { durationHours: 24, earliestStart: days(3), latestStart },
      })
      expect([waitlist?.estimatedStart, waitlist?.promisedStart]).to.deep.equal([hours(24 * 5 + 1), latestStart])
    })

    it('or none, with the reason, where no start is left before the latest', async () => {
      await take(full(2, 5))
      const period = { durationHours: 24, earliestStart: days(3), latestStart: days(4) }
      const { waitlist } = await take({ requires, period })
      expect(waitlist).to.include({ estimatedStart: null, estimatedClusterId: null, promisedStart: null })
      expect(waitlist?.reason).to.include('not free')
    })

    it('or none, with the reason, where no start is left inside the approval', async () => {
      await take(full(2, 5))
      const short = await approve(platform, {}, { validTo: days(6) })
      const { waitlist } = await allocate(platform, short, { ...full(2, 4) })
      expect(waitlist).to.include({ estimatedStart: null, promisedStart: null })
      expect(waitlist?.reason).to.match(/kakao-b200-255|approval/)
    })
  })

  describe('ends', () => {
    it('when what was in the way is given back: it starts, and becomes active', async () => {
      const running = await take({ ...full(0, 1), period: { durationHours: 48 } })
      await reaches(platform, running.id, 'active')
      const waiting = await take({ requires, demand: { nodes: 2 }, period: { durationHours: 5 } })
      expect(waiting.status).to.equal('waitlisted')
      await release(platform, running.id)
      const active = await reaches(platform, waiting.id, 'active')
      expect([active.waitlist, active.placement?.nodes]).to.deep.equal([null, 2])
      expect(Date.parse(active.placement?.end ?? '') - Date.parse(active.placement?.start ?? '')).to.equal(5 * HOUR_MS)
      const decisions = await decisionsOn(waiting.id)
      expect([decisions[0]?.kind, decisions.at(-1)?.kind]).to.deep.equal(['waitlist', 'promote'])
      expect(decisions.slice(1).map((one) => one.supersedes)).to.deep.equal(
        decisions.slice(0, -1).map((one) => one.decisionId),
      )
      expect(active.placement?.decisionId).to.equal(decisions.at(-1)?.decisionId)
    })

    it('when the asked start is free again: it is scheduled there', async () => {
      const blocker = await take(full(2, 5))
      const waiting = await take(full(3, 4))
      await release(platform, blocker.id)
      const scheduled = await reaches(platform, waiting.id, 'scheduled')
      expect([scheduled.placement?.start, scheduled.placement?.end]).to.deep.equal([days(3), days(4)])
    })

    it('as cancelled when it is released, and those behind move up', async () => {
      await take(full(2, 5))
      const first = await take(full(3, 4))
      const second = await take(full(3, 4))
      expect(second.waitlist?.position).to.equal(2)
      expect((await release(platform, first.id)).status).to.equal('cancelled')
      const moved = await until(
        () => look(platform, second.id),
        ({ waitlist }) => waitlist?.estimatedStart === first.waitlist?.estimatedStart,
      )
      expect(moved.waitlist?.position).to.equal(1)
      expect(moved.waitlist?.promisedStart).to.equal(second.waitlist?.promisedStart)
    })

    it('as cancelled when its latest start has passed', async () => {
      const running = await take({ ...full(0, 1), period: { durationHours: 48 } })
      await reaches(platform, running.id, 'active') // as long as it waits itself, a plan may let the other one go first
      const latestStart = toIso(Date.now() + 2 * SECOND_MS) // to come still when the request has travelled
      const waiting = await take({ requires, period: { durationHours: 5, latestStart } })
      expect(waiting.status).to.equal('waitlisted')
      await until(
        async () => Date.now(),
        (now) => now > Date.parse(latestStart),
      )
      await release(platform, running.id)
      const ended = await reaches(platform, waiting.id, 'cancelled')
      expect([ended.statusReason, ended.waitlist]).to.deep.equal(['window-passed', null])
    })
  })

  it('has no end yet, so a later end is refused', async () => {
    await take(full(2, 5))
    const { id } = await take(full(3, 4))
    const refused = await platform.post(`/v1/allocations/${id}/release`, { at: days(9) })
    expect(refused.problem('invalid-request').errors?.[0]?.pointer).to.equal('/at')
    expect((await look(platform, id)).status).to.equal('waitlisted')
  })

  it('keeps its promise whoever comes later, however important', async () => {
    await take(full(2, 5))
    const first = await take(full(3, 4))
    const national = await approve(platform, { priority: 'national' })
    for (let n = 0; n < 3; n += 1) await allocate(platform, national, full(3, 4))
    const { waitlist } = await look(platform, first.id)
    expect(waitlist?.promisedStart).to.equal(first.waitlist?.promisedStart)
    expect(Date.parse(waitlist?.estimatedStart ?? '')).to.be.at.most(Date.parse(first.waitlist?.promisedStart ?? ''))
  })

  describe('is shown as a list', () => {
    it('in serving order: by priority, then by age', async () => {
      await take(full(2, 5))
      const national = await approve(platform, { priority: 'national' })
      const waiting: Allocation[] = []
      for (const id of [approval, national, approval, national]) waiting.push(await allocate(platform, id, full(3, 4)))
      const [a, b, c, d] = waiting.map(({ id }) => id)
      const items = await listed()
      expect(items.map((item) => item.allocationId)).to.deep.equal([b, d, a, c])
      expect(items.map((item) => item.position)).to.deep.equal([1, 2, 3, 4])
      expect(items.map((item) => item.priority)).to.deep.equal(['national', 'national', 'standard', 'standard'])
      // A re-plan may come between the two reads: then they are read again.
      const both = async () => ({
        listed: (await listed()).map(({ position, estimatedStart, promisedStart, reason, since, nodes }) => [
          ...[position, estimatedStart, promisedStart, reason, since, nodes],
        ]),
        looked: (await Promise.all(items.map(({ allocationId }) => look(platform, allocationId)))).map(
          ({ waitlist }) => [
            ...[waitlist?.position, waitlist?.estimatedStart, waitlist?.promisedStart],
            ...[waitlist?.reason, waitlist?.since, NODES],
          ],
        ),
      })
      await until(both, (read) => JSON.stringify(read.listed) === JSON.stringify(read.looked))
    })

    it('with the organisation that has consumed less first, never before a higher priority', async () => {
      const running = await allocate(platform, await approve(platform), {
        requires: { providers: ['naver'] },
        period: { durationHours: 24 },
      })
      await reaches(platform, running.id, 'active')
      await take(full(2, 5))
      const other = await approve(platform, { organizationId: 'postech' })
      const national = await approve(platform, { priority: 'national' })
      const users = await take(full(3, 4))
      const newcomers = await allocate(platform, other, full(3, 4))
      const first = await allocate(platform, national, full(3, 4))
      await until(
        () => listed(),
        (items) => items.map((item) => item.allocationId).join() === [first.id, newcomers.id, users.id].join(),
      )
      await broker.restart()
      expect((await listed()).map((item) => item.allocationId)).to.deep.equal([first.id, newcomers.id, users.id])
    })

    it('of those that could run on an architecture', async () => {
      await take(full(2, 5))
      const rich = await approve(platform, {}, { maxNodes: 1_000, gpuHours: 10_000_000 })
      for (const nodes of [255, 32])
        await allocate(platform, rich, { ...full(2, 5), requires: { providers: ['naver'] }, demand: { nodes } })
      const either = await take({ ...full(3, 4), requires: { providers: ['kakao', 'naver'] } })
      const bound = await take(full(3, 4)) // names no architecture, but an operator that has one only
      const ids = async (query: string) => (await listed(query)).map((item) => item.allocationId)
      expect(await ids('?architecture=blackwell')).to.deep.equal([either.id, bound.id])
      expect(await ids('?architecture=hopper')).to.deep.equal([either.id])
      expect(await ids('?architecture=unheard-of')).to.deep.equal([])
    })

    it('in pages', async () => {
      await take(full(2, 5))
      const made: string[] = []
      for (let n = 0; n < 3; n += 1) made.push((await take(full(3, 4))).id)
      const first = (await platform.get('/v1/waitlist?limit=2')).as(200, WAITLIST)
      const second = (await platform.get(`/v1/waitlist?limit=2&cursor=${first.nextCursor}`)).as(200, WAITLIST)
      expect([...first.items, ...second.items].map((item) => item.allocationId)).to.deep.equal(made)
      expect(second.nextCursor).to.equal(null)
    })

    it('that misses nobody when one at its head leaves between two pages', async () => {
      await take(full(2, 5))
      const made: string[] = []
      for (let n = 0; n < 4; n += 1) made.push((await take(full(3, 4))).id)
      const first = (await platform.get('/v1/waitlist?limit=2')).as(200, WAITLIST)
      await release(platform, made[0] ?? '')
      const second = (await platform.get(`/v1/waitlist?limit=2&cursor=${first.nextCursor}`)).as(200, WAITLIST)
      expect(second.items.map((item) => item.allocationId)).to.deep.equal(made.slice(2))
    })
  })
})
