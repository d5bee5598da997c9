import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { HOUR_MS, toIso } from '../../shared/time.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, allocationBody, approve, days, hours, look } from './requests.ts'
import { sharedBroker } from './shared-broker.ts'

describe('an allocation is placed', () => {
  let platform: ApiClient
  let approval: string
  before(async () => {
    platform = await sharedBroker().as('platform')
    approval = await approve(platform)
  })
  const take = (changes: object) => allocate(platform, approval, changes)

  describe('when its period says:', () => {
    /** So many hours before it is asked for: what was counted when the run began would be longer past by then. */
    const ago = (past: number): string => toIso(Date.now() - past * HOUR_MS)

    it('from the start to the end of a fixed one', async () => {
      const { placement, status, period } = await take({ period: { start: days(2), end: days(3) } })
      expect([status, placement?.start, placement?.end]).to.deep.equal(['scheduled', days(2), days(3)])
      expect(period).to.deep.equal({ start: days(2), end: days(3) })
    })

    it('at once where a flexible one names no start', async () => {
      const { placement, createdAt, period } = await take({ period: { durationHours: 1.5 } })
      expect(period).to.deep.equal({ durationHours: 1.5 })
      expect(placement?.start).to.equal(createdAt)
      expect(Date.parse(placement?.end ?? '') - Date.parse(createdAt)).to.equal(1.5 * HOUR_MS)
    })

    it('at the earliest start of a flexible one', async () => {
      const { placement, status } = await take({ period: { durationHours: 24, earliestStart: days(4) } })
      expect([status, placement?.start, placement?.end]).to.deep.equal(['scheduled', days(4), days(5)])
    })

    it('at once where a start is up to an hour past, with the end that was asked for', async () => {
      const start = ago(0.9)
      const { placement, createdAt, period } = await take({ period: { start, end: hours(30) } })
      expect(period).to.deep.equal({ start, end: hours(30) })
      expect([placement?.start, placement?.end]).to.deep.equal([createdAt, hours(30)])
    })

    it('at once where an earliest start is up to an hour past, for the whole length', async () => {
      const earliestStart = ago(0.9)
      const { placement, createdAt } = await take({ period: { durationHours: 2, earliestStart } })
      expect(placement?.start).to.equal(createdAt)
      expect(Date.parse(placement?.end ?? '') - Date.parse(createdAt)).to.equal(2 * HOUR_MS)
    })

    for (const [pointer, periodNow] of [
      ['/period/start', () => ({ start: hours(-2), end: days(2) })],
      ['/period/end', () => ({ start: ago(0.8), end: ago(0.5) })],
      ['/period/earliestStart', () => ({ durationHours: 5, earliestStart: hours(-2) })],
      ['/period/latestStart', () => ({ durationHours: 5, latestStart: hours(-2) })],
    ] as const) {
      it(`not where it is past: ${pointer}`, async () => {
        const refused = await platform.post('/v1/allocations', allocationBody(approval, { period: periodNow() }))
        expect(refused.problem('invalid-request').errors?.map((error) => error.pointer)).to.deep.equal([pointer])
      })
    }

    it('by the instant, whatever offset it is written in', async () => {
      const year = new Date().getUTCFullYear() + 1
      const { placement, period } = await take({
        period: { start: `${year}-07-01T09:00:00+09:00`, end: `${year}-07-02T08:30:00.000+09:00` },
      })
      const utc = { start: `${year}-07-01T00:00:00Z`, end: `${year}-07-01T23:30:00Z` }
      expect(period).to.deep.equal(utc)
      expect(placement).to.deep.include(utc)
    })
  })

  describe('with as many nodes as its demand comes to:', () => {
    for (const [demand, requires, nodes] of [
      [{ nodes: 3 }, {}, 3],
      [{ gpus: 16 }, {}, 2],
      [{ fp8H200Equivalent: 36 }, { architectures: ['blackwell'] }, 2],
      [{ fp8H200Equivalent: 36.1 }, { architectures: ['blackwell'] }, 3],
      [{ fp8H200Equivalent: 36 }, { architectures: ['hopper'] }, 5],
    ] as const) {
      it(`${JSON.stringify(demand)} ${JSON.stringify(requires)}`, async () => {
        const taken = await take({ demand, requires })
        expect([taken.placement?.nodes, taken.placement?.gpus]).to.deep.equal([nodes, nodes * 8])
        expect([taken.demand, taken.requires, taken.nodes.desired]).to.deep.equal([demand, requires, nodes])
      })
    }
  })

  describe('on a cluster that has what it requires:', () => {
    for (const [requires, clusters] of [
      [{ architectures: ['hopper'] }, ['naver-h200-255', 'naver-h200-32']],
      [{ gpuModels: ['H200'], minClusterNodes: 33 }, ['naver-h200-255']],
      [{ cooling: ['liquid'] }, ['nhn-b200-255', 'nhn-b200-510']],
      [{ cooling: ['undisclosed', 'air'], architectures: ['blackwell'] }, ['kakao-b200-255']],
      [{ minClusterNodes: 256 }, ['nhn-b200-510']],
      [{ providers: ['kakao', 'nobody'] }, ['kakao-b200-255']],
      [{ stages: ['beta'], cooling: ['liquid'] }, ['nhn-b200-255']],
      [{ shares: ['government', 'operator'], providers: ['kakao'] }, ['kakao-b200-255']],
    ] as const) {
      it(JSON.stringify(requires), async () => {
        const { placement, status } = await take({ requires })
        expect(status).to.equal('scheduled')
        expect(clusters).to.include(placement?.clusterId)
      })
    }
  })

  it('where it prefers to be, as long as that makes it no later', async () => {
    for (const provider of ['kakao', 'naver', 'nhn']) {
      expect((await take({ prefers: { provider } })).placement?.providerId).to.equal(provider)
    }
    const { placement } = await take({ prefers: { provider: 'kakao' }, requires: { architectures: ['hopper'] } })
    expect(placement?.providerId).to.equal('naver')
  })

  it('with what the caller said about it, and without the keys that it is reached by', async () => {
    const labels = { task: 'pretrain', 'team/name': '한글 이름' }
    const access = {
      sshPublicKeys: ['ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeKey kim@kaist'],
      image: 'ubuntu-24.04-cuda',
    }
    const prefers = { architecture: 'blackwell' }
    const taken = await take({ name: '한국어 모델', labels, access, prefers })
    expect(taken).to.deep.include({ name: '한국어 모델', labels, prefers, organizationId: 'kaist', waitlist: null })
    expect(taken).to.deep.include({ program: 'ai-foundation-model', priority: 'standard', statusReason: null })
    const again = await platform.get(`/v1/allocations/${taken.id}`)
    expect(again.text).not.to.include('AAAAC3NzaC1lZDI1NTE5')
    expect(await look(platform, taken.id)).to.deep.equal(taken)
  })
})
