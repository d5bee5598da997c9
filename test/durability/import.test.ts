/** Taking over a fleet that is in use: whole, without touching a node, and released like any other at its end. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Allocation } from '../../shared/allocation.ts'
import { type ImportedAllocation, ImportReport } from '../../shared/fleet-import.ts'
import { Reconciliation } from '../../shared/reconciliation.ts'
import { allocate, approvalBody, days, freshId, hours, look, reaches, release } from '../api/requests.ts'
import { nodesOf } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { type HandMade, handMadeAt } from './hand-made.ts'
import { OPERATORS } from './operators.ts'

describe('a fleet in use that is taken over', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({
    nodes: { 'kakao-b200-255': 4 },
    env: { NODE_HEALTH_SECONDS: '0.5', SWEEP_INTERVAL_SECONDS: '1' },
    leavesNodes: true,
  })

  const entry = (nodes: HandMade, changes: Partial<ImportedAllocation> = {}): ImportedAllocation => ({
    approvalId: world.approvalId,
    name: 'since before',
    period: { start: days(-10), end: days(10) },
    ...nodes,
    ...changes,
  })
  const importing = (body: object, apply = true) => world.platform.post(`/v1/operations/import?apply=${apply}`, body)
  const imported = async (body: object, apply = true): Promise<ImportReport> =>
    (await importing(body, apply)).as(200, ImportReport)
  const idOf = (report: ImportReport): string => report.allocations[0]?.allocationId ?? ''
  const pointersOf = async (body: object): Promise<string[]> =>
    ((await importing(body)).problem('invalid-request').errors ?? []).map(({ pointer }) => pointer)
  const listAll = async (): Promise<number> =>
    ((await world.platform.get('/v1/allocations?limit=500')).text.match(/"id":"alc_/g) ?? []).length

  for (const operator of OPERATORS) {
    it(`runs on at ${operator} as active on its own nodes, and is gone from the list at its end (invariants 2, 3)`, async () => {
      const nodes = await handMadeAt(world.operators, operator, 2)
      const standing = await world.operators.standing(operator)
      const id = idOf(await imported({ allocations: [entry(nodes)] }))
      const active: Allocation = await look(world.platform, id)
      expect([active.status, active.nodes]).to.deep.equal(['active', { desired: 2, ready: 2, failed: 0 }])
      expect([active.activeAt, active.placement?.clusterId]).to.deep.equal([days(-10), nodes.clusterId])
      // A look after it came over: it is no worse, and nothing was built or deleted.
      const seen = await eventually(
        `${id} looked at`,
        () => world.broker.scrape('gpu_broker_look_duration_seconds_count'),
        (looks) => looks > 3,
      )
      expect(seen).to.be.greaterThan(3)
      expect((await look(world.platform, id)).statusReason).to.equal(null)
      expect(
        (await nodesOf(world.platform, id)).map((node) => [node.status, node.providerInstanceId]),
      ).to.have.deep.members(nodes.providerInstanceIds.map((one) => ['ready', one]))
      expect(await world.operators.standing(operator)).to.equal(standing)
      const swept = await eventually(
        `${operator} swept`,
        async () => (await world.platform.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation),
        ({ startedAt }) => Date.parse(startedAt ?? '') > Date.parse(active.createdAt),
      )
      expect(
        swept.findings.filter(({ providerInstanceId }) => nodes.providerInstanceIds.includes(providerInstanceId)),
      ).to.deep.equal([])
      await release(world.platform, id)
      await reaches(world.platform, id, 'released')
      expect(await world.operators.standing(operator)).to.equal(standing - 2)
    })
  }

  it('is only told of without apply, and changes nothing a second time', async () => {
    const nodes = await handMadeAt(world.operators, 'nhn', 1)
    const newApproval = { id: freshId('apr'), ...approvalBody() }
    const file = { approvals: [newApproval], allocations: [entry(nodes, { approvalId: newApproval.id })] }
    const before = await listAll()
    const told = await imported(file, false)
    expect([told.applied, told.problems]).to.deep.equal([false, []])
    expect([told.approvals[0]?.effect, told.allocations[0]?.effect]).to.deep.equal(['create', 'create'])
    expect(await listAll()).to.equal(before)
    expect((await world.platform.get(`/v1/approvals/${newApproval.id}`)).status).to.equal(404)
    const id = idOf(await imported(file))
    const again = await imported(file)
    expect([again.approvals[0]?.effect, again.allocations[0]?.effect, idOf(again)]).to.deep.equal([
      'unchanged',
      'unchanged',
      id,
    ])
    expect(await listAll()).to.equal(before + 1)
    await release(world.platform, id)
    await reaches(world.platform, id, 'released')
  })

  it('is taken over whole or not at all: every problem is named where it stands', async () => {
    const nodes = await handMadeAt(world.operators, 'nhn', 2)
    const [first = ''] = nodes.providerInstanceIds
    const before = await listAll()
    const wrong: readonly (readonly [string, ImportedAllocation])[] = [
      ['/clusterId', entry(nodes, { clusterId: 'moon-base' })],
      ['/approvalId', entry(nodes, { approvalId: 'nobody' })],
      ['/period/start', entry(nodes, { period: { start: hours(5), end: days(5) } })],
      ['/period/end', entry(nodes, { period: { start: days(-5), end: hours(-5) } })],
      ['/access/image', entry(nodes, { access: { image: 'windows-95' } })],
      ['/providerInstanceIds/1', entry(nodes, { providerInstanceIds: [first, first] })],
      ['/providerInstanceIds/1', entry(nodes, { providerInstanceIds: [first, 'no-such-node'] })],
      ['/providerInstanceIds/0', entry({ ...nodes, clusterId: 'nhn-b200-255' })],
    ]
    for (const [pointer, allocation] of wrong) {
      const good = entry(await handMadeAt(world.operators, 'nhn', 1))
      const found = await pointersOf({ allocations: [good, allocation] })
      expect(found, JSON.stringify(allocation)).to.include(`/allocations/1${pointer}`)
      expect(found.filter((one) => one.startsWith('/allocations/0'))).to.deep.equal([])
    }
    expect(await listAll()).to.equal(before)
  })

  it('takes no node that an allocation has already, nor one that a broker has built', async () => {
    const nodes = await handMadeAt(world.operators, 'nhn', 2)
    const id = idOf(await imported({ allocations: [entry(nodes)] }))
    const [first = ''] = nodes.providerInstanceIds
    expect(await pointersOf({ allocations: [entry({ ...nodes, providerInstanceIds: [first] })] })).to.deep.equal([
      '/allocations/0/providerInstanceIds/0',
    ])
    const built = await allocate(world.platform, world.approvalId, {
      requires: { providers: ['nhn'] },
      period: { durationHours: 24 },
    })
    await reaches(world.platform, built.id, 'active')
    const own = (await nodesOf(world.platform, built.id)).map((node) => node.providerInstanceId ?? '')
    expect(await pointersOf({ allocations: [entry({ ...nodes, providerInstanceIds: own })] })).to.deep.equal([
      '/allocations/0/providerInstanceIds/0',
    ])
    for (const one of [id, built.id]) await release(world.platform, one)
    for (const one of [id, built.id]) await reaches(world.platform, one, 'released')
  })

  it('moves who has not started, and never holds more than its cluster has (invariant 1)', async () => {
    const kakao = { requires: { providers: ['kakao'] } }
    const next = await allocate(world.platform, world.approvalId, { ...kakao, demand: { nodes: 2 } })
    expect(next.status).to.equal('scheduled')
    // Made after that: a sweep that finds them before they are taken over counts them as drained.
    const nodes = await handMadeAt(world.operators, 'kakao', 3)
    expect(nodes.clusterId).to.equal('kakao-b200-255')
    const id = idOf(await imported({ allocations: [entry(nodes)] }))
    expect((await look(world.platform, next.id)).status).to.equal('waitlisted')
    expect(await pointersOf({ allocations: [entry(await handMadeAt(world.operators, 'kakao', 2))] })).to.deep.equal([
      '/allocations/0/clusterId',
    ])
    for (const one of [next.id, id]) await release(world.platform, one)
    await reaches(world.platform, id, 'released')
  })

  it('has a node that fails replaced under a name of ours', async () => {
    const nodes = await handMadeAt(world.operators, 'nhn', 2)
    const id = idOf(await imported({ allocations: [entry(nodes)] }))
    await world.operators.breakNode('nhn', nodes.providerInstanceIds[0] ?? '')
    const standing = await eventually(
      `${id} whole again`,
      () => nodesOf(world.platform, id),
      (shown) => shown.some(({ generation, status }) => generation === 2 && status === 'ready'),
    )
    expect(standing.filter(({ status }) => status === 'ready')).to.have.length(2)
    await reaches(world.platform, id, 'active')
    await release(world.platform, id)
    await reaches(world.platform, id, 'released')
    expect((await world.operators.everBuilt('nhn', id)).every(({ deletedAt }) => deletedAt !== null)).to.equal(true)
  })

  it('is for operators of the service alone, and waits for an operator that does not answer', async () => {
    const kaist = await world.broker.as('kaist')
    ;(await kaist.post('/v1/operations/import', { allocations: [] })).problem('insufficient-scope')
    const nodes = await handMadeAt(world.operators, 'nhn', 1)
    const staff = await world.broker.as('nhn-staff')
    const own = (await staff.post('/v1/operations/import', { allocations: [entry(nodes)] })).as(200, ImportReport)
    expect(own.problems).to.deep.equal([])
    const others = entry({ ...nodes, clusterId: 'kakao-b200-255' })
    const told = (await staff.post('/v1/operations/import', { allocations: [others] })).as(200, ImportReport)
    expect(told.problems.map(({ pointer }) => pointer)).to.deep.equal(['/allocations/0/clusterId'])
    await world.operators.setFaults('nhn', [{ match: { path: '.' }, effect: 'reset-before' }])
    ;(await importing({ allocations: [entry(nodes)] })).problem('unavailable')
    await world.operators.calm()
  })

  it('registers approvals only for who may register them one by one', async () => {
    const sre = await world.broker.as('sre')
    const approvals = [{ id: freshId('apr'), ...approvalBody() }]
    for (const apply of [false, true]) {
      const refused = await sre.post(`/v1/operations/import?apply=${apply}`, { approvals })
      expect(refused.problem('insufficient-scope')).to.include({ status: 403, scope: 'approvals:write' })
    }
    ;(await world.platform.get(`/v1/approvals/${approvals[0]?.id}`)).problem('not-found')
    expect((await sre.post('/v1/operations/import', { allocations: [] })).status).to.equal(200)
  })
})
