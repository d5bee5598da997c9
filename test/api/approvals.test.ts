import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { Approval } from '../../shared/approval.ts'
import { pageOf } from '../../shared/text.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, allocationBody, approvalBody, approve, days, freshId, look, reaches, release } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

const APPROVALS = pageOf(Approval)

describe('an approval', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })
  const read = async (id: string): Promise<Approval> => (await platform.get(`/v1/approvals/${id}`)).as(200, Approval)

  it('is registered by its first PUT and replaced by the next', async () => {
    const id = freshId('apr')
    const first = await platform.put(`/v1/approvals/${id}`, approvalBody({ note: 'first' }))
    expect([first.status, first.headers.get('location')]).to.deep.equal([201, `/v1/approvals/${id}`])
    const second = await platform.put(`/v1/approvals/${id}`, approvalBody({ priority: 'national' }, { maxNodes: 8 }))
    const { priority, limits, note, createdAt, status } = second.as(200, Approval)
    expect([priority, limits.maxNodes, note, status]).to.deep.equal(['national', 8, null, 'valid'])
    expect(createdAt).to.equal(first.as(201, Approval).createdAt)
    expect(second.etag()).not.to.equal(first.etag())
    expect(await read(id)).to.deep.equal(second.as(200, Approval))
  })

  it('stays as it is when the same PUT is repeated', async () => {
    const id = await approve(platform)
    const before = await platform.get(`/v1/approvals/${id}`)
    const again = await platform.put(`/v1/approvals/${id}`, approvalBody())
    expect([again.status, again.etag()]).to.deep.equal([200, before.etag()])
    expect(again.text).to.equal(before.text)
  })

  it('shows its limits in UTC, whatever offset they were written in', async () => {
    const limits = { validFrom: '2026-01-01T09:00:00+09:00', validTo: '2030-01-01T08:59:59.5+09:00' }
    const { validFrom, validTo } = (await read(await approve(platform, {}, limits))).limits
    expect([validFrom, validTo]).to.deep.equal(['2026-01-01T00:00:00Z', '2029-12-31T23:59:59.500Z'])
  })

  it('is changed only in the version that If-Match names', async () => {
    const id = await approve(platform)
    const seen = (await platform.get(`/v1/approvals/${id}`)).etag()
    const change = (maxNodes: number, headers: Readonly<Record<string, string>>) =>
      platform.put(`/v1/approvals/${id}`, approvalBody({}, { maxNodes }), headers)
    expect((await change(5, { 'if-match': seen })).status).to.equal(200)
    ;(await change(6, { 'if-match': seen })).problem('stale')
    expect((await read(id)).limits.maxNodes).to.equal(5)
    expect((await change(7, { 'if-match': '*' })).status).to.equal(200)
    ;(await platform.post(`/v1/approvals/${id}/revoke`, undefined, { 'if-match': seen })).problem('stale')
    expect((await read(id)).status).to.equal('valid')
  })

  it('is not made by a PUT that names a version', async () => {
    const id = freshId('apr')
    ;(await platform.put(`/v1/approvals/${id}`, approvalBody(), { 'if-match': '*' })).problem('stale')
    ;(await platform.get(`/v1/approvals/${id}`)).problem('not-found')
  })

  it('is made, and none replaced, by a PUT with If-None-Match: *', async () => {
    const id = freshId('apr')
    const put = (maxNodes: number) =>
      platform.put(`/v1/approvals/${id}`, approvalBody({}, { maxNodes }), { 'if-none-match': '*' })
    expect((await put(5)).status).to.equal(201)
    ;(await put(6)).problem('stale')
    expect((await read(id)).limits.maxNodes).to.equal(5)
  })

  it('counts what is scheduled and what waits as committed, and gives it back when that is cancelled', async () => {
    const id = await approve(platform)
    const first = ownDays(2)
    const period = { start: days(first), end: days(first + 1) }
    const requires = { providers: ['kakao'] }
    const running = await allocate(platform, id, { demand: { nodes: 255 }, period, requires })
    const waiting = await allocate(platform, id, { demand: { nodes: 2 }, period, requires })
    expect([running.status, waiting.status]).to.deep.equal(['scheduled', 'waitlisted'])
    expect((await read(id)).usage).to.deep.equal({
      gpuHoursCommitted: 257 * 8 * 24,
      gpuHoursUsed: 0,
      nodesInUse: 0,
    })
    await release(platform, waiting.id)
    await release(platform, running.id)
    expect((await read(id)).usage.gpuHoursCommitted).to.equal(0)
  })

  it('counts the nodes that stand as in use', async () => {
    const id = await approve(platform)
    const { id: allocationId } = await allocate(platform, id, { demand: { nodes: 3 }, period: { durationHours: 2 } })
    await reaches(platform, allocationId, 'active')
    expect((await read(id)).usage).to.deep.include({ gpuHoursCommitted: 48, nodesInUse: 3 })
    await release(platform, allocationId)
    await reaches(platform, allocationId, 'released')
    const { gpuHoursCommitted, gpuHoursUsed, nodesInUse } = (await read(id)).usage
    expect(nodesInUse).to.equal(0)
    expect(gpuHoursCommitted).to.equal(gpuHoursUsed)
    expect(gpuHoursUsed).to.be.greaterThan(0).and.lessThan(1)
  })

  describe('is not lowered below what is committed:', () => {
    const cases = [
      { limit: 'maxNodes', limits: { maxNodes: 3 } },
      { limit: 'gpuHours', limits: { gpuHours: 4 * 8 * 24 - 1 } },
      { limit: 'architectures', limits: { architectures: ['hopper'] } },
      { limit: 'validFrom', limits: { validFrom: days(2.5) } },
      { limit: 'validTo', limits: { validTo: days(2.5) } },
    ] as const
    for (const { limit, limits } of cases) {
      it(limit, async () => {
        const id = await approve(platform)
        await allocate(platform, id, { demand: { nodes: 4 }, requires: { architectures: ['blackwell'] } })
        const before = await platform.get(`/v1/approvals/${id}`)
        const lowered = await platform.put(`/v1/approvals/${id}`, approvalBody({}, limits))
        expect(lowered.problem('limit-below-committed')).to.include({ limit, status: 409 })
        expect((await platform.get(`/v1/approvals/${id}`)).text).to.equal(before.text)
      })
    }

    it('down to it is allowed', async () => {
      const id = await approve(platform)
      await allocate(platform, id, { demand: { nodes: 4 }, requires: { architectures: ['blackwell'] } })
      const exactly = {
        maxNodes: 4,
        gpuHours: 4 * 8 * 24,
        architectures: ['blackwell'],
        validFrom: days(2),
        validTo: days(3),
      }
      expect((await platform.put(`/v1/approvals/${id}`, approvalBody({}, exactly))).status).to.equal(200)
    })
  })

  describe('when it is revoked', () => {
    it('has its allocations released, whatever they are at', async () => {
      const id = await approve(platform)
      const first = ownDays(2)
      const full = { demand: { nodes: 255 }, requires: { providers: ['kakao'] } }
      const period = { start: days(first), end: days(first + 1) }
      const active = await allocate(platform, id, { period: { durationHours: 1 } })
      const scheduled = await allocate(platform, id, { ...full, period })
      const waiting = await allocate(platform, id, { ...full, period })
      await reaches(platform, active.id, 'active')
      const revoked = await platform.post(`/v1/approvals/${id}/revoke`)
      expect(revoked.as(200, Approval).status).to.equal('revoked')
      expect((await look(platform, scheduled.id)).status).to.equal('cancelled')
      expect((await look(platform, waiting.id)).status).to.equal('cancelled')
      await reaches(platform, active.id, 'released')
    })

    it('stays revoked: a second time changes nothing, and neither does a PUT', async () => {
      const id = await approve(platform)
      const first = await platform.post(`/v1/approvals/${id}/revoke`)
      const second = await platform.post(`/v1/approvals/${id}/revoke`, {})
      expect([second.status, second.etag()]).to.deep.equal([200, first.etag()])
      ;(await platform.put(`/v1/approvals/${id}`, approvalBody())).problem('approval-revoked')
      ;(await platform.post('/v1/allocations', allocationBody(id))).problem('approval-revoked')
    })

    it('is unknown when it never was', async () => {
      ;(await platform.post(`/v1/approvals/${freshId('apr')}/revoke`)).problem('not-found')
    })
  })

  it('stands in the list, newest first, each once however small the pages are', async () => {
    const made = [await approve(platform), await approve(platform), await approve(platform)]
    const seen: string[] = []
    let path: string | null = '/v1/approvals?limit=2'
    while (path !== null) {
      const { items, nextCursor }: { items: Approval[]; nextCursor: string | null } = (await platform.get(path)).as(
        200,
        APPROVALS,
      )
      expect(items.length).to.be.within(1, 2)
      seen.push(...items.map((item) => item.id))
      path = nextCursor === null ? null : `/v1/approvals?limit=2&cursor=${nextCursor}`
    }
    expect(seen.slice(0, 3)).to.deep.equal(made.toReversed())
    expect(new Set(seen).size).to.equal(seen.length)
  })
})
