/** Sweeps of the three operators, with nodes there that the broker has not made, or does not know any more. */
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { Allocation } from '../../shared/allocation.ts'
import { CloudEvent } from '../../shared/event.ts'
import { ClusterView } from '../../shared/cluster.ts'
import { Frozen } from '../../shared/operation.ts'
import { HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { look, release } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { pageOf } from '../../shared/text.ts'
import { toIso } from '../../shared/time.ts'
import { endsInTheEnd } from '../support/ends.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { allocateAt, nodesOf, releaseAndSeeItGone, untilActiveAndTrue, untilStatus } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { OPERATORS } from './operators.ts'
import { handMadeAt } from './hand-made.ts'
import { renameNode } from './rename-node.ts'
import { type SecondHand, secondHandAt } from './second-hand.ts'

const MAX_DELETES_PER_HOUR = 6

const findingsAt = async (client: ApiClient, operator: OperatorId): Promise<readonly SweepFinding[]> =>
  (await client.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation).findings

describe('sweeping', function () {
  this.timeout(WITHIN_MS)
  let installationId: string
  let hands: Readonly<Record<OperatorId, SecondHand>>
  const world = brokerAtOperators({
    env: { SWEEP_INTERVAL_SECONDS: '1', SWEEP_MAX_DELETES_PER_HOUR: String(MAX_DELETES_PER_HOUR) },
    mayPage: /"msg":"(nodes carry our tag|a sweep deletes no more)/,
  })
  const ends = endsInTheEnd()
  before(async () => {
    const row = await world.broker.inStore((queries) =>
      queries.selectFrom('installation').select('id').executeTakeFirst(),
    )
    installationId = row?.id ?? ''
    const [naver, nhn, kakao] = OPERATORS.map((operator) => secondHandAt(world.operators, operator)) as [
      SecondHand,
      SecondHand,
      SecondHand,
    ] // one for each
    hands = { naver, nhn, kakao }
    for (const hand of [naver, nhn, kakao]) ends(() => hand.close())
  })

  /** An allocation that was active at the operator, and has been given back. */
  async function ended(operator: OperatorId): Promise<string> {
    const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: 1 })
    await untilActiveAndTrue(world, { id, operator, nodes: 1 })
    await releaseAndSeeItGone(world, { id, operator })
    return id
  }

  /** One that has ended already; at an operator whose hands are tied nothing ends. */
  async function endedBefore(operator: OperatorId): Promise<string> {
    const path = `/v1/allocations?providerId=${operator}&status=released&limit=1`
    const [allocation] = (await world.platform.get(path)).as(200, pageOf(Allocation)).items
    return allocation?.id ?? ''
  }

  const untilFound = (operator: OperatorId, wanted: (findings: readonly SweepFinding[]) => boolean) =>
    eventually(`findings at ${operator}`, () => findingsAt(world.platform, operator), wanted)

  /** Sweeps that began after now, and have ended. */
  async function twoSweeps(operator: OperatorId): Promise<void> {
    for (let sweep = 1; sweep <= 2; sweep += 1) {
      const now = Date.now()
      await eventually(
        `a sweep of ${operator}`,
        async () => (await world.platform.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation),
        ({ startedAt }) => startedAt !== null && Date.parse(startedAt) >= now,
      )
    }
  }

  it('has a last sweep of every operator soon after the start, with nothing found where all is well', async () => {
    for (const operator of OPERATORS) {
      const path = `/v1/providers/${operator}/reconciliation`
      const sweep = await eventually(
        `a sweep of ${operator}`,
        async () => (await world.platform.get(path)).as(200, Reconciliation),
        ({ startedAt }) => startedAt !== null,
      )
      expect(sweep.findings).to.deep.equal([])
      expect(sweep.durationMs).to.be.at.least(0)
    }
  })

  it('deletes the nodes of an allocation that has ended, after a second look, and no others (invariant 10)', async () => {
    await Promise.all(
      OPERATORS.map(async (operator) => {
        const allocationId = await ended(operator)
        const keeps = await allocateAt(world.platform, world.approvalId, { operator, nodes: 2 })
        await untilActiveAndTrue(world, { id: keeps.id, operator, nodes: 2 })
        // Seen while they are planted: found, they go a sweep later.
        const [planted, seen] = await Promise.all([
          hands[operator].plant({ installationId, allocationId, nodes: 2 }),
          untilFound(operator, (findings) => findings.length > 0),
        ])
        expect(seen.every(({ kind }) => kind === 'orphan')).to.equal(true)
        expect(planted).to.include.members(seen.map((one) => one.providerInstanceId))
        await untilFound(operator, (findings) => findings.length === 0)
        expect(await world.operators.idsStanding(operator, allocationId)).to.deep.equal([])
        expect(await world.operators.idsStanding(operator, keeps.id)).to.have.length(2)
        await releaseAndSeeItGone(world, { id: keeps.id, operator })
      }),
    )
  })

  it('knows a node that was renamed at the operator: none is made for it, and its release waits for it (invariants 2, 3)', async () => {
    await Promise.all(
      (['nhn', 'kakao'] as const).map(async (operator) => {
        const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: 3 })
        const [first] = await untilActiveAndTrue(world, { id, operator, nodes: 3 })
        await renameNode(world.operators, operator, { id: first?.providerInstanceId ?? '', name: 'named-by-somebody' })
        // Shrinking looks again and again, until the third node is gone.
        ;(await world.platform.post(`/v1/allocations/${id}/shrink`, { nodes: 2 })).as(202, Allocation)
        await eventually(
          `the shrunk ${id}`,
          () => nodesOf(world.platform, id),
          (nodes) => nodes.some((node) => node.ordinal === 2 && node.status === 'deleted'),
        )
        expect(await world.operators.everBuilt(operator, id)).to.have.length(3)
        expect((await nodesOf(world.platform, id)).find((node) => node.ordinal === 0)).to.deep.equal(first)
        await releaseAndSeeItGone(world, { id, operator })
        expect(await findingsAt(world.platform, operator)).to.deep.equal([])
      }),
    )
  })

  it('deletes nothing while its hands are held at the provider, and goes on once they are free', async () => {
    const allocationId = await ended('kakao')
    ;(await world.platform.post('/v1/operations/freeze', { providerId: 'kakao' })).as(200, Frozen)
    const planted = await hands.kakao.plant({ installationId, allocationId, nodes: 1 })
    await untilFound('kakao', ([finding]) => finding?.action === 'hold')
    await twoSweeps('kakao')
    expect(await world.operators.idsStanding('kakao', allocationId)).to.deep.equal(planted)
    ;(await world.platform.post('/v1/operations/unfreeze', { providerId: 'kakao' })).as(200, Frozen)
    await untilFound('kakao', (findings) => findings.length === 0)
    expect(await world.operators.idsStanding('kakao', allocationId)).to.deep.equal([])
  })

  it('deletes so many in an hour by itself, and the rest once a person has approved', async () => {
    const allocationId = await ended('nhn')
    const before = await world.broker.inStore((queries) =>
      queries.selectFrom('sweepDeletions').select('at').where('providerId', '=', 'nhn').execute(),
    )
    await hands.nhn.plant({ installationId, allocationId, nodes: MAX_DELETES_PER_HOUR + 4 - before.length })
    const held = await untilFound(
      'nhn',
      (findings) => findings.length === 4 && findings.every(({ action }) => action === 'hold'),
    )
    await world.broker.restart()
    await twoSweeps('nhn')
    expect(await world.operators.idsStanding('nhn', allocationId)).to.have.members(
      held.map((one) => one.providerInstanceId),
    )
    const approved = (await world.platform.post('/v1/providers/nhn/reconciliation/approve')).as(200, Reconciliation)
    expect(
      approved.findings.map(({ action, since }) => [action, held.some((one) => one.since === since)]),
    ).to.deep.equal(Array.from({ length: 4 }, () => ['delete', true]))
    await untilFound('nhn', (findings) => findings.length === 0)
    expect(await world.operators.idsStanding('nhn', allocationId)).to.deep.equal([])
  })

  it('asks a person about nodes of an allocation that is not in the store, and counts them as taken until then', async () => {
    const allocationId = 'alc_forgottenforgott'
    const taken = async () =>
      (await world.platform.get('/v1/clusters/kakao-b200-255')).as(200, ClusterView).now.nodesDrained
    const [first = '', second = ''] = await hands.kakao.plant({ installationId, allocationId, nodes: 2, counter: 3 })
    await untilFound('kakao', (findings) => findings.length === 2)
    expect((await findingsAt(world.platform, 'kakao')).map(({ kind, action }) => `${kind} ${action}`)).to.deep.equal([
      'unknown ask',
      'unknown ask',
    ])
    expect(await taken()).to.equal(2)
    const path = '/v1/providers/kakao/reconciliation/nodes'
    const request = { approvalId: world.approvalId, end: toIso(Date.now() + 3_600_000) }
    ;(await world.platform.post(`${path}/${first}/adopt`, { ...request, approvalId: 'apr-none' })).problem(
      'approval-unknown',
    )
    const adopted = (await world.platform.post(`${path}/${first}/adopt`, request)).as(200, Allocation)
    expect([adopted.id, adopted.status, adopted.placement?.nodes]).to.deep.equal([allocationId, 'active', 2])
    await eventually(
      'both nodes known as ready',
      () => look(world.platform, allocationId),
      ({ nodes }) => nodes.ready === 2,
    )
    expect(await world.operators.everBuilt('kakao', allocationId)).to.have.length(2)
    expect((await world.platform.post(`${path}/${second}/adopt`, request)).as(200, Allocation).id).to.equal(
      allocationId,
    )
    expect(await taken()).to.equal(0)
    await twoSweeps('kakao')
    expect(await findingsAt(world.platform, 'kakao')).to.deep.equal([])
    await releaseAndSeeItGone(world, { id: allocationId, operator: 'kakao' })
  })

  it('deletes such a node when a person says so', async () => {
    const allocationId = 'alc_forgottenasecond'
    const [id = ''] = await hands.naver.plant({ installationId, allocationId, nodes: 1 })
    await untilFound('naver', ([finding]) => finding?.action === 'ask')
    const nhnStaff = await world.broker.as('nhn-staff')
    const path = `/v1/providers/naver/reconciliation/nodes/${id}/delete`
    ;(await nhnStaff.post(path)).problem('not-found')
    ;(await world.platform.post('/v1/providers/naver/reconciliation/nodes/none/delete')).problem('not-found')
    expect((await world.platform.post(path)).as(202, SweepFinding).action).to.equal('delete')
    await untilFound('naver', (findings) => findings.length === 0)
    expect(await world.operators.idsStanding('naver', allocationId)).to.deep.equal([])
  })

  it('gives nothing back while deletions are held, as after a restore, until they are resumed', async () => {
    const { id } = await allocateAt(world.platform, world.approvalId, { operator: 'kakao', nodes: 1 })
    await untilActiveAndTrue(world, { id, operator: 'kakao', nodes: 1 })
    expect((await world.platform.post('/v1/operations/hold-deletes')).as(200, HeldDeletes).deletesHeld).to.equal(true)
    await release(world.platform, id)
    const planted = await hands.kakao.plant({ installationId, allocationId: await endedBefore('kakao'), nodes: 1 })
    await untilFound('kakao', ([finding]) => finding?.action === 'hold')
    await twoSweeps('kakao')
    expect((await findingsAt(world.platform, 'kakao')).map((one) => one.providerInstanceId)).to.deep.equal(planted)
    expect((await look(world.platform, id)).status).to.equal('releasing')
    expect((await world.platform.post('/v1/operations/resume-deletes')).as(200, HeldDeletes).deletesHeld).to.equal(
      false,
    )
    await untilStatus(world.platform, id, ['released'])
    await untilFound('kakao', (findings) => findings.length === 0)
  })

  it('tells of what others made, counts it as drained unless a person ignores it, and never touches it (invariant 10)', async () => {
    await Promise.all(
      OPERATORS.map(async (operator) => {
        const { clusterId, providerInstanceIds: ids } = await handMadeAt(world.operators, operator, 2)
        const drained = async () =>
          (await world.platform.get(`/v1/clusters/${clusterId}`)).as(200, ClusterView).now.nodesDrained
        const found = await untilFound(operator, (findings) => findings.length === 2)
        expect(found.map(({ kind, action }) => `${kind} ${action}`)).to.deep.equal(['leftover drain', 'leftover drain'])
        expect(found.map((one) => one.providerInstanceId)).to.have.members(ids)
        expect(await drained()).to.equal(2)

        const path = `/v1/providers/${operator}/reconciliation/nodes/${ids[0]}`
        ;(await world.platform.post(`${path}/delete`)).problem('not-in-this-status')
        for (const time of [1, 2]) {
          const ignored = (await world.platform.post(`${path}/ignore`)).as(200, SweepFinding)
          expect([ignored.action, await drained()], `time ${time}`).to.deep.equal(['ignore', 1])
        }
        await twoSweeps(operator)
        expect((await findingsAt(world.platform, operator)).map(({ action }) => action)).to.have.members([
          'ignore',
          'drain',
        ])
        expect(await drained()).to.equal(1)
        expect((await world.platform.post(`${path}/count`)).as(200, SweepFinding).action).to.equal('drain')
        expect(await drained()).to.equal(2)

        const standing = (await world.operators.ledger(operator)).nodes.filter(({ deletedAt }) => deletedAt === null)
        expect(standing.map(({ id }) => id)).to.include.members(ids)
        await hands[operator].remove(ids)
        await untilFound(operator, (findings) => findings.length === 0)
        expect(await drained()).to.equal(0)
      }),
    )
    const events = (await world.platform.get('/v1/events?types=kr.gpubroker.provider.finding&limit=500')).as(
      200,
      pageOf(CloudEvent),
    )
    const told = events.items.filter(({ data }) => data['kind'] === 'leftover')
    expect(told).to.have.length(2 * OPERATORS.length)
  })

  it('ignores nothing that carries our tag', async () => {
    const allocationId = 'alc_forgottenathirdd'
    const [id = ''] = await hands.kakao.plant({ installationId, allocationId, nodes: 1 })
    await untilFound('kakao', ([finding]) => finding?.action === 'ask')
    const path = '/v1/providers/kakao/reconciliation/nodes'
    ;(await world.platform.post(`${path}/${id}/ignore`)).problem('not-in-this-status')
    ;(await world.platform.post(`${path}/none/ignore`)).problem('not-found')
    ;(await world.platform.post(`${path}/${id}/delete`)).as(202, SweepFinding)
    await untilFound('kakao', (findings) => findings.length === 0)
  })

  it('leaves nodes of another installation alone', async () => {
    const allocationId = await ended('nhn')
    const theirs = await hands.nhn.plant({ installationId: 'ins_otherinstallatio', allocationId, nodes: 1 })
    await twoSweeps('nhn')
    expect(await world.operators.idsStanding('nhn', allocationId)).to.deep.equal(theirs)
    await hands.nhn.remove(theirs)
  })
})
