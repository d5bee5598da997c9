import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { Allocation } from '../../shared/allocation.ts'
import { Decision } from '../../shared/decision.ts'
import { pageOf } from '../../shared/text.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, approve, freshId, reaches, release } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

const ALLOCATIONS = pageOf(Allocation)

describe('the list of allocations', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })
  const page = async (query: string) => (await platform.get(`/v1/allocations?${query}`)).as(200, ALLOCATIONS)
  const ids = async (query: string) => (await page(query)).items.map((item) => item.id)

  it('is newest first, and each stands once on its pages, though more come meanwhile', async () => {
    const approval = await approve(platform)
    const made: string[] = []
    for (let n = 0; n < 5; n += 1) made.unshift((await allocate(platform, approval)).id)
    const query = `approvalId=${approval}&limit=2`
    const first = await page(query)
    await allocate(platform, approval)
    const second = await page(`${query}&cursor=${first.nextCursor}`)
    await release(platform, made[4] ?? '')
    const third = await page(`${query}&cursor=${second.nextCursor}`)
    const seen = [first, second, third].map(({ items }) => items.map((item) => item.id))
    expect(seen).to.deep.equal([made.slice(0, 2), made.slice(2, 4), made.slice(4)])
    expect(third.nextCursor).to.equal(null)
  })

  it('has no next page when the last one is just full', async () => {
    const approval = await approve(platform)
    await allocate(platform, approval)
    await allocate(platform, approval)
    expect((await page(`approvalId=${approval}&limit=2`)).nextCursor).to.equal(null)
  })

  it('is empty where nothing is meant', async () => {
    expect(await page(`approvalId=${freshId('apr')}`)).to.deep.equal({ items: [], nextCursor: null })
  })

  describe('shows only what is asked for:', () => {
    const program = freshId('program')
    const organizationId = freshId('org')
    let here: Allocation
    let there: Allocation
    before(async () => {
      const first = await approve(platform, { program })
      const second = await approve(platform, { program, organizationId })
      here = await allocate(platform, first, {
        requires: { providers: ['kakao'] },
        labels: { task: 'a:b', 'x/y': '%_' },
      })
      there = await allocate(platform, second, { requires: { providers: ['nhn'] }, labels: { task: 'other' } })
      await release(platform, there.id)
      await reaches(platform, there.id, 'cancelled')
    })
    const mine = async (query: string) => ids(`program=${program}&${query}`)

    it('by programme', async () => {
      expect(await ids(`program=${program}`)).to.deep.equal([there.id, here.id])
    })
    it('by status', async () => {
      expect(await mine('status=cancelled')).to.deep.equal([there.id])
      expect(await mine('status=failed')).to.deep.equal([])
    })
    it('by organisation', async () => {
      expect(await ids(`organizationId=${organizationId}`)).to.deep.equal([there.id])
    })
    it('by approval', async () => {
      expect(await ids(`approvalId=${here.approvalId}`)).to.deep.equal([here.id])
    })
    it('by provider', async () => {
      expect(await mine('providerId=kakao')).to.deep.equal([here.id])
    })
    it('by cluster', async () => {
      expect(await mine('clusterId=kakao-b200-255')).to.deep.equal([here.id])
    })
    it('by label, whose value may hold colons and signs', async () => {
      expect(await mine('label=task:a:b')).to.deep.equal([here.id])
      expect(await mine(`label=${encodeURIComponent('x/y:%_')}`)).to.deep.equal([here.id])
      expect(await mine('label=task:a')).to.deep.equal([])
      expect(await mine('label=nothing:a')).to.deep.equal([])
    })
    it('by several at once', async () => {
      expect(await mine('status=scheduled&label=task:a:b&providerId=kakao')).to.deep.equal([here.id])
      expect(await mine('status=scheduled&label=task:a:b&providerId=nhn')).to.deep.equal([])
    })
  })

  it('of one allocation’s nodes and decisions comes in pages too', async () => {
    const { id } = await allocate(platform, await approve(platform), {
      demand: { nodes: 3 },
      period: { durationHours: 1 },
    })
    await reaches(platform, id, 'active')
    const nodes = (query: string) => platform.get(`/v1/allocations/${id}/nodes?${query}`)
    const ordinals: unknown[] = []
    let query = 'limit=2'
    while (query !== '') {
      const body = JSON.parse((await nodes(query)).text) as { items: { ordinal: number }[]; nextCursor: string | null } // held to its schema on arrival
      ordinals.push(...body.items.map((item) => item.ordinal))
      query = body.nextCursor === null ? '' : `limit=2&cursor=${body.nextCursor}`
    }
    expect(ordinals).to.deep.equal([0, 1, 2])
    const decisions = await platform.get(`/v1/allocations/${id}/decisions?limit=1`)
    expect(decisions.as(200, pageOf(Decision)).items.length).to.equal(1)
    await release(platform, id)
  })
})
