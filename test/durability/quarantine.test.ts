/**
 * An operator that says "deleted" and goes on listing: its list is believed, the nodes are held on the calendar without
 * an end, and nobody is placed on them until they are seen gone.
 */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ClusterView } from '../../shared/cluster.ts'
import type { Allocation } from '../../shared/allocation.ts'
import { allocate, days, look, reaches, release } from '../api/requests.ts'
import { allocateAt, nodesOf, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { OPERATORS } from './operators.ts'

/** All that the cluster of these tests has. */
const CLUSTER_NODES = 6
const CLUSTER = 'kakao-b200-255'

describe('nodes that an operator says are deleted and still lists (invariant 3)', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ nodes: { [CLUSTER]: CLUSTER_NODES }, env: { RELEASE_CONFIRM_MINUTES: '0.01' } })

  const nodesNow = async (id = CLUSTER): Promise<ClusterView['now']> =>
    (await world.platform.get(`/v1/clusters/${id}`)).as(200, ClusterView).now

  const untilUnconfirmed = (id: string): Promise<Allocation> =>
    eventually(
      `${id} in quarantine`,
      () => look(world.platform, id),
      ({ statusReason }) => statusReason === 'release-unconfirmed',
    )

  /** Runs, is released, and is not let go. */
  async function quarantined(nodes: number): Promise<string> {
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'kakao', nodes })
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes })
    await world.operators.setBehaviour('kakao', { deleteLies: true })
    await release(world.platform, id)
    expect((await untilUnconfirmed(id)).status).to.equal('releasing')
    return id
  }

  it('are shown as quarantined on all sides, and let go once the list no longer has them', async () => {
    const id = await quarantined(2)
    expect((await nodesOf(world.platform, id)).map(({ status }) => status)).to.deep.equal([
      'quarantined',
      'quarantined',
    ])
    expect(await nodesNow()).to.include({ nodesQuarantined: 2, nodesReserved: 0, nodesIdle: CLUSTER_NODES - 2 })
    expect(await world.broker.scrape(`gpu_broker_quarantine_nodes{cluster="${CLUSTER}"}`)).to.equal(2)
    expect(await world.broker.scrape(`gpu_broker_quarantine_oldest_seconds{cluster="${CLUSTER}"}`)).to.be.greaterThan(0)
    await world.operators.calm()
    const released = await reaches(world.platform, id, 'released')
    expect(released.statusReason).to.equal(null)
    expect(await nodesNow()).to.include({ nodesQuarantined: 0, nodesIdle: CLUSTER_NODES })
    const told = await world.broker.inStore((db) =>
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
    const waiting = await allocate(world.platform, world.approvalId, { ...request, period: { durationHours: 1 } })
    expect(waiting.status).to.equal('waitlisted')
    expect(waiting.waitlist?.estimatedStart).to.equal(null)
    await world.operators.calm()
    await reaches(world.platform, id, 'released')
    await untilActiveAndTrue(world, { id: waiting.id, operator: 'kakao', nodes: CLUSTER_NODES })
    await release(world.platform, waiting.id)
    await reaches(world.platform, waiting.id, 'released')
  })

  it('take the place of those who were to start there, and of those who wait, in the same transaction', async () => {
    const request = { demand: { nodes: CLUSTER_NODES }, requires: { providers: ['kakao'] } }
    const next = await allocate(world.platform, world.approvalId, {
      ...request,
      period: { start: days(3), end: days(4) },
    })
    expect(next.status).to.equal('scheduled')
    const id = await quarantined(1)
    expect((await look(world.platform, next.id)).status).to.equal('waitlisted')
    await world.operators.calm()
    await reaches(world.platform, id, 'released')
    const again = await reaches(world.platform, next.id, 'scheduled')
    expect(again.placement?.start).to.equal(days(3))
    await release(world.platform, next.id)
  })

  it('come back from a restart as they were, whoever holds the store', async () => {
    const id = await quarantined(3)
    await world.broker.restart()
    expect(await nodesNow()).to.include({ nodesQuarantined: 3 })
    await world.operators.calm()
    await reaches(world.platform, id, 'released')
    expect(await nodesNow()).to.include({ nodesQuarantined: 0 })
  })

  it('are free one by one, as the list loses them', async () => {
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'kakao', nodes: 3 })
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes: 3 })
    await world.operators.setFaults('kakao', [
      { match: { method: 'DELETE', path: '.' }, effect: 'status', status: 409 },
    ])
    await release(world.platform, id)
    await untilUnconfirmed(id)
    await world.operators.setBehaviour('kakao', { deleteLies: 1 })
    await world.operators.setFaults('kakao', [])
    await eventually('some of them free', nodesNow, ({ nodesQuarantined }) => nodesQuarantined < 3)
    await reaches(world.platform, id, 'released')
  })

  it('are held although the operator answers no list at all, and let go when it answers again', async () => {
    const ids: string[] = []
    for (const operator of OPERATORS) {
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: 1 })
      await untilActiveAndTrue(world, { id, operator, nodes: 1 })
      await world.operators.setFaults(operator, [{ match: { path: '.' }, effect: 'reset-before' }])
      ids.push(id)
    }
    for (const id of ids) await release(world.platform, id)
    for (const id of ids) await untilUnconfirmed(id)
    await world.operators.calm()
    // The circuit to each of them is open by now: it takes its time to try again.
    for (const id of ids) await untilStatus(world.platform, id, ['released'])
  })
})
