import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import type { Inventory } from '../../shared/inventory.ts'
import { ClusterView } from '../../shared/cluster.ts'
import { InventoryReload } from '../../shared/operation.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, approve, days, hours, look, reaches } from './requests.ts'

const CLUSTER = 'kakao-b200-255'
const NODES = 4
const requires = { providers: ['kakao'] }
const PATH = '/v1/operations/inventory/reload'

type Phases = Inventory['clusters'][number]['phases']
const phase = (from: string, nodes: number) => ({ from, nodes, stage: 'general', basis: 'assumed' }) as const
const sooner = '2025-12-31T00:00:00Z'

/** The same inventory with other phases of the cluster that these tests fill. */
const withPhases =
  (phases: Phases) =>
  (inventory: Inventory): Inventory => ({
    ...inventory,
    clusters: inventory.clusters.map((cluster) => (cluster.id === CLUSTER ? { ...cluster, phases } : cluster)),
  })

describe('a new inventory', () => {
  let broker: TestBroker
  let platform: ApiClient
  let sre: ApiClient
  let approval: string
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ nodes: { [CLUSTER]: NODES } })
    platform = await broker.as('platform')
    sre = await broker.as('sre')
    approval = await approve(platform, {}, { validTo: days(90) })
  })
  after(() => broker.stop())
  beforeEach(async () => {
    await platform.post(`/v1/approvals/${approval}/revoke`)
    broker.setInventory(withPhases([phase(sooner, NODES)]))
    await reload(true)
    approval = await approve(platform, {}, { validTo: days(90) })
  })

  const reload = async (apply: boolean): Promise<InventoryReload> =>
    (await sre.post(`${PATH}?apply=${apply}`)).as(200, InventoryReload)
  const take = (nodes: number, first: number, last: number) =>
    allocate(platform, approval, { requires, demand: { nodes }, period: { start: days(first), end: days(last) } })
  const capacityNow = async () => (await platform.get(`/v1/clusters/${CLUSTER}`)).as(200, ClusterView)

  it('says nothing where nothing differs', async () => {
    const nothing = { clusters: [], affected: [], promises: [] }
    expect(await reload(false)).to.deep.equal({ applied: false, ...nothing })
    expect(await reload(true)).to.deep.equal({ applied: true, ...nothing })
  })

  it('whose capacity comes later is shown with the promises that it breaks, before anything changes', async () => {
    const scheduled = await take(3, 2, 5)
    const waiting = await take(3, 3, 4)
    expect(waiting.waitlist?.estimatedStart).to.equal(hours(24 * 5 + 1))
    broker.setInventory(withPhases([phase(sooner, 1), phase(days(30), NODES)]))

    const shown = await reload(false)
    expect(shown.clusters).to.deep.equal([
      {
        clusterId: CLUSTER,
        change: 'changed',
        differences: [
          { member: 'phases', before: [phase(sooner, NODES)], after: [phase(sooner, 1), phase(days(30), NODES)] },
        ],
      },
    ])
    expect(shown.affected).to.deep.include({ allocationId: scheduled.id, effect: 'waitlisted' })
    const [promise] = shown.promises.filter((one) => one.allocationId === waiting.id)
    expect(promise?.promisedStart).to.equal(waiting.waitlist?.promisedStart)
    expect((await look(platform, scheduled.id)).status).to.equal('scheduled')
    expect((await look(platform, waiting.id)).waitlist).to.deep.include(waiting.waitlist)
    expect((await capacityNow()).phases).to.have.length(1)

    const applied = await reload(true)
    expect(applied).to.deep.equal({ ...shown, applied: true, promises: applied.promises })
    const slipped = await until(
      () => look(platform, waiting.id),
      ({ waitlist }) => waitlist !== null && waitlist.promisedStart !== promise?.promisedStart,
    )
    expect(Date.parse(slipped.waitlist?.estimatedStart ?? '')).to.be.at.least(Date.parse(days(30)))
    const moved = await reaches(platform, scheduled.id, 'waitlisted')
    expect(Date.parse(moved.waitlist?.estimatedStart ?? '')).to.be.at.least(Date.parse(days(30)))
    const slips = await broker.inStore(async (queries) => {
      const rows = await queries
        .selectFrom('events')
        .select('data')
        .where('type', '=', 'kr.gpubroker.allocation.promise-slipped')
        .where('allocationId', '=', waiting.id)
        .execute()
      return rows.map(({ data }) => data)
    })
    expect(slips).to.have.length(1)
    expect(slips[0]).to.include({ cause: 'capacity-date', causeId: CLUSTER })
  })

  it('whose capacity comes sooner lets those who wait for it begin', async () => {
    broker.setInventory(withPhases([phase(sooner, 1), phase(days(30), NODES)]))
    await reload(true)
    const waiting = await take(3, 3, 4)
    expect(waiting.waitlist?.estimatedStart).to.equal(days(30))
    broker.setInventory(withPhases([phase(sooner, NODES)]))
    await reload(true)
    expect((await reaches(platform, waiting.id, 'scheduled')).placement?.start).to.equal(days(3))
  })

  it('that takes a cluster away leaves what runs there, and takes nothing new', async () => {
    const running = await allocate(platform, approval, { requires, period: { durationHours: 24 } })
    await reaches(platform, running.id, 'active')
    broker.setInventory((inventory) => ({
      ...inventory,
      clusters: inventory.clusters.filter((cluster) => cluster.id !== CLUSTER),
    }))
    const { clusters, affected } = await reload(true)
    expect(clusters).to.have.length(1)
    expect(clusters[0]).to.include({ clusterId: CLUSTER, change: 'removed' })
    expect(affected).to.deep.equal([{ allocationId: running.id, effect: 'running' }])
    expect((await look(platform, running.id)).status).to.equal('active')
    ;(await platform.get(`/v1/clusters/${CLUSTER}`)).problem('not-found')
    await platform.post(`/v1/allocations/${running.id}/release`)
    await reaches(platform, running.id, 'released')
  })

  it('is in force after a restart, too, with everybody in its way moved', async () => {
    const { id } = await take(3, 2, 5)
    broker.setInventory(withPhases([phase(sooner, 1), phase(days(30), NODES)]))
    await broker.restart()
    expect((await look(platform, id)).waitlist?.estimatedStart).to.equal(days(30))
    expect(await reload(false)).to.deep.include({ clusters: [] })
  })

  it('that is none is refused with what is wrong, and nothing changes', async () => {
    for (const bad of [null, { clusters: [] }, [], 'later']) {
      broker.setInventory(() => bad)
      const problem = (await sre.post(`${PATH}?apply=true`)).problem('invalid-inventory')
      expect(problem.detail).to.match(/^INVENTORY/)
    }
    expect((await capacityNow()).nodes).to.equal(NODES)
  })

  it('is for those who operate everywhere', async () => {
    const staff = await broker.as('nhn-staff')
    ;(await staff.post(PATH)).problem('insufficient-scope')
    const auditor = await broker.as('auditor')
    ;(await auditor.post(PATH)).problem('insufficient-scope')
    ;(await sre.post(`${PATH}?apply=perhaps`)).problem('invalid-request')
  })
})
