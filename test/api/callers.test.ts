import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Allocation, WaitlistItem } from '../../shared/allocation.ts'
import { Approval } from '../../shared/approval.ts'
import { pageOf } from '../../shared/text.ts'
import type { ApiClient, Got } from '../support/api-client.ts'
import type { TestBroker } from '../support/broker.ts'
import { allocate, allocationBody, approvalBody, approve, days, freshId, look } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

const CLIENTS = ['platform', 'opaque', 'sre', 'auditor', 'kaist', 'nhn-staff'] as const
type Client = (typeof CLIENTS)[number]

const EVERYBODY = [200, 200, 200, 200, 200, 200]
const PROBLEM_OF: Readonly<Record<number, string>> = {
  403: 'insufficient-scope',
  404: 'not-found',
  422: 'approval-unknown',
}

describe('a caller', () => {
  let broker: TestBroker
  let platform: ApiClient
  /** Of KAIST, at Kakao. */
  let kaist: Allocation
  /** Of another organisation, at NHN. */
  let other: Allocation
  /** Of KAIST, and of the other, waiting. */
  let waiting: Allocation[]
  let approvals: string[]
  const otherOrganization = freshId('org')

  before(async () => {
    broker = sharedBroker()
    platform = await broker.as('platform')
    const own = await approve(platform)
    const foreign = await approve(platform, { organizationId: otherOrganization })
    kaist = await allocate(platform, own, { requires: { providers: ['kakao'] } })
    other = await allocate(platform, foreign, { requires: { providers: ['nhn'] } })
    const first = ownDays(6) // with those that wait, one day after the other
    const full = {
      demand: { nodes: 255 },
      requires: { providers: ['kakao'] },
      period: { start: days(first), end: days(first + 1) },
    }
    await allocate(platform, foreign, full)
    approvals = [own, foreign]
    waiting = [await allocate(platform, foreign, full), await allocate(platform, own, full)]
  })

  after(async () => {
    for (const id of approvals) await platform.post(`/v1/approvals/${id}/revoke`)
  })

  /** In the order of `CLIENTS`; each asks anew, because what one changes the next would find changed. */
  const answersTo = async (ask: (client: ApiClient) => Promise<Got>): Promise<number[]> => {
    const statuses: number[] = []
    for (const id of CLIENTS) {
      const got = await ask(await broker.as(id))
      const code = PROBLEM_OF[got.status]
      if (code !== undefined) expect(JSON.parse(got.text), `${id}: ${got.text}`).to.include({ code })
      statuses.push(got.status)
    }
    return statuses
  }
  const clientsWith = (statuses: readonly number[], status: number): Client[] =>
    CLIENTS.filter((_, at) => statuses[at] === status)

  describe('reads the catalogue with catalog:read, whoever it is:', () => {
    for (const path of [
      '/v1/providers',
      '/v1/providers/nhn',
      '/v1/clusters',
      '/v1/clusters/kakao-b200-255',
      '/v1/clusters/kakao-b200-255/availability',
      '/v1/clusters/kakao-b200-255/drains',
    ]) {
      it(path, async () => {
        expect(await answersTo((client) => client.get(path))).to.deep.equal(EVERYBODY)
      })
    }

    it('/v1/placements/preview', async () => {
      const body = { demand: { nodes: 1 }, period: { durationHours: 5 } }
      expect(await answersTo((client) => client.post('/v1/placements/preview', body))).to.deep.equal(EVERYBODY)
    })
  })

  //                     platform opaque sre auditor kaist nhn-staff
  const OF_KAIST = [200, 200, 200, 403, 200, 404]
  const OF_OTHER_AT_NHN = [200, 200, 200, 403, 404, 200]

  describe('sees with allocations:read what its claims leave:', () => {
    for (const suffix of ['', '/nodes', '/decisions'] as const) {
      it(`/v1/allocations/{id}${suffix}`, async () => {
        expect(await answersTo((client) => client.get(`/v1/allocations/${kaist.id}${suffix}`))).to.deep.equal(OF_KAIST)
        const foreign = await answersTo((client) => client.get(`/v1/allocations/${other.id}${suffix}`))
        expect(foreign).to.deep.equal(OF_OTHER_AT_NHN)
      })
    }

    it('/v1/approvals/{id}, at an operator those under which something runs there', async () => {
      expect(await answersTo((client) => client.get(`/v1/approvals/${kaist.approvalId}`))).to.deep.equal(OF_KAIST)
      expect(await answersTo((client) => client.get(`/v1/approvals/${other.approvalId}`))).to.deep.equal(
        OF_OTHER_AT_NHN,
      )
    })

    it('and lists hold nothing else', async () => {
      const list = async (client: Client, path: string) => (await broker.as(client)).get(`/v1/${path}?limit=500`)
      const ofKaist = (await list('kaist', 'allocations')).as(200, pageOf(Allocation)).items
      expect(ofKaist.map((item) => item.id)).to.include(kaist.id)
      expect(new Set(ofKaist.map((item) => item.organizationId))).to.deep.equal(new Set(['kaist']))
      const ofNhn = (await list('nhn-staff', 'allocations')).as(200, pageOf(Allocation)).items
      expect(ofNhn.map((item) => item.id)).to.include(other.id)
      expect(new Set(ofNhn.map((item) => item.placement?.providerId))).to.deep.equal(new Set(['nhn']))
      const atKaist = (await list('kaist', 'approvals')).as(200, pageOf(Approval)).items
      expect(new Set(atKaist.map((item) => item.organizationId))).to.deep.equal(new Set(['kaist']))
      const atNhn = (await list('nhn-staff', 'approvals')).as(200, pageOf(Approval)).items.map((item) => item.id)
      expect(atNhn).to.include(other.approvalId)
      expect(new Set(atNhn)).to.deep.equal(new Set(ofNhn.map((item) => item.approvalId)))
    })

    it('and filters open nothing that is closed', async () => {
      for (const query of [
        `organizationId=${otherOrganization}`,
        `approvalId=${other.approvalId}`,
        'providerId=nhn&organizationId=x',
      ]) {
        const got = await (await broker.as('kaist')).get(`/v1/allocations?${query}`)
        expect(got.as(200, pageOf(Allocation)).items, query).to.deep.equal([])
      }
    })

    it('and its own place in the waitlist is counted in the whole list', async () => {
      const list = async (client: Client) =>
        (await (await broker.as(client)).get('/v1/waitlist')).as(200, pageOf(WaitlistItem)).items
      const whole = (await list('platform')).map((item) => item.allocationId)
      expect(whole).to.include.members(waiting.map(({ id }) => id))
      const own = await list('kaist')
      const mine = own.find((item) => item.allocationId === waiting[1]?.id)
      expect(mine?.position).to.equal(whole.indexOf(waiting[1]?.id ?? '') + 1)
      expect(own.map((item) => item.allocationId)).not.to.include(waiting[0]?.id)
      expect(await list('nhn-staff')).to.deep.equal([])
      ;(await (await broker.as('auditor')).get('/v1/waitlist')).problem('insufficient-scope')
    })
  })

  describe('changes only what its scope and its claims allow:', () => {
    it('PUT /v1/approvals/{id}', async () => {
      const statuses = await answersTo((client) => client.put(`/v1/approvals/${freshId('apr')}`, approvalBody()))
      expect(clientsWith(statuses, 201)).to.deep.equal(['platform', 'opaque'])
      expect(clientsWith(statuses, 403)).to.deep.equal(['sre', 'auditor', 'kaist', 'nhn-staff'])
    })

    it('POST /v1/approvals/{id}/revoke', async () => {
      const statuses = await answersTo(async (client) => client.post(`/v1/approvals/${await approve(platform)}/revoke`))
      expect(clientsWith(statuses, 200)).to.deep.equal(['platform', 'opaque'])
      expect(clientsWith(statuses, 403)).to.deep.equal(['sre', 'auditor', 'kaist', 'nhn-staff'])
    })

    it('POST /v1/allocations', async () => {
      const create = (approvalId: string) => (client: ApiClient) =>
        client.post('/v1/allocations', allocationBody(approvalId))
      expect(await answersTo(create(kaist.approvalId))).to.deep.equal([201, 201, 403, 403, 201, 403])
      expect(await answersTo(create(other.approvalId)), 'of another organisation').to.deep.equal([
        201, 201, 403, 403, 422, 403,
      ])
    })

    it('POST /v1/allocations/{id}/release', async () => {
      const releaseOne = (approvalId: string) => async (client: ApiClient) =>
        client.post(`/v1/allocations/${(await allocate(platform, approvalId)).id}/release`)
      expect(await answersTo(releaseOne(kaist.approvalId))).to.deep.equal([202, 202, 403, 403, 202, 403])
      expect(await answersTo(releaseOne(other.approvalId))).to.deep.equal([202, 202, 403, 403, 404, 403])
      expect((await look(platform, other.id)).status).to.equal('scheduled')
    })

    it('POST /v1/clusters/{id}/resume and /v1/providers/{id}/resume', async () => {
      const resume = (what: string) => (client: ApiClient) => client.post(`/v1/${what}/resume`)
      expect(await answersTo(resume('clusters/kakao-b200-255'))).to.deep.equal([200, 200, 200, 403, 403, 404])
      expect(await answersTo(resume('clusters/nhn-b200-255'))).to.deep.equal([200, 200, 200, 403, 403, 200])
      expect(await answersTo(resume('providers/kakao'))).to.deep.equal([200, 200, 200, 403, 403, 404])
      expect(await answersTo(resume('providers/nhn'))).to.deep.equal([200, 200, 200, 403, 403, 200])
    })
  })
})
