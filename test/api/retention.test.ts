import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { AuditRecord } from '../../shared/audit.ts'
import { pageOf } from '../../shared/text.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { firstBroken } from './audit-trail.ts'
import { allocationBody, approve, freshId } from './requests.ts'

const DAY = 1 / 24

describe('what is kept no longer', () => {
  let broker: TestBroker
  let platform: ApiClient
  let auditor: ApiClient
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker({
      env: { RETENTION_EVENTS_DAYS: String(DAY), RETENTION_AUDIT_DAYS: String(DAY), RETENTION_IDEMPOTENCY_HOURS: '24' },
    })
    platform = await broker.as('platform')
    auditor = await broker.as('auditor')
  })
  after(() => broker.stop())

  it('goes from the old end: events, idempotency keys and the audit trail, which stays one chain', async () => {
    const approvalId = await approve(platform)
    const body = allocationBody(approvalId)
    const [old, young] = [freshId('key'), freshId('key')]
    for (const key of [old, young]) await platform.post('/v1/allocations', body, { 'idempotency-key': key })
    // As if the first of each had been written two hours ago, or two days.
    await broker.inStore(async (queries) => {
      const longAgo = Date.now() - 2 * HOUR_MS
      await queries.updateTable('events').set({ at: longAgo }).where('sequence', '<=', 2).execute()
      await queries.updateTable('audit').set({ at: longAgo }).where('sequence', '<=', 2).execute()
      await queries
        .updateTable('idempotencyKeys')
        .set({ at: longAgo - 48 * HOUR_MS })
        .where('key', '=', old)
        .execute()
    })
    const records = await until(
      async () => (await auditor.get('/v1/audit')).as(200, pageOf(AuditRecord)).items,
      (items) => items[0]?.sequence === 3,
    )
    expect(records.map((record) => [record.sequence, record.action])).to.deep.equal([
      [3, 'createAllocation'],
      [4, 'pruneAudit'],
    ])
    expect(await firstBroken(auditor)).to.equal(null)
    expect((await platform.get('/v1/events?after=1')).problem('events-gone')).to.include({ oldest: 3 })
    const again = async (key: string) =>
      (await platform.post('/v1/allocations', body, { 'idempotency-key': key })).headers.get('idempotent-replayed')
    expect([await again(old), await again(young)]).to.deep.equal([null, 'true'])
  })
})
