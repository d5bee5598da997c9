import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createCalendarCache } from '../../broker/app/calendar-cache.ts'
import { install } from '../../broker/app/install.ts'
import { createMetrics } from '../../broker/metrics.ts'
import { prepareScrapes } from '../../broker/observe/scrape.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { START_WITHIN_MS } from '../support/broker.ts'

const NOW = Date.parse('2027-01-04T10:00:00Z')
const STORE_GAUGES = ['gpu_broker_webhook_retrying', 'gpu_broker_metering_gap_allocations', 'gpu_broker_deletes_held']

describe('a scrape', () => {
  let database: TestDatabase
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    database = await openTestDatabase('pglite')
    await install(database, [], NOW)
  })
  after(() => database.close())

  const prepared = () => {
    const metrics = createMetrics()
    const scrapes = prepareScrapes({
      app: { database, cache: createCalendarCache(database, () => NOW), now: () => NOW },
      directory: { entries: [] },
      metrics,
      eventStreams: () => 3,
      onError: () => undefined,
      readWithinMs: 1_000, // to read an embedded store for the first time takes a busy machine some hundred
    })
    const scrape = async (): Promise<readonly string[]> => {
      await scrapes.refresh()
      return (await metrics.read('text/plain')).text.split('\n')
    }
    return { scrape, stop: scrapes.stop }
  }

  it('answers in time while the store cannot be read, says so, and shows no figure of before', async () => {
    const { scrape, stop } = prepared()
    const there = await scrape()
    expect(there).to.include('gpu_broker_database_up 1')
    for (const name of STORE_GAUGES) expect(there).to.include(`${name} 0`)
    // The embedded engine has one connection: whoever asks meanwhile waits.
    const [taken, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const holding = database.transaction(async () => {
      taken.resolve()
      await released.promise
    })
    await taken.promise
    for (const away of [await scrape(), await scrape()]) {
      expect(away).to.include('gpu_broker_database_up 0')
      expect(away).to.include('gpu_broker_event_streams 3')
      for (const name of STORE_GAUGES) expect(away.filter((line) => line.startsWith(name))).to.deep.equal([])
    }
    released.resolve()
    await holding
    expect(await scrape()).to.include('gpu_broker_database_up 1')
    stop()
  })

  it('answers where reading fails, and tells of it once for all who asked at the time', async () => {
    const metrics = createMetrics()
    const errors: unknown[] = []
    const broken = {
      ...database,
      get queries(): never {
        throw new Error('the connection broke')
      },
    }
    const { refresh, stop } = prepareScrapes({
      app: { database: broken, cache: createCalendarCache(broken, () => NOW), now: () => NOW },
      directory: { entries: [] },
      metrics,
      eventStreams: () => 0,
      onError: (error) => errors.push(error),
    })
    await Promise.all([refresh(), refresh()])
    expect((await metrics.read('text/plain')).text).to.include('gpu_broker_database_up 0')
    expect(errors.map(String)).to.deep.equal(['Error: the connection broke'])
    stop()
  })
})
