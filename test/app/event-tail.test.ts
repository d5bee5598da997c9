import { expect } from 'chai'
import { sql } from 'kysely'
import { after, before, describe, it } from 'mocha'
import { createEventTail, type EventTail } from '../../broker/app/event-tail.ts'
import { install } from '../../broker/app/install.ts'
import type { EventFilter } from '../../broker/core/event-filter.ts'
import { insertRows } from '../../broker/store/rows.ts'
import type { EventRow } from '../../broker/store/changes.ts'
import { until } from '../support/api-client.ts'
import { START_WITHIN_MS } from '../support/broker.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'
import { serveEvents } from './served-events.ts'

const NOW = Date.parse('2026-12-01T00:00:00Z')
const LIFTED: EventFilter = {
  types: ['kr.gpubroker.cluster.drain-lifted'],
  allocationId: null,
  organizationId: null,
  providerId: null,
}

const eventRow = (sequence: number, type: EventRow['type']): EventRow => ({
  sequence,
  id: `evt_${sequence}`,
  type,
  subject: 'clusters/one',
  at: NOW,
  allocationId: null,
  organizationId: null,
  providerId: null,
  data: {},
  traceparent: null,
})

describe('a reader of the log of events', () => {
  let database: TestDatabase
  let tail: EventTail
  let last = 0
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    database = await openTestDatabase('pglite')
    await install(database, [], NOW)
    tail = createEventTail({ database, installationId: 'ins', onOpened: () => undefined })
  })
  after(() => database.close())

  const happen = async (types: readonly EventRow['type'][]): Promise<void> => {
    const rows = types.map((type) => eventRow((last += 1), type))
    await database.transaction((trx) => insertRows(trx, 'events', rows))
    await database.queries.updateTable('calendarHead').set({ eventSequence: last }).execute()
    await tail.refresh()
  }

  it('has come past what it does not ask for, so that it can come back behind that', async () => {
    await happen(['kr.gpubroker.cluster.suspended'])
    const reader = await tail.open(LIFTED, 'latest')
    await tail.refresh() // from here on it is read from memory
    expect(reader.position()).to.equal(1)
    const next = reader.next()
    await happen(['kr.gpubroker.cluster.suspended', 'kr.gpubroker.cluster.resumed'])
    await new Promise((resolve) => void setImmediate(resolve))
    expect(reader.position()).to.equal(3)
    await happen(['kr.gpubroker.cluster.drain-lifted'])
    expect((await next)?.map(({ sequence }) => sequence)).to.deep.equal([4])
    expect(reader.position()).to.equal(4)
    reader.close()
  })

  it('who stops reading is let go with little held for it, holds up nobody, and resumes without a loss', async () => {
    const begin = last
    const end = begin + LARGE_EVENTS
    await sql`insert into events (sequence, id, type, subject, at, data)
      select n, 'evt_' || n, 'kr.gpubroker.cluster.resumed', 'clusters/one', ${NOW}, json_build_object('x', repeat('x', 8000))
      from generate_series(${begin + 1}::int, ${end}::int) n`.execute(database.queries)
    await database.queries.updateTable('calendarHead').set({ eventSequence: end }).execute()
    last = end
    const server = await serveEvents(
      createEventTail({ database, installationId: 'ins', onOpened: () => undefined, maxKept: 500 }),
    )
    try {
      const slow = await server.read({ after: begin, stalledMs: 1_000, stops: true })
      const quick = await server.read({ after: begin })
      await until(
        async () => quick.seen.length,
        (length) => length === LARGE_EVENTS,
      )
      expect(quick.seen).to.deep.equal(numbers(begin + 1, end))
      await until(server.readers, (readers) => readers === 1) // the slow one is let go
      // What the two ends of a connection hold beside this is the kernel's, some megabytes of the 24 there are.
      expect(server.mostHeld()).to.be.within(1, PAGE_BYTES)
      await slow.readToTheEnd()
      const seen = slow.seen.at(-1) ?? begin
      expect(slow.seen).to.deep.equal(numbers(begin + 1, seen))
      expect(seen, 'it had begun, and had not come to the end').to.be.within(begin + 1, end - 1)
      const resumed = await server.read({ after: seen })
      await until(
        async () => resumed.seen.length,
        (length) => length === end - seen,
      )
      expect(resumed.seen).to.deep.equal(numbers(seen + 1, end))
    } finally {
      await server.close()
    }
  })
})

const LARGE_EVENTS = 3_000
/** Some more than the broker hands over at once: 200 events of 8,000 characters, with what is around those. */
const PAGE_BYTES = 200 * 9_000

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, n) => from + n)
