import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import type { Allocation } from '../../shared/allocation.ts'
import { Approval } from '../../shared/approval.ts'
import { Availability, ClusterView } from '../../shared/cluster.ts'
import { Decision, PlacementPreview } from '../../shared/decision.ts'
import { CloudEvent } from '../../shared/event.ts'
import { Drain } from '../../shared/operation.ts'
import { pageOf } from '../../shared/text.ts'
import { HOUR_MS, hourCeil, MINUTE_MS, SECOND_MS, toIso } from '../../shared/time.ts'
import { closeAll } from '../support/close-all.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { assertProved } from '../support/proof.ts'
import { allocate, approve, days, look, reaches, release } from './requests.ts'

const CLUSTER = 'kakao-b200-255'
const NODES = 4
const requires = { providers: ['kakao'] }
const NOTICE_MS = SECOND_MS
/** As the sandbox's inventory has it. */
const TURNOVER_MS = 5 * SECOND_MS
const RECLAIM_MS = NOTICE_MS + TURNOVER_MS
/** Beyond what it takes to have nodes back: time for a request to travel. */
const MARGIN_MS = 2 * SECOND_MS
const WITHIN_MS = 60 * SECOND_MS
/** A turnover in which a slow machine stops a broker, starts it again and has nodes back. */
const ENOUGH_TO_RESTART_MS = 15 * SECOND_MS

describe('idle-use', function idleUse() {
  this.timeout(WITHIN_MS)
  let broker: TestBroker
  let platform: ApiClient
  let idle: string
  let standard: string
  const taken: string[] = []
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({
      nodes: { [CLUSTER]: NODES },
      env: { IDLE_NOTICE_MINUTES: String(NOTICE_MS / MINUTE_MS) },
    })
    platform = await broker.as('platform')
    idle = await approve(platform, { priority: 'idle' })
    standard = await approve(platform)
  })
  after(() =>
    closeAll(
      () => assertProved(broker), // invariant 5, with notices and those who wait for idle-use
      () => broker.stop(),
    ),
  )
  afterEach(async () => {
    await broker.sandbox.setBehaviour('kakao', {})
    for (const id of taken) await release(platform, id)
    for (const id of taken.splice(0))
      await until(
        () => look(platform, id),
        ({ releasedAt }) => releasedAt !== null,
      )
  })

  const setTurnover = async (turnoverMs: number): Promise<void> => {
    broker.setInventory((inventory) => ({
      ...inventory,
      clusters: inventory.clusters.map((one) =>
        one.id === CLUSTER ? { ...one, turnoverSeconds: turnoverMs / SECOND_MS } : one,
      ),
    }))
    const reloaded = await (await broker.as('sre')).post('/v1/operations/inventory/reload?apply=true')
    expect(reloaded.status).to.equal(200)
  }
  const take = async (approval: string, changes: object): Promise<Allocation> => {
    const taking = await allocate(platform, approval, { requires, ...changes })
    taken.push(taking.id)
    return taking
  }
  const grant = (nodes: number, hours = 24) => take(idle, { demand: { nodes }, period: { durationHours: hours } })
  const running = async (nodes: number): Promise<Allocation> => reaches(platform, (await grant(nodes)).id, 'active')
  const decisionsOn = async (id: string) =>
    (await platform.get(`/v1/allocations/${id}/decisions`)).as(200, pageOf(Decision)).items
  const clusterNow = async () => (await platform.get(`/v1/clusters/${CLUSTER}`)).as(200, ClusterView).now
  const usageOf = async (approval: string) =>
    (await platform.get(`/v1/approvals/${approval}`)).as(200, Approval).usage.gpuHoursCommitted

  it('starts at once on what nobody has reserved', async () => {
    const granted = await grant(3)
    expect([granted.status, granted.placement?.clusterId, granted.waitlist]).to.deep.equal(['scheduled', CLUSTER, null])
    await reaches(platform, granted.id, 'active')
    expect(await broker.sandbox.standing('kakao')).to.equal(3)
    expect(await clusterNow()).to.include({ nodesActive: 3, nodesReserved: 3, nodesIdle: 1, shortfall: 0 })
  })

  it('counts, for who reserves, until the notice and the turnover are over', async () => {
    await running(NODES)
    const askedAt = Date.now()
    const preview = await platform.post('/v1/placements/preview', {
      demand: { nodes: 1 },
      requires,
      period: { durationHours: 24 },
    })
    const candidate = preview.as(200, PlacementPreview).candidates.find(({ clusterId }) => clusterId === CLUSTER)
    expect(candidate?.earliestStart).to.equal(toIso(hourCeil(askedAt + RECLAIM_MS)))
    expect(candidate?.reasons.map(({ rule }) => rule)).to.deep.equal(['free-nodes'])
    const seen = await platform.get(`/v1/clusters/${CLUSTER}/availability?from=${toIso(askedAt)}&to=${days(1)}`)
    const { steps } = seen.as(200, Availability)
    expect(steps.map(({ freeNodes }) => freeNodes)).to.deep.equal([0, NODES])
    const soon = await take(standard, { period: { durationHours: 24 } })
    expect([soon.status, soon.waitlist?.estimatedStart]).to.deep.equal(['waitlisted', candidate?.earliestStart])
  })

  it('gives way in time to a reservation, waits again, and goes on when there is room', async () => {
    const granted = await running(NODES)
    const committed = await usageOf(idle)
    const start = toIso(Date.now() + RECLAIM_MS + MARGIN_MS)
    const end = toIso(Date.parse(start) + HOUR_MS)
    const reserved = await take(standard, { demand: { nodes: 2 }, period: { start, end } })
    expect([reserved.status, reserved.placement?.start]).to.deep.equal(['scheduled', start])

    const told = await reaches(platform, granted.id, 'preempting')
    const noticeEndsAt = toIso(Date.parse(start) - TURNOVER_MS)
    expect([told.statusReason, told.placement?.end]).to.deep.equal(['preempted', noticeEndsAt])
    expect(Date.now()).to.be.at.least(Date.parse(start) - RECLAIM_MS)
    const decision = (await decisionsOn(granted.id)).at(-1)
    expect(decision?.kind).to.equal('preempt')
    expect(decision?.outcome).to.include({ clusterId: CLUSTER, noticeEndsAt, neededAt: start, neededNodes: 2 })
    expect(await usageOf(idle)).to.equal(committed)
    const events = await platform.get(`/v1/events?allocationId=${granted.id}&types=allocation.preempting`)
    expect(events.as(200, pageOf(CloudEvent)).items.map(({ data }) => data)).to.have.nested.property(
      '[0].noticeEndsAt',
      noticeEndsAt,
    )

    const waits = await reaches(platform, granted.id, 'waitlisted')
    expect(Date.now()).to.be.within(Date.parse(noticeEndsAt), Date.parse(start))
    expect(waits.waitlist).to.include({ since: granted.createdAt, promisedStart: null })
    expect(await broker.sandbox.standing('kakao')).to.equal(0)
    expect(await usageOf(idle)).to.be.closeTo(committed, 0.002)

    const active = await reaches(platform, reserved.id, 'active')
    expect(active.placement?.start).to.equal(start)
    expect(await broker.sandbox.standing('kakao')).to.equal(2)
    await release(platform, reserved.id)
    const again = await reaches(platform, granted.id, 'active')
    const length = ({ placement }: Allocation): number =>
      Date.parse(placement?.end ?? '') - Date.parse(placement?.start ?? '')
    const ran = Date.parse(noticeEndsAt) - Date.parse(granted.placement?.start ?? '')
    expect(length(again)).to.equal(length(granted) - ran)
    expect(await broker.sandbox.standing('kakao')).to.equal(NODES)
    expect((await decisionsOn(granted.id)).map(({ kind }) => kind)).to.include.members([
      'preempt',
      'waitlist',
      'promote',
    ])
  })

  it('takes back the fewest grants, and lets the others run', async () => {
    const small = await running(1)
    const large = await running(3)
    const start = toIso(Date.now() + RECLAIM_MS + MARGIN_MS)
    await take(standard, { demand: { nodes: 2 }, period: { start, end: toIso(Date.parse(start) + HOUR_MS) } })
    await reaches(platform, large.id, 'preempting')
    await reaches(platform, large.id, 'waitlisted')
    expect((await look(platform, small.id)).status).to.equal('active')
  })

  it('is not granted where a reservation needs the nodes before they could be had back', async () => {
    const start = toIso(Date.now() + RECLAIM_MS - MARGIN_MS)
    await take(standard, { demand: { nodes: NODES }, period: { start, end: toIso(Date.parse(start) + HOUR_MS) } })
    const waits = await grant(1)
    expect([waits.status, waits.placement]).to.deep.equal(['waitlisted', null])
    expect(waits.waitlist?.estimatedStart).to.be.a('string')
    const body = { approvalId: idle, name: 'now', demand: { nodes: 1 }, requires, ifUnavailable: 'reject' }
    const refused = await platform.post('/v1/allocations', { ...body, period: { durationHours: 1 } })
    refused.problem('no-capacity')
  })

  it('keeps nothing ahead: one that asks for a later start waits, and delays nobody', async () => {
    const period = { start: days(3), end: days(4) }
    const waits = await take(idle, { demand: { nodes: NODES }, period })
    expect([waits.status, waits.waitlist?.estimatedStart, waits.waitlist?.promisedStart]).to.deep.equal([
      'waitlisted',
      days(3),
      null,
    ])
    expect(waits.waitlist?.reason).to.include('Nothing is reserved for idle-use')
    expect((await take(standard, { demand: { nodes: NODES }, period })).status).to.equal('scheduled')
  })

  it('leaves first when nodes are drained, and is no shortfall', async () => {
    const granted = await running(NODES)
    const body = { nodes: 1, from: toIso(Date.now()), to: days(1), reason: 'maintenance' }
    const drain = (await platform.post(`/v1/clusters/${CLUSTER}/drains`, body)).as(201, Drain)
    expect(drain.affected).to.deep.equal([{ allocationId: granted.id, effect: 'waitlisted' }])
    expect((await clusterNow()).shortfall).to.equal(0)
    await reaches(platform, granted.id, 'waitlisted')
    await platform.send('DELETE', `/v1/drains/${drain.id}`)
    await reaches(platform, granted.id, 'active')
  })

  it('runs on where its cluster is suspended', async () => {
    const granted = await running(1)
    await platform.post(`/v1/clusters/${CLUSTER}/suspend`)
    expect((await grant(1)).status).to.equal('waitlisted')
    expect((await look(platform, granted.id)).status).to.equal('active')
    await platform.post(`/v1/clusters/${CLUSTER}/resume`)
  })

  it('gives its nodes back to the reservation though the broker stops on the way', async () => {
    await setTurnover(ENOUGH_TO_RESTART_MS)
    try {
      const granted = await running(NODES)
      const start = toIso(Date.now() + NOTICE_MS + ENOUGH_TO_RESTART_MS + MARGIN_MS)
      const end = toIso(Date.parse(start) + HOUR_MS)
      const reserved = await take(standard, { demand: { nodes: NODES }, period: { start, end } })
      await reaches(platform, granted.id, 'preempting')
      await broker.restart()
      expect((await reaches(platform, granted.id, 'waitlisted')).statusReason).to.equal('preempted')
      expect((await reaches(platform, reserved.id, 'active')).placement?.start).to.equal(start)
    } finally {
      await setTurnover(TURNOVER_MS)
    }
  })

  it('waits again only once the operator’s list no longer has its nodes (invariant 3)', async () => {
    const granted = await running(NODES)
    await broker.sandbox.setBehaviour('kakao', { deleteLies: true })
    const start = toIso(Date.now() + RECLAIM_MS + MARGIN_MS)
    const end = toIso(Date.parse(start) + HOUR_MS)
    const reserved = await take(standard, { demand: { nodes: NODES }, period: { start, end } })
    await until(clusterNow, ({ nodesQuarantined }) => nodesQuarantined === NODES)
    expect((await look(platform, granted.id)).status).to.equal('preempting')
    await reaches(platform, reserved.id, 'waitlisted')
    await broker.sandbox.setBehaviour('kakao', {})
    await reaches(platform, reserved.id, 'active')
    expect((await look(platform, granted.id)).status).to.equal('waitlisted')
    expect(await broker.sandbox.standing('kakao')).to.equal(NODES)
  })

  it('is ended for good by a release while it is being taken back', async () => {
    const granted = await running(NODES)
    const start = toIso(Date.now() + RECLAIM_MS + MARGIN_MS)
    await take(standard, { demand: { nodes: 1 }, period: { start, end: toIso(Date.parse(start) + HOUR_MS) } })
    await reaches(platform, granted.id, 'preempting')
    expect((await release(platform, granted.id)).status).to.equal('releasing')
    await reaches(platform, granted.id, 'released')
  })
})
