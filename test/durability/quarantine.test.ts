/**
 * An operator that says "deleted" and goes on listing: its list is believed, the nodes are held on the calendar without
 * an end, and nobody is placed on them until they are seen gone.
 */
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { ClusterView } from '../../shared/cluster.ts'
import type { Allocation } from '../../shared/allocation.ts'
import { allocate, approve, days, look, reaches, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocateAt, nodesOf, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { eventually } from './eventually.ts'
import { type Operators, OPERATORS, startOperators } from './operators.ts'

/** All that the cluster of these tests has. */
const CLUSTER_NODES = 6
const CLUSTER = 'kakao-b200-255'

describe('nodes that an operator says are deleted and still lists (invariant 3)', function () {
  this.timeout(60_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient
  let approvalId: string

  before(async () => {
    operators = await startOperators()
    broker = await startTestBroker({
      sandbox: operators,
      nodes: { [CLUSTER]: CLUSTER_NODES },
      env: { RELEASE_CONFIRM_MINUTES: '0.01' },
    })
    platform = await broker.as('platform')
    approvalId = await approve(platform)
  })
  afterEach(() => operators.calm())
  after(async () => {
    await operators.untilNothingIsLeft()
    await broker.stop()
    await operators.close()
  })

  const nodesNow = async (id = CLUSTER): Promise<ClusterView['now']> =>
    (await platform.get(`/v1/clusters/${id}`)).as(200, ClusterView).now

  const untilUnconfirmed = (id: string): Promise<Allocation> =>
    eventually(
      `${id} in quarantine`,
      () => look(platform, id),
      ({ statusReason }) => statusReason === 'release-unconfirmed',
    )

  /** Runs, is released, and is not let go. */
  async function quarantined(nodes: number): Promise<string> {
    const { id } = await allocateAt(platform, approvalId, { operator: 'kakao', nodes })
    await untilActiveAndTrue(platform, operators, { id, operator: 'kakao', nodes })
    await operators.setBehaviour('kakao', { deleteLies: true })
    await release(platform, id)
    expect((await untilUnconfirmed(id)).status).to.equal('releasing')
    return id
  }

  it('are shown as quarantined on all sides, and let go once the list no longer has them', async () => {
    const id = await quarantined(2)
    expect((await nodesOf(platform, id)).map(({ status }) => status)).to.deep.equal(['quarantined', 'quarantined'])
    expect(await nodesNow()).to.include({ nodesQuarantined: 2, nodesReserved: 0, nodesIdle: CLUSTER_NODES - 2 })
    expect(await broker.scrape(`gpu_broker_quarantine_nodes{cluster="${CLUSTER}"}`)).to.equal(2)
    expect(await broker.scrape(`gpu_broker_quarantine_oldest_seconds{cluster="${CLUSTER}"}`)).to.be.greaterThan(0)
    await operators.calm()
    const released = await reaches(platform, id, 'released')
    expect(released.statusReason).to.equal(null)
    expect(await nodesNow()).to.include({ nodesQuarantined: 0, nodesIdle: CLUSTER_NODES })
    const told = await broker.inStore((db) =>
      db.selectFrom('events').select('type').where('allocationId', '=', id).where('type', 'like', '%node.%').execute(),
    )
    expect(told.map(({ type }) => type.replace('kr.gpubroker.', ''))).to.deep.equal([
      'node.quarantined',
      'node.quarantined',
      'node.gone',
      'node.gone',
    ])
  })

  it('are given to nobody else: who needs them waits, and starts once they are seen gone (invariant 1)', async () => {
    const id = await quarantined(2)
    const request = { demand: { nodes: CLUSTER_NODES }, requires: { providers: ['kakao'] } }
    const waiting = await allocate(platform, approvalId, { ...request, period: { durationHours: 1 } })
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.waitlist?.estimatedStart).to.equal(null)
    await operators.calm()
    await reaches(platform, id, 'released')
    await untilActiveAndTrue(platform, operators, { id: waiting.id, operator: 'kakao', nodes: CLUSTER_NODES })
    await release(platform, waiting.id)
    await reaches(platform, waiting.id, 'released')
  })

  it('take the place of those who were to start there, and of those who wait, in the same transaction', async () => {
    const request = { demand: { nodes: CLUSTER_NODES }, requires: { providers: ['kakao'] } }
    const next = await allocate(platform, approvalId, { ...request, period: { start: days(3), end: days(4) } })
    expect(next.status).to.equal('scheduled')
    const id = await quarantined(1)
    expect((await look(platform, next.id)).status).to.equal('waitlisted')
    await operators.calm()
    await reaches(platform, id, 'released')
    const again = await reaches(platform, next.id, 'scheduled')
    expect(again.placement?.start).to.equal(days(3))
    await release(platform, next.id)
  })

  it('come back from a restart as they were, whoever holds the store', async () => {
    const id = await quarantined(3)
    await broker.restart()
    expect(await nodesNow()).to.include({ nodesQuarantined: 3 })
    await operators.calm()
    await reaches(platform, id, 'released')
    expect(await nodesNow()).to.include({ nodesQuarantined: 0 })
  })

  it('are free one by one, as the list loses them', async () => {
    const { id } = await allocateAt(platform, approvalId, { operator: 'kakao', nodes: 3 })
    await untilActiveAndTrue(platform, operators, { id, operator: 'kakao', nodes: 3 })
    await operators.setFaults('kakao', [{ match: { method: 'DELETE', path: '.' }, effect: 'status', status: 409 }])
    await release(platform, id)
    await untilUnconfirmed(id)
    await operators.setBehaviour('kakao', { deleteLies: 1 })
    await operators.setFaults('kakao', [])
    await eventually('some of them free', nodesNow, ({ nodesQuarantined }) => nodesQuarantined < 3)
    await reaches(platform, id, 'released')
  })

  it('are held although the operator answers no list at all, and let go when it answers again', async () => {
    const ids: string[] = []
    for (const operator of OPERATORS) {
      const { id } = await allocateAt(platform, approvalId, { operator, nodes: 1 })
      await untilActiveAndTrue(platform, operators, { id, operator, nodes: 1 })
      await operators.setFaults(operator, [{ match: { path: '.' }, effect: 'reset-before' }])
      ids.push(id)
    }
    for (const id of ids) await release(platform, id)
    for (const id of ids) await untilUnconfirmed(id)
    await operators.calm()
    // The circuit to each of them is open by now: it takes its time to try again.
    for (const id of ids) await untilStatus(platform, id, ['released'])
  })
})
