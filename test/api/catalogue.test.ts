import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import { pageOf } from '../../shared/text.ts'
import { DAY_MS, toIso } from '../../shared/time.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, approve, days, reaches, release } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

describe('the catalogue', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })
  const cluster = async (id: string) => (await platform.get(`/v1/clusters/${id}`)).as(200, ClusterView)

  it('lists the operators with their health and their clusters', async () => {
    const { items, nextCursor } = (await platform.get('/v1/providers')).as(200, pageOf(ProviderView))
    expect([items.map(({ id }) => id), nextCursor]).to.deep.equal([['kakao', 'naver', 'nhn'], null])
    expect(items.map(({ clusters }) => clusters.length)).to.deep.equal([2, 3, 3])
    for (const { health, suspended, frozen } of items) {
      expect(health).to.deep.include({ state: 'up', circuits: { read: 'closed', create: 'closed', delete: 'closed' } })
      expect([suspended, frozen]).to.deep.equal([false, false])
    }
    expect((await platform.get('/v1/providers/nhn')).as(200, ProviderView).name).to.equal('NHN Cloud')
  })

  it('lists the clusters with the programme’s figures', async () => {
    const { items } = (await platform.get('/v1/clusters')).as(200, pageOf(ClusterView))
    const figures = items.map((one) => [one.id, one.nodes, one.gpus, one.fp8H200Equivalent, one.share, one.placeable])
    expect(figures).to.deep.equal([
      ['kakao-b200-255', 255, 2_040, 4_590, 'government', true],
      ['kakao-b200-own', 48, 384, 864, 'operator', false],
      ['naver-h200-255', 255, 2_040, 2_040, 'government', true],
      ['naver-h200-32', 32, 256, 256, 'government', true],
      ['naver-h200-own', 95, 760, 760, 'operator', false],
      ['nhn-b200-255', 255, 2_040, 4_590, 'government', true],
      ['nhn-b200-510', 510, 4_080, 9_180, 'government', true],
      ['nhn-b200-own', 192, 1_536, 3_456, 'operator', false],
    ])
    const government = items.filter(({ share }) => share === 'government')
    expect(government.reduce((sum, { gpus }) => sum + gpus, 0)).to.equal(10_456)
    expect((await cluster('nhn-b200-510')).phases.map(({ from, nodes }) => [from, nodes])).to.deep.equal([
      ['2026-03-31T00:00:00Z', 255],
      ['2026-12-31T00:00:00Z', 510],
    ])
  })

  it('comes in pages, each cluster once', async () => {
    const ids: string[] = []
    let path = '/v1/clusters?limit=3'
    while (path !== '') {
      const { items, nextCursor } = (await platform.get(path)).as(200, pageOf(ClusterView))
      expect(items.length).to.be.at.most(3)
      ids.push(...items.map(({ id }) => id))
      path = nextCursor === null ? '' : `/v1/clusters?limit=3&cursor=${nextCursor}`
    }
    expect([ids.length, new Set(ids).size]).to.deep.equal([8, 8])
  })

  it('shows what runs on a cluster now, and that it does not once it is given back', async () => {
    const before = (await cluster('nhn-b200-255')).now
    const { id } = await allocate(platform, await approve(platform), {
      demand: { nodes: 3 },
      requires: { providers: ['nhn'], stages: ['beta'] },
      period: { durationHours: 1 },
    })
    await reaches(platform, id, 'active')
    const { etag, body } = await (async () => {
      const got = await platform.get('/v1/clusters/nhn-b200-255')
      return { etag: got.etag(), body: got.as(200, ClusterView).now }
    })()
    expect(body).to.deep.include({
      nodesActive: before.nodesActive + 3,
      nodesReady: before.nodesReady + 3,
      nodesReserved: before.nodesReserved + 3,
      nodesIdle: before.nodesIdle - 3,
      shortfall: 0,
    })
    await release(platform, id)
    await reaches(platform, id, 'released')
    expect((await cluster('nhn-b200-255')).now).to.deep.equal(before)
    expect((await platform.get('/v1/clusters/nhn-b200-255')).etag(), 'progress is not a new version').to.equal(etag)
  })

  describe('tells of a cluster’s availability', () => {
    const asked = (query: string, id = 'kakao-b200-255') => platform.get(`/v1/clusters/${id}/availability?${query}`)
    const stepsOf = async (from: string, to: string, id?: string) =>
      (await asked(`from=${from}&to=${to}`, id)).as(200, Availability).steps

    it('in steps that cover the range without a gap, each different from the one before', async () => {
      const first = ownDays(6)
      const approval = await approve(platform)
      const requires = { providers: ['kakao'] }
      for (const [from, to, nodes] of [
        [1, 3, 100],
        [2, 4, 50],
        [4, 5, 50],
      ] as const) {
        const period = { start: days(first + from), end: days(first + to) }
        await allocate(platform, approval, { requires, demand: { nodes }, period })
      }
      const steps = await stepsOf(days(first), days(first + 6))
      expect([steps[0]?.from, steps.at(-1)?.to]).to.deep.equal([days(first), days(first + 6)])
      for (const [at, step] of steps.entries()) {
        const next = steps[at + 1]
        if (next === undefined) continue
        expect(next.from).to.equal(step.to)
        const { from: _from, to: _to, ...figures } = step
        expect(next).not.to.deep.include(figures)
      }
      for (const { capacityNodes, reservedNodes, drainedNodes, freeNodes, shortfallNodes } of steps) {
        expect(capacityNodes - reservedNodes - drainedNodes).to.equal(freeNodes - shortfallNodes)
      }
      const reservedAt = (day: number) => {
        const at = Date.parse(days(first + day)) + DAY_MS / 2
        return steps.find(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to))?.reservedNodes
      }
      expect([0, 1, 2, 3, 4, 5].map(reservedAt)).to.deep.equal([0, 100, 150, 50, 50, 0])
      await platform.post(`/v1/approvals/${approval}/revoke`)
      expect((await stepsOf(days(first), days(first + 6))).map(({ reservedNodes }) => reservedNodes)).to.deep.equal([0])
    })

    it('through the phases in which it grows', async () => {
      const steps = await stepsOf('2025-01-01T00:00:00Z', '2027-01-31T00:00:00Z', 'nhn-b200-510')
      const capacities = steps.map(({ from, capacityNodes }) => [from, capacityNodes])
      expect(capacities[0]).to.deep.equal(['2025-01-01T00:00:00Z', 0])
      expect(capacities).to.deep.include(['2026-03-31T00:00:00Z', 255])
      expect(steps.at(-1)?.capacityNodes).to.equal(510)
    })

    it('of the past, as it was', async () => {
      const start = Date.now()
      const { id } = await allocate(platform, await approve(platform), {
        demand: { nodes: 7 },
        requires: { stages: ['beta'], providers: ['nhn'] },
        period: { durationHours: 1 },
      })
      await reaches(platform, id, 'active')
      const activeAt = Date.now()
      await release(platform, id)
      await reaches(platform, id, 'released')
      const steps = await stepsOf(toIso(start - DAY_MS), toIso(activeAt), 'nhn-b200-255')
      expect(steps.at(-1)?.reservedNodes).to.equal((steps[0]?.reservedNodes ?? 0) + 7)
    })

    it('for ninety days from now where no range is given', async () => {
      const { steps } = (await platform.get('/v1/clusters/kakao-b200-255/availability')).as(200, Availability)
      const length = Date.parse(steps.at(-1)?.to ?? '') - Date.parse(steps[0]?.from ?? '')
      expect(length).to.equal(90 * DAY_MS)
      expect(Math.abs(Date.parse(steps[0]?.from ?? '') - Date.now())).to.be.below(10_000)
    })

    it('of at most three years', async () => {
      const from = '2027-03-01T00:00:00Z'
      expect((await asked(`from=${from}&to=2030-03-01T00:00:00Z`)).status).to.equal(200)
      for (const query of [
        `from=${from}&to=2030-03-01T00:00:01Z`,
        `from=${from}&to=${from}`,
        `from=${from}&to=2026-03-01T00:00:00Z`,
        'from=yesterday',
        'to=2001-01-01T00:00:00Z',
        'since=2027-03-01T00:00:00Z',
      ]) {
        ;(await asked(query)).problem('invalid-request')
      }
    })
  })
})
