import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { z } from 'zod'
import { Candidate, Reason, type RuleName } from '../../shared/decision.ts'
import type { RefusalCode } from '../../shared/refusal.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, allocationBody, approve, days, freshId, hours, release } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

const NeverServed = z.array(z.strictObject({ clusterId: z.string(), reasons: z.array(Reason).min(1) }))

describe('an allocation is refused', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })
  const ask = (approvalId: string, changes: object = {}) =>
    platform.post('/v1/allocations', allocationBody(approvalId, changes))

  describe('for the first reason in the order of the contract:', () => {
    const PAST = { period: { start: days(-2), end: days(2) } }
    const NOT_WHOLE = { demand: { gpus: 20 } }
    const NEVER = { requires: { cooling: ['air'] } }
    const REJECT = { ifUnavailable: 'reject' }
    const all = { ...PAST, ...NOT_WHOLE, ...NEVER, ...REJECT }
    const valid = { ...all, period: { start: days(2), end: days(3) } }
    const cases: readonly (readonly [RefusalCode, object, object])[] = [
      ['invalid-request', all, { maxNodes: 1 }],
      ['approval-exceeded', valid, { maxNodes: 1 }],
      ['demand-not-whole-nodes', valid, {}],
      ['unsatisfiable', { ...valid, demand: { gpus: 16 } }, {}],
    ]
    for (const [code, changes, limits] of cases) {
      it(code, async () => {
        const before = await platform.get('/v1/allocations?limit=1')
        ;(await ask(await approve(platform, {}, limits), changes)).problem(code)
        expect((await platform.get('/v1/allocations?limit=1')).text).to.equal(before.text)
      })
    }

    it('invalid-request also where the approval is unknown', async () => {
      ;(await ask(freshId('apr'), all)).problem('invalid-request')
    })

    it('approval-unknown', async () => {
      const id = freshId('apr')
      expect((await ask(id, valid)).problem('approval-unknown')).to.include({ approvalId: id })
    })

    it('approval-revoked', async () => {
      const id = await approve(platform, {}, { maxNodes: 1 })
      await platform.post(`/v1/approvals/${id}/revoke`)
      ;(await ask(id, valid)).problem('approval-revoked')
    })
  })

  describe('as more than the approval allows, with the limit, what was asked and what is left:', () => {
    const cases = [
      ['maxNodes', { maxNodes: 4 }, { demand: { nodes: 5 } }, 5, 4],
      ['gpuHours', { gpuHours: 191 }, {}, 192, 191],
      [
        'architectures',
        { architectures: ['hopper'] },
        { requires: { architectures: ['blackwell'] } },
        ['blackwell'],
        ['hopper'],
      ],
      ['validFrom', { validFrom: days(2.5) }, {}, days(2), days(2.5)],
      ['validTo', { validTo: days(2.5) }, {}, days(3), days(2.5)],
    ] as const
    for (const [limit, limits, changes, asked, left] of cases) {
      it(limit, async () => {
        const refused = (await ask(await approve(platform, {}, limits), changes)).problem('approval-exceeded')
        expect(refused).to.deep.include({ limit, asked, left })
      })
    }

    it('counting what it has committed at the same time', async () => {
      const id = await approve(platform, {}, { maxNodes: 4 })
      await allocate(platform, id, { demand: { nodes: 3 } })
      expect((await ask(id, { demand: { nodes: 2 } })).problem('approval-exceeded')).to.include({ asked: 2, left: 1 })
      await allocate(platform, id, { demand: { nodes: 4 }, period: { start: days(3), end: days(4) } })
    })

    it('counting the GPU-hours of those that wait', async () => {
      const first = ownDays(2)
      const full = {
        demand: { nodes: 255 },
        requires: { providers: ['kakao'] },
        period: { start: days(first), end: days(first + 1) },
      }
      const blocker = await allocate(platform, await approve(platform), full)
      const id = await approve(platform, {}, { gpuHours: 255 * 8 * 24 })
      expect((await allocate(platform, id, full)).status).to.equal('waitlisted')
      expect((await ask(id, { period: { durationHours: 1 } })).problem('approval-exceeded')).to.include({
        limit: 'gpuHours',
        left: 0,
      })
      await platform.post(`/v1/approvals/${id}/revoke`)
      await release(platform, blocker.id)
    })
  })

  describe('as never to be served, with the reason of every cluster:', () => {
    const cases: readonly (readonly [RuleName, object])[] = [
      ['cooling', { requires: { cooling: ['air'] } }],
      ['gpu-model', { requires: { gpuModels: ['B200'], architectures: ['hopper'] } }],
      ['cluster-size', { demand: { nodes: 511 } }],
      ['cluster-size', { requires: { minClusterNodes: 511 } }],
      ['cluster-size', { demand: { gpus: 8 * 511 } }],
      ['provider', { requires: { providers: ['nobody'] } }],
      ['provider', { requires: { shares: ['operator'] } }],
      ['stage', { requires: { stages: ['beta'], providers: ['naver'] } }],
      ['image', { access: { image: 'windows-95' } }],
      ['horizon', { period: { start: days(900), end: days(1_200) } }],
    ]
    for (const [rule, changes] of cases) {
      it(`${rule}: ${JSON.stringify(changes)}`, async () => {
        const approval = await approve(platform, {}, { validTo: days(2_000) })
        const refused = (await ask(approval, changes)).problem('unsatisfiable')
        const candidates = NeverServed.parse(refused['candidates'])
        expect(candidates.length).to.equal(8)
        expect(candidates.flatMap(({ reasons }) => reasons.map((reason) => reason.rule))).to.include(rule)
      })
    }
  })

  describe('for want of capacity when the caller will not wait,', () => {
    it('with every candidate and what is free there', async () => {
      const approval = await approve(platform)
      const first = ownDays(2)
      const period = { start: days(first), end: days(first + 1) }
      const requires = { providers: ['kakao'] }
      const blocker = await allocate(platform, approval, { demand: { nodes: 250 }, period, requires })
      const reject = { period, requires, ifUnavailable: 'reject' }
      const refused = (await ask(approval, { ...reject, demand: { nodes: 6 } })).problem('no-capacity')
      const candidates = z.array(Candidate).parse(refused['candidates'])
      const kakao = candidates.find(({ clusterId }) => clusterId === 'kakao-b200-255')
      expect(kakao).to.deep.include({ feasible: true, earliestStart: hours(24 * (first + 1) + 1) })
      expect(kakao?.reasons.map(({ rule, wanted, found }) => [rule, wanted, found])).to.deep.equal([
        ['free-nodes', 6, 5],
      ])
      const last = await allocate(platform, approval, { ...reject, demand: { nodes: 5 } })
      expect(last.status).to.equal('scheduled')
      await release(platform, last.id)
      await release(platform, blocker.id)
    })

    it('but not where a start up to latestStart can be had', async () => {
      const approval = await approve(platform)
      const first = ownDays(3)
      const requires = { providers: ['kakao'] }
      const blocking = { start: days(first), end: days(first + 1) }
      const blocker = await allocate(platform, approval, { demand: { nodes: 255 }, period: blocking, requires })
      const flexible = (latestStart: string) => ({
        requires,
        ifUnavailable: 'reject',
        period: { durationHours: 24, earliestStart: days(first), latestStart },
      })
      ;(await ask(approval, flexible(days(first + 1)))).problem('no-capacity')
      const taken = await allocate(platform, approval, flexible(days(first + 2)))
      expect(taken.status).to.equal('waitlisted')
      expect(taken.waitlist?.estimatedStart).to.equal(hours(24 * (first + 1) + 1))
      await release(platform, taken.id)
      await release(platform, blocker.id)
    })
  })
})
