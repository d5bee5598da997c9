import { expect } from 'chai'
import { after, before, beforeEach, describe, it } from 'mocha'
import type { Allocation } from '../../shared/allocation.ts'
import { Approval } from '../../shared/approval.ts'
import { Drain } from '../../shared/operation.ts'
import { pageOf } from '../../shared/text.ts'
import { DAY_MS } from '../../shared/time.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, approve, days, hours, look, reaches, release } from './requests.ts'

const CLUSTER = 'kakao-b200-255'
const NODES = 4
const requires = { providers: ['kakao'] }
const full = (first: number, last: number) => ({
  requires,
  demand: { nodes: NODES },
  period: { start: days(first), end: days(last) },
})

describe('a promised start', () => {
  let broker: TestBroker
  let platform: ApiClient
  let sre: ApiClient
  let approval: string
  const drains: string[] = []
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({ nodes: { [CLUSTER]: NODES } })
    platform = await broker.as('platform')
    sre = await broker.as('sre')
  })
  after(() => broker.stop())
  beforeEach(async () => {
    await lift()
    const { items } = (await platform.get('/v1/approvals?limit=500')).as(200, pageOf(Approval))
    for (const { id, status } of items) if (status === 'valid') await platform.post(`/v1/approvals/${id}/revoke`)
    approval = await approve(platform, {}, { validTo: days(90) })
  })

  /** One that waits behind another until day 5, and is promised day 12. */
  async function waitingOne(): Promise<Allocation> {
    await allocate(platform, approval, full(2, 5))
    const waiting = await allocate(platform, approval, full(3, 4))
    expect(waiting.waitlist?.estimatedStart).to.equal(hours(24 * 5 + 1))
    return waiting
  }
  async function drained(from: string, to: string): Promise<string> {
    const body = { nodes: NODES, from, to, reason: 'maintenance' }
    const { id } = (await sre.post(`/v1/clusters/${CLUSTER}/drains`, body)).as(201, Drain)
    drains.push(id)
    return id
  }
  const lift = async (): Promise<void> => {
    for (const id of drains.splice(0)) await sre.send('DELETE', `/v1/drains/${id}`)
  }
  const plannedAt = (id: string, estimatedStart: string | null) =>
    until(
      () => look(platform, id),
      ({ waitlist }) => waitlist !== null && waitlist.estimatedStart === estimatedStart,
    )
  const slipsCounted = (cause: string) => broker.scrape(`gpu_broker_promises_slipped_total{cause="${cause}"}`)
  const slipsOf = (id: string): Promise<readonly unknown[]> =>
    broker.inStore(async (queries) => {
      const rows = await queries
        .selectFrom('events')
        .select('data')
        .where('allocationId', '=', id)
        .where('type', '=', 'kr.gpubroker.allocation.promise-slipped')
        .orderBy('sequence')
        .execute()
      return rows.map((row) => row.data)
    })

  it('slips for a drain that the plan cannot go around, with the drain’s id', async () => {
    const { id, waitlist } = await waitingOne()
    const slippedBefore = await slipsCounted('drain')
    const causeId = await drained(hours(24 * 5 + 1), days(20))
    const slipped = await plannedAt(id, days(20))
    expect([await slipsCounted('drain'), await slipsCounted('unexplained')]).to.deep.equal([slippedBefore + 1, 0])
    const promised = slipped.waitlist?.promisedStart ?? ''
    expect(Date.parse(promised) - Date.parse(days(20))).to.be.within(7 * DAY_MS, 10 * DAY_MS)
    expect(await slipsOf(id)).to.deep.equal([
      {
        allocationId: id,
        cause: 'drain',
        causeId,
        promisedStart: promised,
        previousPromisedStart: waitlist?.promisedStart,
        estimatedStart: days(20),
      },
    ])
    await lift()
    const back = await plannedAt(id, waitlist?.estimatedStart ?? null)
    expect(back.waitlist?.promisedStart, 'a better plan does not make it earlier').to.equal(promised)
  })

  it('holds where a drain only makes the plan a little later', async () => {
    const { id, waitlist } = await waitingOne()
    await drained(hours(24 * 5 + 1), days(7))
    const { waitlist: after } = await plannedAt(id, days(7))
    expect(after?.promisedStart).to.equal(waitlist?.promisedStart)
    expect(await slipsOf(id)).to.deep.equal([])
  })

  for (const [what, path, causeId] of [
    ['cluster', `/v1/clusters/${CLUSTER}`, CLUSTER],
    ['operator', '/v1/providers/kakao', 'kakao'],
  ] as const)
    it(`slips to the last start that is allowed once its ${what} is suspended and nothing else would do`, async () => {
      const { id, waitlist } = await waitingOne()
      await sre.post(`${path}/suspend`, { reason: 'fire' })
      const slipped = await plannedAt(id, null)
      expect(slipped.waitlist?.promisedStart).to.equal(days(89))
      expect(slipped.waitlist?.reason).to.include('suspended')
      await sre.post(`${path}/resume`)
      const back = await plannedAt(id, waitlist?.estimatedStart ?? null)
      expect(back.waitlist?.promisedStart).to.equal(days(89))
      expect(await slipsOf(id)).to.deep.include.members([
        {
          allocationId: id,
          cause: 'suspension',
          causeId,
          promisedStart: days(89),
          previousPromisedStart: waitlist?.promisedStart,
          estimatedStart: null,
        },
      ])
    })

  it('is not touched by a release, and what was behind moves up', async () => {
    const first = await waitingOne()
    const second = await allocate(platform, approval, full(3, 4))
    await release(platform, first.id)
    const moved = await plannedAt(second.id, first.waitlist?.estimatedStart ?? null)
    expect(moved.waitlist?.promisedStart).to.equal(second.waitlist?.promisedStart)
    expect(await slipsOf(second.id)).to.deep.equal([])
  })

  it('slips for what had a place and lost it to a drain after it had waited', async () => {
    const blocker = await allocate(platform, approval, full(2, 5))
    const { id, waitlist } = await allocate(platform, approval, full(3, 4))
    await release(platform, blocker.id)
    await reaches(platform, id, 'scheduled')
    const causeId = await drained(days(1), days(40))
    const { waitlist: after } = await reaches(platform, id, 'waitlisted')
    expect(after?.estimatedStart).to.equal(days(40))
    const [slip, ...others] = await slipsOf(id)
    expect(others).to.deep.equal([])
    expect(slip).to.include({ cause: 'drain', causeId, previousPromisedStart: waitlist?.promisedStart })
  })
})
