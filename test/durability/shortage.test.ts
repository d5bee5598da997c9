/** Operators without room, or whose nodes all fail: an allocation moves on, waits, or fails with their words. */
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { Decision } from '../../shared/decision.ts'
import { pageOf } from '../../shared/text.ts'
import { allocate, approve } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocateAt, nodesOf, releaseAndSeeItGone, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { eventually } from './eventually.ts'
import { type Operators, startOperators } from './operators.ts'

describe('a broker whose operators have no room', function () {
  this.timeout(60_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient
  let approvalId: string

  before(async () => {
    operators = await startOperators()
    broker = await startTestBroker({ sandbox: operators })
    platform = await broker.as('platform')
    approvalId = await approve(platform)
  })
  afterEach(async () => {
    await operators.setBehaviour('nhn', {})
    await operators.setBehaviour('kakao', {})
  })
  after(async () => {
    await operators.untilNothingIsLeft()
    await broker.stop()
    await operators.close()
  })

  it('places again where there is room once nodes fail for want of it, and leaves nothing behind', async () => {
    await operators.setBehaviour('nhn', { freeNodes: 2 })
    const { id } = await allocate(platform, approvalId, {
      demand: { nodes: 4 },
      requires: { providers: ['nhn', 'kakao'] },
      prefers: { provider: 'nhn' },
      period: { durationHours: 1 },
    })
    const shown = await untilActiveAndTrue(platform, operators, { id, operator: 'kakao', nodes: 4 })
    expect(shown.some(({ status }) => status === 'deleted')).to.equal(true)
    expect(await operators.idsStanding('nhn', id)).to.deep.equal([])
    const { items } = (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision))
    expect(items.map(({ kind }) => kind)).to.include('relocate')
    await releaseAndSeeItGone(platform, operators, { id, operator: 'kakao' })
  })

  for (const [what, architecture] of [
    ['moves to the other architecture where it only prefers the one that has no room', 'blackwell'],
    ['waits for the architecture that it was given rather than move to one that it never named', null],
  ] as const) {
    it(what, async () => {
      for (const operator of ['nhn', 'kakao'] as const) await operators.setBehaviour(operator, { freeNodes: 0 })
      const { id } = await allocate(platform, approvalId, {
        demand: { nodes: 2 },
        prefers: { provider: 'nhn', ...(architecture !== null && { architecture }) },
        period: { durationHours: 1 },
      })
      if (architecture === null) {
        await eventually(
          `${id} waiting with nothing left to try now`,
          async () => (await platform.get(`/v1/allocations/${id}/decisions`)).text,
          (text) => text.includes('only where it prefers one') && text.includes('kakao-b200-255 had no room'),
        )
        await untilStatus(platform, id, ['waitlisted'])
        expect(await operators.everBuilt('naver', id)).to.deep.equal([])
      } else await untilActiveAndTrue(platform, operators, { id, operator: 'naver', nodes: 2 })
      await releaseAndSeeItGone(platform, operators, { id, operator: 'naver' })
    })
  }

  it('waits with an estimate where the quota is used up and nobody else may serve it', async () => {
    await operators.setBehaviour('kakao', { quotaNodes: 1 })
    const { id } = await allocateAt(platform, approvalId, { operator: 'kakao', nodes: 3 })
    const waiting = await untilStatus(platform, id, ['waitlisted', 'failed', 'active'])
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.waitlist?.estimatedStart).to.be.a('string')
    expect(await operators.idsStanding('kakao', id)).to.deep.equal([])
    const { status } = await releaseAndSeeItGone(platform, operators, { id, operator: 'kakao' })
    expect(status).to.equal('cancelled')
  })

  it('gives up after faults at one place after another, in the provider’s own words, with nothing left', async () => {
    for (const operator of ['nhn', 'kakao'] as const) await operators.setBehaviour(operator, { buildFails: 1_000 })
    const { id } = await allocate(platform, approvalId, {
      demand: { nodes: 1 },
      requires: { providers: ['nhn', 'kakao'] },
      period: { durationHours: 1 },
    })
    const failed = await untilStatus(platform, id, ['failed'])
    expect(failed.statusReason).to.match(/^node-failed: ./)
    for (const operator of ['nhn', 'kakao'] as const) {
      expect((await operators.everBuilt(operator, id)).length, operator).to.be.greaterThan(0)
      expect(await operators.idsStanding(operator, id)).to.deep.equal([])
    }
    expect((await nodesOf(platform, id)).every(({ status }) => status === 'deleted')).to.equal(true)
  })
})
