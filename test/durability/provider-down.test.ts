/** A provider that is down for longer than it is given: what is being built there is built elsewhere. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Decision } from '../../shared/decision.ts'
import { CloudEvent } from '../../shared/event.ts'
import { pageOf } from '../../shared/text.ts'
import { allocate } from '../api/requests.ts'
import { releaseAndSeeItGone, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'

const NOTHING_ANSWERS = [{ match: { path: '.' }, effect: 'drop-before' }]
const NODES = 4

describe('a provider that is down beyond its allowance', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ env: { PROVIDER_DOWN_MINUTES: '0.02' }, mayPage: /refuses what no waiting mends/ })

  const allocateAtNhn = async (requires: object = { providers: ['nhn', 'kakao'] }): Promise<string> => {
    const body = { demand: { nodes: NODES }, requires, prefers: { provider: 'nhn' }, period: { durationHours: 1 } }
    return (await allocate(world.platform, world.approvalId, body)).id
  }

  it('is rid of what was built there once it answers again, and only then is it built elsewhere (invariants 2 and 3)', async () => {
    await world.operators.setBehaviour('nhn', { bootMs: 60_000 })
    const id = await allocateAtNhn()
    await eventually(
      'nodes on their way',
      () => world.operators.idsStanding('nhn', id),
      (ids) => ids.length === NODES,
    )
    await world.operators.setFaults('nhn', NOTHING_ANSWERS)
    const left = await eventually(
      'given back',
      async () => (await world.platform.get(`/v1/allocations/${id}`)).text,
      (text) => text.includes('"provider-down"'),
    )
    expect(left).to.include('"status":"provisioning"')
    const told = (await world.platform.get(`/v1/events?allocationId=${id}&types=allocation.provisioning`)).as(
      200,
      pageOf(CloudEvent),
    ).items
    expect(told.map(({ data }) => data['statusReason'])).to.deep.equal([null, 'provider-down'])
    expect(await world.operators.idsStanding('nhn', id)).to.have.length(NODES)
    await world.operators.calm()
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes: NODES })
    expect(await world.operators.idsStanding('nhn', id)).to.deep.equal([])
    await releaseAndSeeItGone(world, { id, operator: 'kakao' })
  })

  it('is left at once where nothing was made yet, and the decision says why', async () => {
    await world.operators.setFaults('nhn', NOTHING_ANSWERS)
    const id = await allocateAtNhn()
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes: NODES })
    expect(await world.operators.everBuilt('nhn', id)).to.deep.equal([])
    const { items } = (await world.platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision))
    const moved = items.find(({ kind }) => kind === 'relocate')
    const why = moved?.candidates.find(({ clusterId }) => clusterId === 'nhn-b200-510')?.reasons ?? []
    expect(why.map(({ detail }) => detail).join(' ')).to.match(
      /nhn-b200-510 was left because its provider did not answer/,
    )
    await releaseAndSeeItGone(world, { id, operator: 'kakao' })
  })

  it('is waited for where nobody else may serve the allocation', async () => {
    await world.operators.setFaults('nhn', NOTHING_ANSWERS)
    const id = await allocateAtNhn({ providers: ['nhn'] })
    const waiting = await untilStatus(world.platform, id, ['waitlisted', 'failed', 'active'])
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.waitlist?.estimatedStart).to.be.a('string')
    await world.operators.calm()
    await releaseAndSeeItGone(world, { id, operator: 'nhn' })
  })

  it('is not what a key is that is not accepted: that is waited for, and pages', async () => {
    await world.operators.setFaults('kakao', [{ match: { path: '/api/v1/instances' }, effect: 'status', status: 401 }])
    const body = { demand: { nodes: 1 }, requires: { providers: ['kakao', 'nhn'] }, prefers: { provider: 'kakao' } }
    const { id } = await allocate(world.platform, world.approvalId, { ...body, period: { durationHours: 1 } })
    await eventually(
      'the key’s refusal in the provider’s health',
      async () => (await world.platform.get('/v1/providers/kakao')).text,
      (text) => text.includes('"unauthenticated"'),
    )
    expect((await untilStatus(world.platform, id, ['provisioning'])).placement?.providerId).to.equal('kakao')
    await world.operators.calm()
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes: 1 })
    await releaseAndSeeItGone(world, { id, operator: 'kakao' })
  })
})
