/** Operators without room, or whose nodes all fail: an allocation moves on, waits, or fails with their words. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Decision } from '../../shared/decision.ts'
import { pageOf } from '../../shared/text.ts'
import { allocate } from '../api/requests.ts'
import { allocateAt, nodesOf, releaseAndSeeItGone, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'

describe('a broker whose operators have no room', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators()

  it('places again where there is room once nodes fail for want of it, and leaves nothing behind', async () => {
    await world.operators.setBehaviour('nhn', { freeNodes: 2 })
    const { id } = await allocate(world.platform, world.approvalId, {
      demand: { nodes: 4 },
      requires: { providers: ['nhn', 'kakao'] },
      prefers: { provider: 'nhn' },
      period: { durationHours: 1 },
    })
    const shown = await untilActiveAndTrue(world, { id, operator: 'kakao', nodes: 4 })
    expect(shown.some(({ status }) => status === 'deleted')).to.equal(true)
    expect(await world.operators.idsStanding('nhn', id)).to.deep.equal([])
    const { items } = (await world.platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision))
    expect(items.map(({ kind }) => kind)).to.include('relocate')
    await releaseAndSeeItGone(world, { id, operator: 'kakao' })
  })

  for (const [what, architecture] of [
    ['moves to the other architecture where it only prefers the one that has no room', 'blackwell'],
    ['waits for the architecture that it was given rather than move to one that it never named', null],
  ] as const) {
    it(what, async () => {
      for (const operator of ['nhn', 'kakao'] as const) await world.operators.setBehaviour(operator, { freeNodes: 0 })
      const { id } = await allocate(world.platform, world.approvalId, {
        demand: { nodes: 2 },
        prefers: { provider: 'nhn', ...(architecture !== null && { architecture }) },
        period: { durationHours: 1 },
      })
      if (architecture === null) {
        await eventually(
          `${id} waiting with nothing left to try now`,
          async () => (await world.platform.get(`/v1/allocations/${id}/decisions`)).text,
          (text) => text.includes('only where it prefers one') && text.includes('kakao-b200-255 had no room'),
        )
        await untilStatus(world.platform, id, ['waitlisted'])
        expect(await world.operators.everBuilt('naver', id)).to.deep.equal([])
      } else await untilActiveAndTrue(world, { id, operator: 'naver', nodes: 2 })
      await releaseAndSeeItGone(world, { id, operator: 'naver' })
    })
  }

  it('waits with an estimate where the quota is used up and nobody else may serve it', async () => {
    await world.operators.setBehaviour('kakao', { quotaNodes: 1 })
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'kakao', nodes: 3 })
    const waiting = await untilStatus(world.platform, id, ['waitlisted', 'failed', 'active'])
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.waitlist?.estimatedStart).to.be.a('string')
    expect(await world.operators.idsStanding('kakao', id)).to.deep.equal([])
    const { status } = await releaseAndSeeItGone(world, { id, operator: 'kakao' })
    expect(status).to.equal('cancelled')
  })

  it('gives up after faults at one place after another, in the provider’s own words, with nothing left', async () => {
    for (const operator of ['nhn', 'kakao'] as const)
      await world.operators.setBehaviour(operator, { buildFails: 1_000 })
    const { id } = await allocate(world.platform, world.approvalId, {
      demand: { nodes: 1 },
      requires: { providers: ['nhn', 'kakao'] },
      period: { durationHours: 1 },
    })
    const failed = await untilStatus(world.platform, id, ['failed'])
    expect(failed.statusReason).to.match(/^node-failed: ./)
    for (const operator of ['nhn', 'kakao'] as const) {
      expect((await world.operators.everBuilt(operator, id)).length, operator).to.be.greaterThan(0)
      expect(await world.operators.idsStanding(operator, id)).to.deep.equal([])
    }
    expect((await nodesOf(world.platform, id)).every(({ status }) => status === 'deleted')).to.equal(true)
  })
})
