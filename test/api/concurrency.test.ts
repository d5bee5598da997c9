import { expect } from 'chai'
import { sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import type { Queries } from '../../broker/store/database.ts'
import { Allocation } from '../../shared/allocation.ts'
import { pageOf } from '../../shared/text.ts'
import { closeAll } from '../support/close-all.ts'
import { type ApiClient, type Got, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { engineOfThisRun } from '../support/database.ts'
import { allocate, allocationBody, approve, days, freshId } from './requests.ts'

const CLUSTER = 'kakao-b200-255'
const FREE = 10
const requires = { providers: ['kakao'] }
const AT_ONCE = 100

/** The most nodes that are reserved at one instant, found without the broker's help. */
async function peakOf(queries: Queries): Promise<number> {
  const { rows } = await sql<{ peak: number }>`
    select max(used)::int as peak from (
      select sum(sum(delta)) over (order by at) as used from (
        select start_at as at, nodes as delta from reservations where cluster_id = ${CLUSTER} and phase <> 'ended'
        union all
        select held_until, -nodes from reservations where cluster_id = ${CLUSTER} and phase <> 'ended'
      ) as edges group by at
    ) as profile`.execute(queries)
  return rows[0]?.peak ?? 0
}

describe('many requests for the last nodes of a cluster', () => {
  const brokers: TestBroker[] = []
  let platforms: ApiClient[]
  let firstDay = 0

  before(async function start() {
    this.timeout(START_WITHIN_MS)
    const first = await startTestBroker()
    brokers.push(first)
    const replicas = engineOfThisRun() === 'postgres' ? 2 : 0 // an embedded database has one broker
    for (let n = 0; n < replicas; n += 1) {
      brokers.push(await startTestBroker({ sandbox: first.sandbox, place: first.place }))
    }
    platforms = await Promise.all(brokers.map((broker) => broker.as('platform')))
  })
  // Looked at once, for all that happened below: PGlite has to be closed and opened for it.
  after(() =>
    closeAll(
      async () => expect(await brokers[0]?.inStore(peakOf), 'most nodes reserved at one instant').to.equal(255),
      ...brokers.toReversed().map((broker) => () => broker.stop()),
    ),
  )

  const clientFor = (n: number): ApiClient => {
    const client = platforms[n % platforms.length]
    if (client === undefined) throw new Error('at least one broker runs')
    return client
  }
  /** A stretch of time with ten nodes left; @returns what to ask for there. */
  async function nearlyFull(): Promise<{ approval: string; asked: object }> {
    firstDay += 10
    const period = { start: days(firstDay), end: days(firstDay + 2) }
    const approval = await approve(clientFor(0))
    // Through each of them in its turn: who was asked by one alone takes whatever comes at once after it.
    for (const [nth, platform] of platforms.entries()) {
      const nodes = Math.floor((255 - FREE + nth) / platforms.length)
      await allocate(platform, approval, { demand: { nodes }, period, requires })
    }
    return { approval, asked: { requires, period } }
  }
  /** On a busy machine not all of them are let in at once: who is turned away, without an effect, comes again. */
  const all = (ask: (n: number) => Promise<Got>): Promise<Got[]> =>
    Promise.all(
      Array.from({ length: AT_ONCE }, (_, n) =>
        until(
          () => ask(n),
          ({ status }) => status !== 503,
        ),
      ),
    )
  const scheduledIn = (answers: readonly Got[]): Allocation[] =>
    answers
      .filter(({ status }) => status === 201)
      .map((answer) => answer.as(201, Allocation))
      .filter(({ status }) => status === 'scheduled')

  it('that will not wait: exactly what fits is scheduled, the rest is refused', async () => {
    const { approval, asked } = await nearlyFull()
    const body = allocationBody(approval, { ...asked, ifUnavailable: 'reject' })
    const answers = await all((n) => clientFor(n).post('/v1/allocations', body))
    expect(scheduledIn(answers).length).to.equal(FREE)
    const refused = answers.filter(({ status }) => status !== 201)
    for (const answer of refused) answer.problem('no-capacity')
    expect(refused.length).to.equal(AT_ONCE - FREE)
  })

  it('that will wait: exactly what fits is scheduled, the rest is waitlisted', async () => {
    const { approval, asked } = await nearlyFull()
    const answers = await all((n) => clientFor(n).post('/v1/allocations', allocationBody(approval, asked)))
    const taken = answers.map((answer) => answer.as(201, Allocation))
    expect(scheduledIn(answers).length).to.equal(FREE)
    const waiting = taken.filter(({ status }) => status === 'waitlisted')
    expect(waiting.length).to.equal(AT_ONCE - FREE)
    for (const { waitlist } of waiting) expect(waitlist?.promisedStart).to.be.a('string')
    await clientFor(0).post(`/v1/approvals/${approval}/revoke`)
  })

  it('of several sizes: what is scheduled fits, and whatever was refused would not have', async () => {
    const { approval, asked } = await nearlyFull()
    const sizeOf = (n: number): number => 1 + (n % 7)
    const answers = await all((n) =>
      clientFor(n).post(
        '/v1/allocations',
        allocationBody(approval, { ...asked, demand: { nodes: sizeOf(n) }, ifUnavailable: 'reject' }),
      ),
    )
    const nodes = scheduledIn(answers).reduce((sum, { placement }) => sum + (placement?.nodes ?? 0), 0)
    expect(nodes, 'single nodes were asked for, so nothing stays free').to.equal(FREE)
  })

  it('and the same request sent twenty times at once makes one allocation', async () => {
    const { approval, asked } = await nearlyFull()
    const body = allocationBody(approval, { ...asked, name: 'once', demand: { nodes: FREE } })
    const headers = { 'idempotency-key': freshId('key') }
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => clientFor(n).post('/v1/allocations', body, headers)),
    )
    const kept = answers.filter(({ status }) => status === 201)
    for (const answer of answers.filter(({ status }) => status !== 201)) answer.problem('idempotency-in-flight')
    expect(new Set(kept.map((answer) => answer.headers.get('location'))).size).to.equal(1)
    expect(kept.filter((answer) => answer.headers.get('idempotent-replayed') === null).length).to.equal(1)
    const listed = (await clientFor(1).get(`/v1/allocations?approvalId=${approval}`)).as(200, pageOf(Allocation))
    expect(listed.items.filter(({ name }) => name === 'once').length).to.equal(1)
  })

  it('are seen by every broker as they are, one as the other', async () => {
    const { approval } = await nearlyFull()
    const views = await Promise.all(
      platforms.map(async (platform) => [
        (await platform.get(`/v1/allocations?approvalId=${approval}`)).text,
        (await platform.get(`/v1/clusters/${CLUSTER}/availability?from=${days(0)}&to=${days(100)}`)).text,
        (await platform.get('/v1/waitlist')).text,
      ]),
    )
    for (const view of views) expect(view).to.deep.equal(views[0])
  })
})
