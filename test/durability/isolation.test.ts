/** Organisations kept apart: of a cluster's networks each has one to itself for as long as it has nodes there. */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { NHN } from '../../deploy/sandbox/settings.ts'
import { allocate, approve, freshId, look, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { nodesOf, releaseAndSeeItGone, untilStatus } from './allocations.ts'
import { type Operators, startOperators } from './operators.ts'

const CLUSTER = 'nhn-b200-510'
const POOL = [NHN.networkId, NHN.secondNetworkId].map((uuid, index) => ({
  name: `pool-${index}`,
  interfaces: [{ uuid }],
  securityGroups: [NHN.securityGroup],
}))

describe('organisations in one cluster', function () {
  this.timeout(120_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient

  before(async function () {
    this.timeout(START_WITHIN_MS)
    operators = await startOperators()
    const clusters = { [CLUSTER]: { networks: POOL, isolation: 'organization' } }
    broker = await startTestBroker({ sandbox: operators, clusters })
    platform = await broker.as('platform')
  })
  after(async () => {
    await operators.calm()
    await operators.untilNothingIsLeft()
    await broker.stop()
    await operators.close()
  })

  const approveFor = (organizationId: string): Promise<string> => approve(platform, { organizationId })
  const allocateFor = async (approvalId: string): Promise<string> => {
    const requires = { providers: ['nhn'], minClusterNodes: 500 }
    return (await allocate(platform, approvalId, { demand: { nodes: 2 }, requires, period: { durationHours: 1 } })).id
  }
  /** The networks that its nodes stand in, by the addresses that they got there. */
  const networksOf = async (id: string): Promise<string[]> => {
    await untilStatus(platform, id, ['active'])
    const addresses = (await nodesOf(platform, id)).map(({ address }) => address ?? '')
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
    const waiting = await untilStatus(platform, third, ['waitlisted', 'active', 'failed'])
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.statusReason).to.equal('quota-exceeded')
    expect(waiting.waitlist?.reason).to.match(/no network left for the organisation/)
    expect(await operators.everBuilt('nhn', third)).to.deep.equal([])

    for (const id of [third, second, another, first])
      await releaseAndSeeItGone(platform, operators, { id, operator: 'nhn' })
  })

  it('get a network of another only once the provider’s list has the other’s nodes no more (invariant 3)', async () => {
    const [a, b, c] = await Promise.all(['a', 'b', 'c'].map((name) => approveFor(freshId(name))))
    const [first, second] = [await allocateFor(a ?? ''), await allocateFor(b ?? '')]
    const ofFirst = await networksOf(first)
    await networksOf(second)

    await operators.setBehaviour('nhn', { deleteLies: true })
    await release(platform, first)
    await untilStatus(platform, first, ['releasing'])
    const early = await allocateFor(c ?? '')
    expect((await untilStatus(platform, early, ['waitlisted', 'active', 'failed'])).status).to.equal('waitlisted')
    expect((await look(platform, first)).status).to.equal('releasing')

    await operators.setBehaviour('nhn', {})
    await untilStatus(platform, first, ['released'])
    const late = await allocateFor(c ?? '')
    expect(await networksOf(late)).to.deep.equal(ofFirst)
    for (const id of [early, late, second]) await releaseAndSeeItGone(platform, operators, { id, operator: 'nhn' })
    const leases = await broker.inStore((db) => db.selectFrom('networkLeases').selectAll().execute())
    expect(leases).to.deep.equal([])
  })
})
