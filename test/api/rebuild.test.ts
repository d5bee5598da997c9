import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import { applyOp, emptyCalendar } from '../../broker/core/calendar.ts'
import { factsOf } from '../../broker/core/calendar-reads.ts'
import { readLog } from '../../broker/store/head.ts'
import type { Inventory } from '../../shared/inventory.ts'
import { InventoryReload } from '../../shared/operation.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, approvalBody, approve, days, look, reaches, release } from './requests.ts'

const NODES = 4
const DROPPED = 'kakao-b200-255'
const onDropped = { requires: { providers: ['kakao'] } }

const without = (clusterId: string) => (inventory: Inventory) => ({
  ...inventory,
  clusters: inventory.clusters.filter((cluster) => cluster.id !== clusterId),
})

describe('a calendar that is built from rows, as a restart and a new replica do (invariant 5)', () => {
  let broker: TestBroker
  let platform: ApiClient
  let sre: ApiClient
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ nodes: { [DROPPED]: NODES } })
    platform = await broker.as('platform')
    sre = await broker.as('sre')
  })
  after(() => broker.stop())

  /** What is built from rows is held against what whoever has been there all along has folded from the log. */
  const isAsFolded = (): Promise<void> =>
    broker.inStore(async (queries) => {
      const now = Date.now()
      const folded = emptyCalendar([], now)
      for (const { op } of await readLog(queries, 0)) applyOp(folded, op)
      const built = await createCalendarCache({ queries }, () => now).read()
      expect(factsOf(built)).to.deep.equal(factsOf(folded))
    })

  it('bounds those who wait by their approval as it is now, not as it was when they came', async () => {
    const approval = await approve(platform, {}, { validTo: days(60) })
    const period = { start: days(2), end: days(5) }
    const first = await allocate(platform, approval, { ...onDropped, demand: { nodes: NODES }, period })
    const second = await allocate(platform, approval, { ...onDropped, demand: { nodes: NODES }, period })
    expect(second.status).to.equal('waitlisted')
    const changed = approvalBody({ note: 'for longer' }, { validTo: days(90), gpuHours: 500_000, maxNodes: 2 * NODES })
    await platform.put(`/v1/approvals/${approval}`, changed)
    await isAsFolded()
    for (const { id } of [first, second]) await release(platform, id)
  })

  it('keeps what lies in a cluster that the inventory no longer names: reservations, drains, suspensions', async () => {
    const approval = await approve(platform)
    const running = await allocate(platform, approval, { ...onDropped, period: { durationHours: 24 } })
    await reaches(platform, running.id, 'active')
    const drain = { nodes: 1, from: days(3), to: days(9), reason: 'maintenance' }
    const { status } = await sre.post(`/v1/clusters/${DROPPED}/drains`, drain)
    expect(status).to.equal(201)
    await sre.post(`/v1/clusters/${DROPPED}/suspend`, { reason: 'moved away' })
    broker.setInventory(without(DROPPED))
    const reloaded = await sre.post('/v1/operations/inventory/reload?apply=true')
    expect(reloaded.as(200, InventoryReload).clusters.map((one) => one.change)).to.deep.equal(['removed'])
    // The next start finds it described again: a configuration that maps a cluster that is not there is refused.
    broker.setInventory((inventory) => inventory)
    await isAsFolded()
    expect(await look(platform, running.id)).to.include({ status: 'active' })
    await isAsFolded()
  })
})
