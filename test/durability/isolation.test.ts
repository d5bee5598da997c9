/** Organisations kept apart: of a cluster's networks each has one to itself for as long as it has nodes there. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { NHN } from '../../deploy/sandbox/settings.ts'
import { allocate, approve, freshId, look, release } from '../api/requests.ts'
import { nodesOf, releaseAndSeeItGone, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { WITHIN_MS } from './eventually.ts'

const CLUSTER = 'nhn-b200-510'
const POOL = [NHN.networkId, NHN.secondNetworkId].map((uuid, index) => ({
  name: `pool-${index}`,
  interfaces: [{ uuid }],
  securityGroups: [NHN.securityGroup],
}))

describe('organisations in one cluster', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ clusters: { [CLUSTER]: { networks: POOL, isolation: 'organization' } } })

  const approveFor = (organizationId: string): Promise<string> => approve(world.platform, { organizationId })
  const allocateFor = async (approvalId: string): Promise<string> => {
    const requires = { providers: ['nhn'], minClusterNodes: 500 }
    return (
      await allocate(world.platform, approvalId, { demand: { nodes: 2 }, requires, period: { durationHours: 1 } })
    ).id
  }
  /** The networks that its nodes stand in, by the addresses that they got there. */
  const networksOf = async (id: string): Promise<string[]> => {
    await untilStatus(world.platform, id, ['active'])
    const addresses = (await nodesOf(world.platform, id)).map(({ address }) => address ?? '')
    return [...new Set(addresses.map((address) => address.split('.').slice(0, 2).join('.')))]
  }

  it('never share a network: each has its own for all its allocations, and who finds none waits and is told', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => approveFor(freshId(name))))
    const [first, second] = [await allocateFor(a ?? ''), await allocateFor(b ?? '')]
    const [ofFirst, ofSecond] = [await networksOf(first), await networksOf(second)]
    expect(ofFirst).to.have.length(1)
    expect(ofSecond).to.have.length(1)
    expect(ofFirst).to.not.deep.equal(ofSecond)
    const another = await allocateFor(a ?? '')
    expect(await networksOf(another)).to.deep.equal(ofFirst)

    const third = await allocateFor(c ?? '')
    const waiting = await untilStatus(world.platform, third, ['waitlisted', 'active', 'failed'])
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.statusReason).to.equal('quota-exceeded')
    expect(waiting.waitlist?.reason).to.match(/no network left for the organisation/)
    expect(await world.operators.everBuilt('nhn', third)).to.deep.equal([])

    for (const id of [third, second, another, first]) await releaseAndSeeItGone(world, { id, operator: 'nhn' })
  })

  it('get a network of another only once the provider’s list has the other’s nodes no more (invariant 3)', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => approveFor(freshId(name))))
    const [first, second] = [await allocateFor(a ?? ''), await allocateFor(b ?? '')]
    const ofFirst = await networksOf(first)
    await networksOf(second)

    await world.operators.setBehaviour('nhn', { deleteLies: true })
    await release(world.platform, first)
    await untilStatus(world.platform, first, ['releasing'])
    const early = await allocateFor(c ?? '')
    expect((await untilStatus(world.platform, early, ['waitlisted', 'active', 'failed'])).status).to.equal('waitlisted')
    expect((await look(world.platform, first)).status).to.equal('releasing')

    await world.operators.setBehaviour('nhn', {})
    await untilStatus(world.platform, first, ['released'])
    const late = await allocateFor(c ?? '')
    expect(await networksOf(late)).to.deep.equal(ofFirst)
    for (const id of [early, late, second]) await releaseAndSeeItGone(world, { id, operator: 'nhn' })
    const leases = await world.broker.inStore((db) => db.selectFrom('networkLeases').selectAll().execute())
    expect(leases).to.deep.equal([])
  })
})
