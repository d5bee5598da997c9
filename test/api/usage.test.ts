import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { Approval } from '../../shared/approval.ts'
import { HOUR_MS, toIso } from '../../shared/time.ts'
import { ClosedPeriod, Settlement, type UsageItem, UsageReport } from '../../shared/usage.ts'
import { type ApiClient, until } from '../support/api-client.ts'
import { allocate, approve, days, freshId, reaches, release } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

const usage = async (client: ApiClient, query: string): Promise<UsageReport> =>
  (await client.get(`/v1/usage?${query}`)).as(200, UsageReport)

const SINCE = `from=${days(-1)}&to=${days(1)}`

describe('usage', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })

  const ofApproval = async (approvalId: string, also = ''): Promise<UsageItem | undefined> =>
    (await usage(platform, `${SINCE}&groupBy=approval${also}`)).items.find((item) => item.approval === approvalId)

  /** Two nodes that were active for a moment and are gone. */
  async function used(changes: object = {}): Promise<{ approvalId: string; activeMs: number }> {
    const approvalId = await approve(platform, { program: freshId('program') })
    const { id } = await allocate(platform, approvalId, {
      demand: { nodes: 2 },
      period: { durationHours: 1 },
      ...changes,
    })
    const { activeAt } = await reaches(platform, id, 'active')
    const released = await release(platform, id)
    await reaches(platform, id, 'released')
    return { approvalId, activeMs: Date.parse(released.placement?.end ?? '') - Date.parse(activeAt ?? '') }
  }

  it('counts nodes as active between the instants at which they became ready and were given back, to the millisecond', async () => {
    const { approvalId, activeMs } = await used()
    const item = await ofApproval(approvalId)
    expect(item?.nodeHoursActive).to.be.closeTo((2 * activeMs) / HOUR_MS, 1e-6)
    expect(item?.gpuHoursActive).to.be.closeTo((16 * activeMs) / HOUR_MS, 1e-6)
    expect(item?.nodeHoursReserved).to.be.greaterThan(item?.nodeHoursActive ?? 0)
  })

  it('says of an approval what its nodes reserved come to', async () => {
    const { approvalId } = await used()
    const item = await ofApproval(approvalId)
    const { usage: shown } = (await platform.get(`/v1/approvals/${approvalId}`)).as(200, Approval)
    expect(shown.gpuHoursUsed).to.be.closeTo((item?.nodeHoursReserved ?? 0) * 8, 1e-3)
    expect(shown.gpuHoursCommitted).to.equal(shown.gpuHoursUsed)
    expect(shown.nodesInUse).to.equal(0)
  })

  async function running(): Promise<{ approvalId: string; id: string }> {
    const approvalId = await approve(platform)
    const { id } = await allocate(platform, approvalId, { period: { durationHours: 1 } })
    await reaches(platform, id, 'active')
    return { approvalId, id }
  }

  it('goes on counting what runs', async () => {
    const { approvalId, id } = await running()
    const first = (await ofApproval(approvalId))?.nodeHoursActive ?? 0
    await until(
      () => ofApproval(approvalId),
      (item) => (item?.nodeHoursActive ?? 0) > first,
    )
    await release(platform, id)
    await reaches(platform, id, 'released')
    expect(await ofApproval(approvalId)).to.deep.equal(await ofApproval(approvalId))
  })

  it('counts compute in H200s by the cluster that gave it', async () => {
    const { approvalId } = await used({ requires: { architectures: ['blackwell'] } })
    const item = await ofApproval(approvalId)
    expect(item?.fp8H200EquivalentHours).to.be.closeTo(2.25 * (item?.gpuHoursActive ?? 0), 1e-5)
  })

  it('adds up alike whatever it is grouped by, and cut in two', async () => {
    await used()
    const range = { from: days(-1), to: toIso(Date.now()), middle: toIso(Date.now() - 500) }
    const sums = await Promise.all(
      ['', '&groupBy=organization,day', '&groupBy=provider,cluster', '&groupBy=share', '&groupBy=organizationType'].map(
        async (groupBy) => usage(platform, `from=${range.from}&to=${range.to}${groupBy}`),
      ),
    )
    for (const { items, total, groupBy } of sums) {
      expect(total.nodeHoursReserved).to.be.greaterThan(0)
      if (groupBy.length === 0) continue
      const sum = items.reduce((hours, item) => hours + item.nodeHoursReserved, 0)
      expect(sum).to.be.closeTo(total.nodeHoursReserved, 1e-4)
    }
    const whole = sums[0]?.total.nodeHoursReserved ?? 0
    const [early, late] = await Promise.all([
      usage(platform, `from=${range.from}&to=${range.middle}`),
      usage(platform, `from=${range.middle}&to=${range.to}`),
    ])
    expect(early.total.nodeHoursReserved + late.total.nodeHoursReserved).to.be.closeTo(whole, 1e-4)
  })

  it('is nothing yet in a time to come, while meters run', async () => {
    const { approvalId, id } = await running()
    const ahead = await usage(platform, `from=${days(30)}&to=${days(60)}`)
    expect(Object.values(ahead.total)).to.deep.equal([0, 0, 0, 0])
    const byApproval = await usage(platform, `from=${days(30)}&to=${days(60)}&groupBy=approval`)
    expect(byApproval.items.filter((item) => item.approval === approvalId)).to.deep.equal([])
    const month = toIso(Date.parse(days(40))).slice(0, 7)
    const settlement = (await platform.get(`/v1/usage/periods/${month}/settlement`)).as(200, Settlement)
    expect(settlement).to.deep.include({ status: 'open', items: [] })
    await release(platform, id)
  })

  it('comes as a table for who accepts that', async () => {
    const { approvalId } = await used()
    const got = await platform.get(`/v1/usage?${SINCE}&groupBy=approval,share`, { accept: 'text/csv' })
    expect(got.headers.get('content-type')).to.equal('text/csv; charset=utf-8; header=present')
    const [head, ...lines] = got.text.split('\r\n')
    expect(head).to.equal('approval,share,nodeHoursReserved,nodeHoursActive,gpuHoursActive,fp8H200EquivalentHours')
    expect(lines.find((line) => line.startsWith(`${approvalId},government,`))).to.match(/,\d+(\.\d+)?$/)
  })

  it('comes as a table or not as the caller weighs the two, a charset named or not', async () => {
    for (const [accept, type] of [
      ['text/csv; charset=utf-8', 'text/csv'],
      ['text/csv;header=present', 'text/csv'],
      ['application/json;q=0.5, text/csv;q=0.6', 'text/csv'],
      ['text/csv; charset=utf-8; q=0.5, application/json; charset=utf-8', 'application/json'],
      ['text/csv; charset=euc-kr', 'application/json'],
      ['text/csv;q=0', 'application/json'],
      ['*/*', 'application/json'],
      ['text/html', 'application/json'],
    ] as const) {
      const got = await platform.get(`/v1/usage?${SINCE}&groupBy=day`, { accept })
      expect(got.headers.get('content-type')?.split(';')[0], accept).to.equal(type)
    }
  })

  it('shows a caller of one organisation only its own', async () => {
    await used({})
    const foreign = await approve(platform, { organizationId: 'snu' })
    const { id } = await allocate(platform, foreign, { period: { durationHours: 1 } })
    await reaches(platform, id, 'active')
    await release(platform, id)
    const kaist = await sharedBroker().as('kaist')
    const seen = await usage(kaist, `${SINCE}&groupBy=organization`)
    expect(seen.items.map((item) => item.organization)).to.deep.equal(['kaist'])
    const all = await usage(await sharedBroker().as('auditor'), `${SINCE}&groupBy=organization`)
    expect(all.items.map((item) => item.organization)).to.include.members(['kaist', 'snu'])
    expect((await (await sharedBroker().as('sre')).get('/v1/usage')).problem('insufficient-scope')).to.be.an('object')
  })

  for (const query of [
    'groupBy=colour',
    'groupBy=',
    'groupBy=day,day',
    'groupBy=day,program,share',
    'from=yesterday',
    'from=2026-12-01T00:00:00Z&to=2026-12-01T00:00:00Z',
    'from=2020-01-01T00:00:00Z&to=2026-12-01T00:00:00Z',
    'from=2025-01-01T00:00:00Z&to=2026-12-01T00:00:00Z&groupBy=day',
    'limit=5',
  ]) {
    it(`refuses ?${query}`, async () => {
      expect((await platform.get(`/v1/usage?${query}`)).problem('invalid-request').errors).to.have.length(1)
    })
  }
})

describe('a month', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })

  it('is not closed before it is over', async () => {
    const thisMonth = toIso(Date.now()).slice(0, 7) // asked for now: a run may go over the end of the one in which it began
    const got = await platform.post(`/v1/usage/periods/${thisMonth}/close`)
    expect(got.problem('not-in-this-status')).to.include({ period: thisMonth })
    expect((await platform.get(`/v1/usage/periods/${thisMonth}/settlement`)).as(200, Settlement).status).to.equal(
      'open',
    )
  })

  it('is closed once, however often it is asked', async () => {
    const first = (await platform.post('/v1/usage/periods/2025-01/close')).as(200, ClosedPeriod)
    expect(first).to.include({ from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' })
    expect((await platform.post('/v1/usage/periods/2025-01/close')).as(200, ClosedPeriod)).to.deep.equal(first)
    const settled = (await platform.get('/v1/usage/periods/2025-01/settlement')).as(200, Settlement)
    expect(settled).to.deep.include({ status: 'closed', closedAt: first.closedAt, items: [] })
  })

  it('is none where it cannot be read, and is closed by nobody who is bound', async () => {
    expect((await platform.post('/v1/usage/periods/2025-13/close')).problem('not-found')).to.be.an('object')
    const staff = await sharedBroker().as('nhn-staff')
    expect((await staff.post('/v1/usage/periods/2025-02/close')).problem('not-found')).to.be.an('object')
    const auditor = await sharedBroker().as('auditor')
    expect((await auditor.post('/v1/usage/periods/2025-02/close')).problem('insufficient-scope')).to.be.an('object')
  })
})
