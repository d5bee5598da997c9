import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { CloudEvent } from '../../shared/event.ts'
import { pageOf } from '../../shared/text.ts'
import { type ApiClient, tokenFor, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { engineOfThisRun } from '../support/database.ts'
import { openTestStream, type StreamOptions, type TestStream } from '../support/event-stream.ts'
import { allocate, approvalBody, approve, freshId } from './requests.ts'

describe('the stream of events', () => {
  let broker: TestBroker
  let platform: ApiClient
  let token: string
  const streams: TestStream[] = []
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker()
    platform = await broker.as('platform')
    token = await tokenFor(broker.sandbox.identityUrl, 'platform')
  })
  afterEach(async () => {
    for (const stream of streams.splice(0)) await stream.close()
  })
  after(() => broker.stop())

  const open = async (options: Partial<StreamOptions> = {}): Promise<TestStream> => {
    const stream = await openTestStream({ url: broker.url, token, ...options })
    streams.push(stream)
    return stream
  }
  const listed = async (query: string) => (await platform.get(`/v1/events?${query}`)).as(200, pageOf(CloudEvent)).items
  const last = async (): Promise<number> => {
    const { items, nextCursor } = (await platform.get('/v1/events?limit=500')).as(200, pageOf(CloudEvent))
    expect(nextCursor).to.equal(null)
    return items.at(-1)?.sequence ?? 0
  }
  const reaches = (stream: TestStream, sequence: number): Promise<unknown> =>
    until(
      async () => stream.events.at(-1)?.sequence ?? 0,
      (reached) => reached >= sequence,
    )
  const sequences = (...parts: readonly TestStream[]): number[] =>
    parts.flatMap((stream) => stream.events.map((event) => event.sequence))
  /** On a busy machine so many at once are not all let in: who is turned away, without an effect, comes again. */
  const approveOnceTaken = async (): Promise<void> => {
    const path = `/v1/approvals/${freshId('apr')}`
    const put = await until(
      () => platform.put(path, approvalBody()),
      ({ status }) => status !== 503,
    )
    expect(put.status).to.equal(201)
  }
  const through = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n)

  it('begins with what is kept, goes on with what happens, and says what the list says', async () => {
    await approve(platform)
    const stream = await open()
    await approve(platform)
    const end = await last()
    await reaches(stream, end)
    expect(stream.events).to.deep.equal(await listed('limit=500'))
    expect(sequences(stream)).to.deep.equal(through(1, end))
  })

  it('begins behind the last event where that is asked for', async () => {
    const stream = await open({ query: 'after=latest' })
    const before = await last()
    await approve(platform)
    await reaches(stream, before + 1)
    expect(sequences(stream)).to.deep.equal([before + 1])
  })

  it('shows only what is asked for, and only what is the caller’s', async () => {
    const begin = await last()
    const kaist = await tokenFor(broker.sandbox.identityUrl, 'kaist')
    const puts = await open({ query: `types=approval.put&after=${begin}` })
    const theirs = await open({ token: kaist, query: `after=${begin}` })
    const own = await approve(platform)
    const foreign = await approve(platform, { organizationId: 'snu' })
    const { id } = await allocate(platform, own)
    await allocate(platform, foreign)
    const one = await open({ query: `allocationId=${id}&after=${begin}` })
    await approve(platform)
    await until(
      async () => [puts.events.length, theirs.events.length, one.events.length],
      ([put = 0, their = 0, ones = 0]) => put >= 3 && their >= 3 && ones >= 1,
    )
    expect(new Set(puts.events.map((event) => event.type))).to.deep.equal(new Set(['kr.gpubroker.approval.put']))
    expect(theirs.events.map((event) => event.subject).slice(0, 2)).to.deep.equal([
      `approvals/${own}`,
      `allocations/${id}`,
    ])
    expect(theirs.events.map((event) => event.data['organizationId'])).to.deep.equal(['kaist', 'kaist', 'kaist'])
    expect(one.events.map((event) => event.subject)).to.deep.equal([`allocations/${id}`])
  })

  it('resumes behind the last event seen, over a restart too, and Last-Event-ID wins over the address', async () => {
    const begin = await last()
    const first = await open({ query: `after=${begin}` })
    await approve(platform)
    await reaches(first, begin + 1)
    await broker.restart()
    await first.ended
    await approve(platform)
    const second = await open({ query: `after=${begin}`, lastEventId: begin + 1 })
    await approve(platform)
    await reaches(second, begin + 3)
    expect(sequences(first, second)).to.deep.equal(through(begin + 1, begin + 3))
  })

  it('loses and doubles nothing while a hundred requests come at once, however often its readers break off', async () => {
    const begin = await last()
    const load = Promise.all(Array.from({ length: 100 }, approveOnceTaken))
    const parts: TestStream[] = []
    for (let seen = begin; seen < begin + 100; ) {
      const stream = await open({ lastEventId: seen })
      parts.push(stream)
      await reaches(stream, Math.min(seen + 7, begin + 100))
      await stream.close()
      seen = stream.events.at(-1)?.sequence ?? seen
    }
    await load
    expect(sequences(...parts)).to.deep.equal(through(begin + 1, begin + 100))
  })

  it('refuses what names no event, and a place in a page', async () => {
    const headers = { accept: 'text/event-stream' }
    const bad = await platform.get('/v1/events', { ...headers, 'last-event-id': 'x' })
    expect(bad.problem('invalid-request').detail).to.include('Last-Event-ID')
    const { nextCursor } = (await platform.get('/v1/events?limit=1')).as(200, pageOf(CloudEvent))
    const { errors } = (await platform.get(`/v1/events?limit=9&cursor=${nextCursor}`, headers)).problem(
      'invalid-request',
    )
    expect(errors?.map(({ pointer }) => pointer)).to.deep.equal(['/limit', '/cursor'])
    // A charset named does not make it the list: refused as the stream is.
    ;(await platform.get('/v1/events?limit=9', { accept: 'text/event-stream; charset=utf-8' })).problem(
      'invalid-request',
    )
  })

  it('ends when the broker stops, so that stopping does not wait for its readers', async () => {
    const stream = await open()
    const stoppedAt = performance.now()
    const restarted = broker.restart()
    await stream.ended
    expect(performance.now() - stoppedAt).to.be.below(9_000) // what has not ended by itself after 10 s is cut off
    await restarted
  })

  it('is refused as the list is when what comes next is no longer kept', async () => {
    const end = await last()
    await broker.inStore((queries) => queries.deleteFrom('events').where('sequence', '<', end).execute())
    const gone = await platform.get('/v1/events', { accept: 'text/event-stream', 'last-event-id': '1' })
    expect(gone.problem('events-gone')).to.include({ oldest: end })
  })

  if (engineOfThisRun() === 'postgres') {
    it('tells at each replica what happened at another, and resumes there without a loss or a double', async () => {
      const begin = await last()
      const other = await startTestBroker({ sandbox: broker.sandbox, place: broker.place })
      try {
        const there = await other.as('platform')
        const atOther = await open({ url: other.url, lastEventId: begin })
        await Promise.all(Array.from({ length: 20 }, (_, n) => approve(n % 2 === 0 ? platform : there)))
        await reaches(atOther, begin + 20)
        await atOther.close()
        const seen = atOther.events.at(-1)?.sequence ?? begin
        const here = await open({ lastEventId: seen })
        await Promise.all(Array.from({ length: 20 }, (_, n) => approve(n % 2 === 0 ? platform : there)))
        await reaches(here, begin + 40)
        expect(sequences(atOther, here)).to.deep.equal(through(begin + 1, begin + 40))
      } finally {
        await other.stop()
      }
    })
  }
})
