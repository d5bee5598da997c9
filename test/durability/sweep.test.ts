/** Sweeps of the three operators, with nodes there that the broker has not made, or does not know any more. */
import { expect } from 'chai'
import { after, before, describe, it } from 'mocha'
import { Allocation } from '../../shared/allocation.ts'
import { Reconciliation, type SweepFinding } from '../../shared/reconciliation.ts'
import { approve } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { START_WITHIN_MS, startTestBroker, type TestBroker } from '../support/broker.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { allocateAt, nodesOf, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { eventually } from './eventually.ts'
import { type Operators, OPERATORS, startOperators } from './operators.ts'
import { renameNode } from './rename-node.ts'
import { type SecondHand, secondHandAt } from './second-hand.ts'

const MAX_DELETES_PER_HOUR = 6

const findingsAt = async (client: ApiClient, operator: OperatorId): Promise<readonly SweepFinding[]> =>
  (await client.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation).findings

describe('sweeping', function () {
  this.timeout(60_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient
  let approvalId: string
  let installationId: string
  let hands: Readonly<Record<OperatorId, SecondHand>>

  before(async function start() {
    this.timeout(START_WITHIN_MS)
    operators = await startOperators()
    broker = await startTestBroker({
      sandbox: operators,
      env: { SWEEP_INTERVAL_SECONDS: '1', SWEEP_MAX_DELETES_PER_HOUR: String(MAX_DELETES_PER_HOUR) },
      mayPage: /"msg":"(nodes carry our tag|a sweep deletes no more)/,
    })
    platform = await broker.as('platform')
    approvalId = await approve(platform)
    const row = await broker.inStore((queries) => queries.selectFrom('installation').select('id').executeTakeFirst())
    installationId = row?.id ?? ''
    const [naver, nhn, kakao] = OPERATORS.map((operator) => secondHandAt(operators, operator)) as [
      SecondHand,
      SecondHand,
      SecondHand,
    ] // one for each
    hands = { naver, nhn, kakao }
  })
  after(async () => {
    for (const operator of OPERATORS) hands[operator].close()
    await broker.stop()
    await operators.close()
  })

  /** An allocation that was active at the operator, and has been given back. */
  async function ended(operator: OperatorId): Promise<string> {
    const { id } = await allocateAt(platform, approvalId, { operator, nodes: 1 })
    await untilActiveAndTrue(platform, operators, { id, operator, nodes: 1 })
    await releaseAndSeeItGone(platform, operators, { id, operator })
    return id
  }

  const untilFound = (operator: OperatorId, wanted: (findings: readonly SweepFinding[]) => boolean) =>
    eventually(`findings at ${operator}`, () => findingsAt(platform, operator), wanted)

  /** Sweeps that began after now, and have ended. */
  async function twoSweeps(operator: OperatorId): Promise<void> {
    for (let sweep = 1; sweep <= 2; sweep += 1) {
      const now = Date.now()
      await eventually(
        `a sweep of ${operator}`,
        async () => (await platform.get(`/v1/providers/${operator}/reconciliation`)).as(200, Reconciliation),
        ({ startedAt }) => startedAt !== null && Date.parse(startedAt) >= now,
      )
    }
  }

  it('has a last sweep of every operator soon after the start, with nothing found where all is well', async () => {
    for (const operator of OPERATORS) {
      const path = `/v1/providers/${operator}/reconciliation`
      const sweep = await eventually(
        `a sweep of ${operator}`,
        async () => (await platform.get(path)).as(200, Reconciliation),
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
        const keeps = await allocateAt(platform, approvalId, { operator, nodes: 2 })
        await untilActiveAndTrue(platform, operators, { id: keeps.id, operator, nodes: 2 })
        const planted = await hands[operator].plant({ installationId, allocationId, nodes: 2 })
        const seen = await untilFound(operator, (findings) => findings.length > 0)
        expect(seen.every(({ kind }) => kind === 'orphan')).to.equal(true)
        expect(planted).to.include.members(seen.map((one) => one.providerInstanceId))
        await untilFound(operator, (findings) => findings.length === 0)
        expect(await operators.idsStanding(operator, allocationId)).to.deep.equal([])
        expect(await operators.idsStanding(operator, keeps.id)).to.have.length(2)
        await releaseAndSeeItGone(platform, operators, { id: keeps.id, operator })
      }),
    )
  })

  it('knows a node that was renamed at the operator: none is made for it, and its release waits for it (invariants 2, 3)', async () => {
    await Promise.all(
      (['nhn', 'kakao'] as const).map(async (operator) => {
        const { id } = await allocateAt(platform, approvalId, { operator, nodes: 3 })
        const [first] = await untilActiveAndTrue(platform, operators, { id, operator, nodes: 3 })
        await renameNode(operators, operator, { id: first?.providerInstanceId ?? '', name: 'named-by-somebody' })
        // Shrinking looks again and again, until the third node is gone.
        ;(await platform.post(`/v1/allocations/${id}/shrink`, { nodes: 2 })).as(202, Allocation)
        await eventually(
          `the shrunk ${id}`,
          () => nodesOf(platform, id),
          (nodes) => nodes.some((node) => node.ordinal === 2 && node.status === 'deleted'),
        )
        expect(await operators.everBuilt(operator, id)).to.have.length(3)
        expect((await nodesOf(platform, id)).find((node) => node.ordinal === 0)).to.deep.equal(first)
        await releaseAndSeeItGone(platform, operators, { id, operator })
        expect(await findingsAt(platform, operator)).to.deep.equal([])
      }),
    )
  })

  it('leaves nodes of another installation alone', async () => {
    const allocationId = await ended('nhn')
    const theirs = await hands.nhn.plant({ installationId: 'ins_otherinstallatio', allocationId, nodes: 1 })
    await twoSweeps('nhn')
    expect(await operators.idsStanding('nhn', allocationId)).to.deep.equal(theirs)
    await hands.nhn.remove(theirs)
  })
})
