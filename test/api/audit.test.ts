import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import { auditTrail, firstBroken } from './audit-trail.ts'
import { allocate, allocationBody, approve, freshId, reaches, release } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

describe('the audit trail', () => {
  let platform: ApiClient
  let auditor: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
    auditor = await sharedBroker().as('auditor')
  })

  const about = async (resource: string) =>
    (await auditTrail(auditor)).filter((record) => record.resource.startsWith(resource))

  it('says who did what, when, from which client and under which request id', async () => {
    const approvalId = await approve(platform)
    const requestId = freshId('req')
    const created = await platform.post('/v1/allocations', allocationBody(approvalId), { 'x-request-id': requestId })
    const { id } = JSON.parse(created.text) as { id: string } // 201: the allocation
    await release(platform, id)
    const records = await about(`allocations/${id}`)
    expect(records.map(({ action, actor, outcome }) => [action, actor, outcome])).to.deep.equal([
      ['createAllocation', 'platform', 'done'],
      ['releaseAllocation', 'platform', 'done'],
    ])
    expect(records[0]).to.include({ requestId, organizationId: 'kaist', code: null })
    expect(Math.abs(Date.parse(records[0]?.at ?? '') - Date.now())).to.be.lessThan(60_000)
    expect((await about(`approvals/${approvalId}`)).map((record) => record.action)).to.deep.equal(['putApproval'])
  })

  it('has what was refused, with the reason, and what was repeated only once', async () => {
    const unknown = freshId('req')
    await platform.post('/v1/allocations', allocationBody('nobody-knows'), { 'x-request-id': unknown })
    const approvalId = await approve(platform)
    const key = freshId('key')
    for (const requestId of [`${key}-1`, `${key}-2`]) {
      await platform.post('/v1/allocations', allocationBody(approvalId), {
        'idempotency-key': key,
        'x-request-id': requestId,
      })
    }
    const records = await auditTrail(auditor)
    expect(records.find((record) => record.requestId === unknown)).to.include({
      action: 'createAllocation',
      outcome: 'refused',
      code: 'approval-unknown',
    })
    const repeated = records.map((record) => record.requestId).filter((id) => id.startsWith(key))
    expect(repeated).to.deep.equal([`${key}-1`])
  })

  it('is found by client, by operation and by time', async () => {
    const sre = await sharedBroker().as('sre')
    const begun = (await auditTrail(auditor)).at(-1)?.sequence ?? 0
    await sre.post('/v1/clusters/kakao-b200-255/suspend')
    await sre.post('/v1/clusters/kakao-b200-255/resume')
    const mine = (await auditTrail(auditor, '&actor=sre&action=suspendCluster')).filter(
      (record) => record.sequence > begun,
    )
    expect(mine.map((record) => [record.resource, record.providerId])).to.deep.equal([
      ['clusters/kakao-b200-255/suspend', 'kakao'],
    ])
    const at = mine[0]?.at ?? ''
    const since = await auditTrail(auditor, `&from=${at}`)
    expect(since.map((record) => record.sequence)).to.include(mine[0]?.sequence)
    expect((await auditTrail(auditor, `&to=${at}`)).map((record) => record.sequence)).to.not.include(mine[0]?.sequence)
    expect(await auditTrail(auditor, '&from=2099-01-01T00:00:00Z')).to.deep.equal([])
  })

  for (const query of [
    '&from=then',
    '&action=drop table',
    '&actor=',
    '&colour=red',
    '&from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z',
  ]) {
    it(`refuses ?${query.slice(1)}`, async () => {
      expect((await auditor.get(`/v1/audit?${query.slice(1)}`)).problem('invalid-request').errors).to.have.length(1)
    })
  }

  it('is for those who may read it', async () => {
    for (const client of ['kaist', 'sre', 'nhn-staff']) {
      const caller = await sharedBroker().as(client)
      expect((await caller.get('/v1/audit')).problem('insufficient-scope')).to.be.an('object')
      expect((await caller.get('/v1/audit/chain')).problem('insufficient-scope')).to.be.an('object')
    }
  })

  it('is one chain from its first record to its last', async () => {
    await approve(platform)
    expect(await firstBroken(auditor)).to.equal(null)
  })

  it('holds nothing of what was sent: no token, no key, no secret of a webhook (invariant 9)', async () => {
    const planted = freshId('planted')
    const approvalId = await approve(platform, { note: `note ${planted}` })
    const { id } = await allocate(platform, approvalId, {
      name: planted,
      period: { durationHours: 1 },
      access: { sshPublicKeys: [`ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI ${planted}`] },
    })
    await platform.post(`/v1/allocations/${id}/extend`, { end: '2020-01-01T00:00:00Z' }, { 'idempotency-key': planted })
    await reaches(platform, id, 'active')
    await release(platform, id)
    const webhook = await platform.post('/v1/webhooks', { url: `https://hooks.example/${planted}?token=${planted}` })
    const { secret } = JSON.parse(webhook.text) as { secret?: string } // shown once, with a 201
    const trail = JSON.stringify(await auditTrail(auditor))
    expect(trail).to.include(id).and.not.include(planted)
    if (secret !== undefined) expect(trail).to.not.include(secret)
    expect(trail).to.not.match(/eyJ|Bearer/)
  })
})

describe('an audit trail that somebody has changed', () => {
  let broker: TestBroker
  before(async function start() {
    this.timeout(START_WITHIN_MS)
    broker = await startTestBroker()
  })
  after(() => broker.stop())

  it('breaks at the record that was changed, and goes on unbroken over a restart before', async () => {
    const platform = await broker.as('platform')
    const auditor = await broker.as('auditor')
    for (let n = 0; n < 3; n += 1) await approve(platform)
    await broker.restart()
    for (let n = 0; n < 3; n += 1) await approve(platform)
    expect(await firstBroken(auditor)).to.equal(null)
    await broker.inStore((queries) =>
      queries.updateTable('audit').set({ actor: 'nobody' }).where('sequence', '=', 4).execute(),
    )
    expect(await firstBroken(auditor)).to.equal(4)
  })
})
