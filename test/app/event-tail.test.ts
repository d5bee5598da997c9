import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { createEventTail, type EventTail } from '../../broker/app/event-tail.ts'
import { install } from '../../broker/app/install.ts'
import type { EventFilter } from '../../broker/core/event-filter.ts'
import { insertRows } from '../../broker/store/rows.ts'
import type { EventRow } from '../../broker/store/changes.ts'
import { START_WITHIN_MS } from '../support/broker.ts'
import { openTestDatabase, type TestDatabase } from '../support/database.ts'

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
})
