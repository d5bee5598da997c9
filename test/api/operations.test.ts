import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import { AuditRecord } from '../../shared/audit.ts'
import { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import { PlacementPreview } from '../../shared/decision.ts'
import { Drain, Frozen, LogLevel } from '../../shared/operation.ts'
import { pageOf } from '../../shared/text.ts'
import { toIso } from '../../shared/time.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, allocationBody, approve, days, freshId, hours, look, reaches, release } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

const CLUSTER = 'kakao-b200-255'
const requires = { providers: ['kakao'] }

describe('operations', () => {
  let platform: ApiClient
  let approval: string
  const drains: string[] = []
  before(async () => {
    platform = await sharedBroker().as('platform')
    approval = await approve(platform)
  })
  afterEach(async () => {
    for (const id of drains.splice(0)) await platform.send('DELETE', `/v1/drains/${id}`)
    await platform.post(`/v1/clusters/${CLUSTER}/resume`)
    await platform.post('/v1/providers/kakao/resume')
  })
  after(() => platform.post(`/v1/approvals/${approval}/revoke`))

  const drain = async (nodes: number, from: string, to: string): Promise<Drain> => {
    const got = await platform.post(`/v1/clusters/${CLUSTER}/drains`, { nodes, from, to, reason: 'maintenance' })
    const made = got.as(201, Drain)
    drains.push(made.id)
    expect(got.headers.get('location')).to.equal(`/v1/drains/${made.id}`)
    return made
  }
  const take = (changes: object) => allocate(platform, approval, { requires, ...changes })

  describe('a drain', () => {
    it('takes nodes out of service for its time, and gives them back when it is lifted', async () => {
      const first = ownDays(3)
      const made = await drain(55, days(first + 1), days(first + 2))
      const drained = async () =>
        (await platform.get(`/v1/clusters/${CLUSTER}/availability?from=${days(first)}&to=${days(first + 3)}`))
          .as(200, Availability)
          .steps.map(({ drainedNodes, freeNodes }) => [drainedNodes, freeNodes])
      expect(await drained()).to.deep.equal([
        [0, 255],
        [55, 200],
        [0, 255],
      ])
      const lifted = await platform.send('DELETE', `/v1/drains/${made.id}`)
      expect(lifted.as(200, Drain).liftedAt).to.be.a('string')
      expect(await drained()).to.deep.equal([[0, 255]])
      const again = await platform.send('DELETE', `/v1/drains/${made.id}`)
      expect([again.text, again.etag()]).to.deep.equal([lifted.text, lifted.etag()])
      expect((await platform.get(`/v1/drains/${made.id}`)).text).to.equal(lifted.text)
    })

    it('is lifted only by who saw it as it is', async () => {
      const first = ownDays(3)
      const { id } = await drain(1, days(first + 1), days(first + 2))
      ;(await platform.send('DELETE', `/v1/drains/${id}`, { headers: { 'if-match': '"lifted"' } })).problem('stale')
      const etag = (await platform.get(`/v1/drains/${id}`)).etag()
      const lifted = await platform.send('DELETE', `/v1/drains/${id}`, { headers: { 'if-match': etag } })
      expect(lifted.as(200, Drain).liftedAt).to.be.a('string')
    })

    it('moves what has not started and would not fit, elsewhere or into the waitlist', async () => {
      const first = ownDays(4)
      const period = { start: days(first), end: days(first + 1) }
      const older = await take({ period, demand: { nodes: 100 } })
      const mobile = await take({ period, demand: { nodes: 155 }, requires: {}, prefers: { provider: 'kakao' } })
      expect(mobile.placement?.clusterId).to.equal(CLUSTER)
      const { affected } = await drain(200, days(first), days(first + 2))
      expect(affected).to.have.deep.members([
        { allocationId: older.id, effect: 'waitlisted' },
        { allocationId: mobile.id, effect: 'relocated' },
      ])
      const waits = await look(platform, older.id)
      expect([waits.status, waits.waitlist?.estimatedStart]).to.deep.equal(['waitlisted', hours(24 * (first + 2))])
      const moved = await look(platform, mobile.id)
      expect([moved.status, moved.placement?.start]).to.deep.equal(['scheduled', days(first)])
      expect(moved.placement?.clusterId).not.to.equal(CLUSTER)
    })

    it('leaves what runs where it is, and shows the shortfall', async () => {
      const running = await take({ period: { durationHours: 3 }, demand: { nodes: 2 } })
      await reaches(platform, running.id, 'active')
      const { affected } = await drain(255, toIso(Date.now()), hours(2))
      expect(affected).to.deep.include({ allocationId: running.id, effect: 'running' })
      const { now } = (await platform.get(`/v1/clusters/${CLUSTER}`)).as(200, ClusterView)
      expect(now).to.include({ nodesDrained: 255, nodesIdle: 0 })
      expect(now.shortfall).to.be.at.least(2)
      expect((await look(platform, running.id)).status).to.equal('active')
      await release(platform, running.id)
      await reaches(platform, running.id, 'released')
    })

    it('lets those who wait start as asked once it is lifted', async () => {
      const first = ownDays(3)
      const { id: drainId } = await drain(255, days(first), days(first + 1))
      const waiting = await take({ period: { start: days(first), end: days(first + 1) } })
      expect(waiting.status).to.equal('waitlisted')
      await platform.send('DELETE', `/v1/drains/${drainId}`)
      const scheduled = await reaches(platform, waiting.id, 'scheduled')
      expect(scheduled.placement?.start).to.equal(days(first))
    })

    it('is refused for more nodes than there are, for a time that is past or none, and without a reason', async () => {
      const body = { nodes: 1, from: days(2), to: days(3), reason: 'maintenance' }
      for (const [pointer, changes] of [
        ['/nodes', { nodes: 256 }],
        ['/nodes', { nodes: 0 }],
        ['/from', { from: days(-3) }],
        ['/to', { to: days(2) }],
        ['/reason', { reason: undefined }],
        ['/who', { who: 'me' }],
      ] as const) {
        const refused = await platform.post(`/v1/clusters/${CLUSTER}/drains`, { ...body, ...changes })
        expect(refused.problem('invalid-request').errors?.map((error) => error.pointer)).to.deep.equal([pointer])
      }
      ;(await platform.post('/v1/clusters/nobody/drains', body)).problem('not-found')
    })

    it('is made once however often its key is sent', async () => {
      const key = { 'idempotency-key': freshId('key') }
      const body = { nodes: 1, from: days(2), to: days(3), reason: 'maintenance' }
      const path = `/v1/clusters/${CLUSTER}/drains`
      const answers = await Promise.all([1, 2, 3].map(() => platform.post(path, body, key)))
      const ids = new Set(answers.filter(({ status }) => status === 201).map((answer) => answer.as(201, Drain).id))
      expect(ids.size).to.equal(1)
      drains.push(...ids)
    })

    it('stands in its cluster’s list, newest first, in pages', async () => {
      const made = [
        await drain(1, days(2), days(3)),
        await drain(1, days(2), days(3)),
        await drain(1, days(2), days(3)),
      ]
      const path = `/v1/clusters/${CLUSTER}/drains?limit=2`
      const first = (await platform.get(path)).as(200, pageOf(Drain))
      const second = (await platform.get(`${path}&cursor=${first.nextCursor}`)).as(200, pageOf(Drain))
      const ids = [...first.items, ...second.items].map((item) => item.id)
      expect(ids.slice(0, 3)).to.deep.equal(made.map((item) => item.id).toReversed())
    })
  })

  describe('a suspension', () => {
    const previewed = async () => {
      const body = { demand: { nodes: 1 }, period: { start: days(2), end: days(3) } }
      const { candidates } = (await platform.post('/v1/placements/preview', body)).as(200, PlacementPreview)
      return candidates.find(({ clusterId }) => clusterId === CLUSTER)
    }

    for (const what of [`clusters/${CLUSTER}`, 'providers/kakao']) {
      it(`of ${what} keeps new placements away until it is resumed`, async () => {
        const schema = what.startsWith('clusters') ? ClusterView : ProviderView
        const scheduled = await take({})
        const before = await platform.get(`/v1/${what}`)
        const suspended = await platform.post(`/v1/${what}/suspend`, { reason: 'power' })
        expect(suspended.as(200, schema).suspended).to.equal(true)
        expect(suspended.etag()).not.to.equal(before.etag())
        expect((await platform.post(`/v1/${what}/suspend`)).etag()).to.equal(suspended.etag())
        expect((await previewed())?.reasons.map(({ rule }) => rule)).to.deep.equal(['suspended'])
        const rejected = allocationBody(approval, { requires, ifUnavailable: 'reject' })
        ;(await platform.post('/v1/allocations', rejected)).problem('no-capacity')
        expect((await look(platform, scheduled.id)).status).to.equal('scheduled')
        const waiting = await take({})
        expect([waiting.status, waiting.waitlist?.estimatedStart]).to.deep.equal(['waitlisted', null])
        expect(waiting.waitlist?.reason).to.include('suspended')
        const resumed = await platform.post(`/v1/${what}/resume`)
        expect([resumed.as(200, schema).suspended, resumed.etag()]).to.deep.equal([false, before.etag()])
        expect((await previewed())?.feasible).to.equal(true)
        expect((await reaches(platform, waiting.id, 'scheduled')).placement?.start).to.equal(days(2))
      })
    }

    it('of what does not exist is not found', async () => {
      ;(await platform.post('/v1/clusters/nobody/suspend')).problem('not-found')
      ;(await platform.post('/v1/providers/nobody/suspend')).problem('not-found')
    })
  })

  describe('a freeze', () => {
    const frozenAt = async (id: string) => (await platform.get(`/v1/providers/${id}`)).as(200, ProviderView).frozen
    afterEach(() => platform.post('/v1/operations/unfreeze'))

    it('keeps the broker from making and deleting at an operator until it is lifted', async () => {
      const asked = { reason: 'a fault', providerId: 'kakao' }
      expect((await platform.post('/v1/operations/freeze', asked)).as(200, Frozen)).to.deep.equal({ frozen: ['kakao'] })
      expect([await frozenAt('kakao'), await frozenAt('nhn')]).to.deep.equal([true, false])
      const standing = sharedBroker().sandbox.standing
      const before = await standing('kakao')
      const taken = await take({ period: { durationHours: 3 }, demand: { nodes: 2 } })
      await reaches(platform, taken.id, 'provisioning')
      // Somebody else's allocation at another operator is built meanwhile: the workers are not idle.
      const elsewhere = await take({
        requires: { providers: ['nhn'] },
        period: { durationHours: 3 },
        demand: { nodes: 1 },
      })
      await reaches(platform, elsewhere.id, 'active')
      expect(await standing('kakao')).to.deep.equal(before)
      expect((await platform.post('/v1/operations/unfreeze', asked)).as(200, Frozen)).to.deep.equal({ frozen: [] })
      await reaches(platform, taken.id, 'active')
      await Promise.all([taken.id, elsewhere.id].map((id) => release(platform, id)))
    })

    it('is for all operators unless it names one, and for an operator’s staff theirs alone', async () => {
      const all = ['kakao', 'naver', 'nhn']
      expect((await platform.post('/v1/operations/freeze')).as(200, Frozen).frozen.toSorted()).to.deep.equal(all)
      await platform.post('/v1/operations/unfreeze')
      const staff = await sharedBroker().as('nhn-staff')
      ;(await staff.post('/v1/operations/freeze', { providerId: 'kakao' })).problem('not-found')
      ;(await staff.post('/v1/operations/freeze')).problem('not-found')
      expect((await staff.post('/v1/operations/freeze', { providerId: 'nhn' })).as(200, Frozen).frozen).to.deep.equal([
        'nhn',
      ])
    })
  })

  it('of somebody else are not there for who is bound, before anything is said of the body', async () => {
    const staff = await sharedBroker().as('nhn-staff')
    for (const path of [
      'clusters/naver-h200-32/suspend',
      'clusters/naver-h200-32/drains',
      'providers/kakao/resume',
      'providers/kakao/reconciliation/approve',
      'providers/kakao/reconciliation/nodes/x/adopt',
    ]) {
      ;(await staff.post(`/v1/${path}`, { colour: 'red' })).problem('not-found')
    }
    ;(await staff.post('/v1/clusters/nhn-b200-510/suspend', { colour: 'red' })).problem('invalid-request')
  })

  describe('the log level', () => {
    const setLevel = (client: ApiClient, body: unknown) => client.put('/v1/operations/log-level', body)
    const changes = () =>
      sharedBroker()
        .logged()
        .filter((line) => line.includes('the log level was changed'))
    afterEach(() => setLevel(platform, { level: 'error' }))

    it('is changed while the broker runs, and both the log and the audit trail tell of it', async () => {
      expect((await setLevel(platform, { level: 'info' })).as(200, LogLevel)).to.deep.equal({ level: 'info' })
      expect(changes(), 'told at the level before').to.deep.equal([])
      const requestId = freshId('level')
      await platform.send('PUT', '/v1/operations/log-level', {
        headers: { 'content-type': 'application/json', 'x-request-id': requestId },
        body: '{"level":"warn"}',
      })
      expect(JSON.parse(changes().at(-1) ?? 'null')).to.include({ from: 'info', to: 'warn' })
      await setLevel(platform, { level: 'info' })
      expect(changes(), 'and warn is above info').to.have.length(1)
      const audit = (await platform.get('/v1/audit?action=setLogLevel&limit=500')).as(200, pageOf(AuditRecord)).items
      expect(audit.find((record) => record.requestId === requestId)).to.include({
        actor: 'platform',
        resource: 'operations/log-level',
        outcome: 'done',
      })
    })

    it('is one that there is', async () => {
      for (const level of ['loud', '', 'INFO', 30, null]) {
        const { errors } = (await setLevel(platform, { level })).problem('invalid-request')
        expect(errors?.map(({ pointer }) => pointer)).to.deep.equal(['/level'])
      }
      ;(await setLevel(platform, { level: 'info', for: 60 })).problem('invalid-request')
    })

    it('is no matter of one operator’s staff', async () => {
      ;(await setLevel(await sharedBroker().as('nhn-staff'), { level: 'trace' })).problem('insufficient-scope')
      ;(await setLevel(await sharedBroker().as('auditor'), { level: 'trace' })).problem('insufficient-scope')
      expect((await setLevel(await sharedBroker().as('sre'), { level: 'warn' })).status).to.equal(200)
    })
  })
})
