import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { CloudEvent } from '../../shared/event.ts'
import { pageOf } from '../../shared/text.ts'
import { DAY_MS, HOUR_MS, SECOND_MS, toIso } from '../../shared/time.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { allocate, approve, reaches, release } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

const EVENTS = pageOf(CloudEvent)
const shortType = (event: CloudEvent): string => event.type.replace('kr.gpubroker.', '')

const page = async (client: ApiClient, query: string) => (await client.get(`/v1/events?${query}`)).as(200, EVENTS)

/** The whole list, page by page. */
async function all(client: ApiClient, query: string, limit = 500): Promise<CloudEvent[]> {
  const events: CloudEvent[] = []
  for (let cursor = ''; ; ) {
    const { items, nextCursor } = await page(client, `${query}&limit=${limit}${cursor}`)
    events.push(...items)
    if (nextCursor === null) return events
    cursor = `&cursor=${nextCursor}`
  }
}

const lastSequence = async (client: ApiClient): Promise<number> => (await all(client, 'after=0')).at(-1)?.sequence ?? 0

describe('the list of events', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })

  it('tells the life of an allocation in its order, each event once', async () => {
    const { id } = await allocate(platform, await approve(platform), { period: { durationHours: 2 } })
    await reaches(platform, id, 'active')
    await release(platform, id)
    await reaches(platform, id, 'released')
    const events = await all(platform, `allocationId=${id}`, 2)
    expect(events.map(shortType).filter((type) => type.startsWith('allocation.'))).to.deep.equal([
      'allocation.scheduled',
      'allocation.provisioning',
      'allocation.active',
      'allocation.releasing',
      'allocation.released',
    ])
    expect(new Set(events.map((event) => event.id)).size).to.equal(events.length)
    expect(new Set(events.map((event) => event.source)).size).to.equal(1)
    expect(events[0]).to.deep.include({ specversion: '1.0', subject: `allocations/${id}` })
  })

  it('tells of an end that comes near, once', async () => {
    const approval = await approve(platform)
    // A week and a moment: the moment is over soon after its nodes stand, and not before.
    const end = toIso(Math.ceil(Date.now() / SECOND_MS) * SECOND_MS + 7 * DAY_MS + 5 * SECOND_MS)
    const { id } = await allocate(platform, approval, { period: { start: toIso(Date.now()), end } })
    await reaches(platform, id, 'active')
    const ending = () => all(platform, `types=allocation.ending&allocationId=${id}`)
    const [told] = await until(ending, (events) => events.length > 0)
    expect(told?.data).to.include({ days: 7, end, status: 'active' })
    await platform.post(`/v1/allocations/${id}/extend`, { end: toIso(Date.parse(end) + HOUR_MS) })
    await release(platform, id)
    await reaches(platform, id, 'released')
    expect(await ending()).to.have.length(1)
  })

  it('is numbered without a gap, so that whoever reads on misses nothing', async () => {
    await approve(platform)
    const numbers = (await all(platform, 'after=0')).map((event) => event.sequence)
    expect(numbers).to.deep.equal(numbers.map((_, index) => index + 1))
  })

  it('goes on behind a number', async () => {
    await approve(platform)
    const before = await all(platform, 'after=0')
    const middle = before[Math.floor(before.length / 2)]?.sequence ?? 0
    const after = (await page(platform, `after=${middle}&limit=500`)).items
    expect(after[0]?.sequence).to.equal(middle + 1)
    expect((await page(platform, 'after=latest')).items).to.deep.equal([])
  })

  it('shows only the types asked for, with the prefix or without it', async () => {
    const approval = await approve(platform)
    await platform.post(`/v1/approvals/${approval}/revoke`)
    const types = async (query: string) => new Set((await all(platform, query)).map(shortType))
    expect([...(await types('types=approval.revoked'))]).to.deep.equal(['approval.revoked'])
    expect([...(await types('types=kr.gpubroker.approval.put,approval.revoked'))].toSorted()).to.deep.equal([
      'approval.put',
      'approval.revoked',
    ])
  })

  for (const query of ['types=allocation.sold', 'types=', 'after=-1', 'after=x', 'allocationId=me', 'since=1']) {
    it(`refuses ?${query}`, async () => {
      const { errors = [] } = (await platform.get(`/v1/events?${query}`)).problem('invalid-request')
      expect(errors[0]?.pointer).to.match(new RegExp(`^/${query.split('=')[0]}`))
    })
  }

  it('shows a caller of one organisation, or of one operator, only what is theirs', async () => {
    const [kaist, staff] = [await sharedBroker().as('kaist'), await sharedBroker().as('nhn-staff')]
    const own = await approve(platform)
    const foreign = await approve(platform, { organizationId: 'snu' })
    const mine = await allocate(platform, own, { requires: { providers: ['kakao'] } })
    const theirs = await allocate(platform, foreign, { requires: { providers: ['nhn'] } })
    await platform.post('/v1/providers/nhn/suspend')
    await platform.post('/v1/providers/nhn/resume')
    await platform.post('/v1/clusters/kakao-b200-255/suspend')
    await platform.post('/v1/clusters/kakao-b200-255/resume')
    const subjects = async (client: ApiClient) => new Set((await all(client, 'after=0')).map((event) => event.subject))
    expect([...(await subjects(kaist))])
      .to.include.members([`approvals/${own}`, `allocations/${mine.id}`])
      .and.not.include.members([`approvals/${foreign}`])
    expect([...(await subjects(kaist))].filter((subject) => /^(cluster|provider)s/.test(subject))).to.deep.equal([])
    expect((await page(kaist, `allocationId=${theirs.id}`)).items).to.deep.equal([])
    expect((await page(staff, `allocationId=${mine.id}`)).items).to.deep.equal([])
    const seenByStaff = await subjects(staff)
    expect([...seenByStaff]).to.include.members(['providers/nhn', `allocations/${theirs.id}`])
    expect(seenByStaff.has('clusters/kakao-b200-255')).to.equal(false)
    expect((await (await sharedBroker().as('auditor')).get('/v1/events')).problem('insufficient-scope')).to.be.an(
      'object',
    )
  })
})

describe('events whose retention has passed', () => {
  let broker: TestBroker
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker()
  })
  after(() => broker.stop())

  it('are gone for who wants to read on from there, and the oldest that is kept is named', async () => {
    const platform = await broker.as('platform')
    for (let n = 0; n < 5; n += 1) await approve(platform)
    const last = await lastSequence(platform)
    const { nextCursor } = await page(platform, 'limit=1')
    await broker.inStore((queries) => queries.deleteFrom('events').where('sequence', '<', 4).execute())
    expect((await platform.get('/v1/events?after=2')).problem('events-gone')).to.include({ oldest: 4 })
    expect((await platform.get(`/v1/events?cursor=${nextCursor}`)).problem('events-gone')).to.include({ oldest: 4 })
    expect((await page(platform, 'after=3')).items[0]?.sequence).to.equal(4)
    expect((await page(platform, '')).items[0]?.sequence).to.equal(4)
    await broker.inStore((queries) => queries.deleteFrom('events').execute())
    expect((await platform.get('/v1/events?after=0')).problem('events-gone')).to.include({ oldest: last + 1 })
    expect((await page(platform, `after=${last}`)).items).to.deep.equal([])
  })

  it('are not to be waited for by who has read further than the log goes, as after a restore', async () => {
    const platform = await broker.as('platform')
    for (let n = 0; n < 3; n += 1) await approve(platform)
    const { items, nextCursor } = await page(platform, 'limit=2')
    const last = items.at(-1)?.sequence ?? 0
    // The log as a backup of then has it.
    await broker.inStore(async (queries) => {
      await queries.deleteFrom('events').where('sequence', '>=', last).execute()
      await queries
        .updateTable('calendarHead')
        .set({ eventSequence: last - 1 })
        .execute()
    })
    const beyond = (await platform.get(`/v1/events?after=${last}`)).problem('invalid-request')
    expect(beyond).to.include({ last: last - 1 })
    expect(beyond.errors?.[0]?.pointer).to.equal('/after')
    expect(beyond.detail).to.include(`must be at most ${last - 1}`)
    const ofPage = (await platform.get(`/v1/events?cursor=${nextCursor}`)).problem('invalid-request')
    expect(ofPage.errors?.[0]?.pointer).to.equal('/cursor')
    const accept = { accept: 'text/event-stream' }
    expect((await platform.get(`/v1/events?after=${last}`, accept)).problem('invalid-request')).to.deep.equal(beyond)
    const resumed = await platform.get('/v1/events?after=1', { ...accept, 'last-event-id': String(last) })
    const { detail, errors } = resumed.problem('invalid-request')
    expect(detail).to.match(/^Last-Event-ID must be at most/)
    expect(errors).to.deep.equal([{ pointer: '', detail }])
    expect((await page(platform, `after=${last - 1}`)).items).to.deep.equal([])
    await approve(platform)
    expect((await page(platform, `after=${last - 1}`)).items.map(({ sequence }) => sequence)).to.deep.equal([last])
  })
})
