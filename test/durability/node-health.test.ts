/** Nodes that fail while their allocation runs: replaced where there is room, shown as failed where there is none. */
import { expect } from 'chai'
import { after, afterEach, before, describe, it } from 'mocha'
import type { Allocation } from '../../shared/allocation.ts'
import { approve, look } from '../api/requests.ts'
import type { ApiClient } from '../support/api-client.ts'
import { startTestBroker, type TestBroker } from '../support/broker.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { allocateAt, nodesOf, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { eventually } from './eventually.ts'
import { type Operators, OPERATORS, startOperators } from './operators.ts'

const NODES = 3

describe('a node that fails while its allocation runs', function () {
  this.timeout(60_000)
  let operators: Operators
  let broker: TestBroker
  let platform: ApiClient
  let approvalId: string

  before(async () => {
    operators = await startOperators()
    broker = await startTestBroker({ sandbox: operators, env: { NODE_HEALTH_SECONDS: '0.3' } })
    platform = await broker.as('platform')
    approvalId = await approve(platform)
  })
  afterEach(() => operators.calm())
  after(async () => {
    await operators.untilNothingIsLeft()
    await broker.stop()
    await operators.close()
  })

  /** Runs, and one of its nodes fails. @returns its id */
  async function withOneBroken(operator: OperatorId): Promise<string> {
    const { id } = await allocateAt(platform, approvalId, { operator, nodes: NODES })
    const [first] = await untilActiveAndTrue(platform, operators, { id, operator, nodes: NODES })
    await operators.breakNode(operator, first?.providerInstanceId ?? '')
    return id
  }

  const until = (id: string, what: string, wanted: (allocation: Allocation) => boolean): Promise<Allocation> =>
    eventually(`${id} ${what}`, () => look(platform, id), wanted)

  const typesOf = (id: string): Promise<string[]> =>
    broker.inStore(async (db) =>
      (await db.selectFrom('events').select('type').where('allocationId', '=', id).orderBy('sequence').execute()).map(
        ({ type }) => type.replace('kr.gpubroker.', ''),
      ),
    )

  for (const operator of OPERATORS) {
    it(`is replaced under a new generation at ${operator}; the allocation is degraded meanwhile, and active throughout`, async () => {
      const id = await withOneBroken(operator)
      const shown = await eventually(
        `${id} replaced`,
        () => nodesOf(platform, id),
        (nodes) =>
          nodes.some(({ ordinal, generation, status }) => ordinal === 0 && generation === 2 && status === 'ready'),
      )
      expect(shown.filter(({ status }) => status === 'ready')).to.have.length(NODES)
      const whole = await until(id, 'whole', ({ statusReason }) => statusReason === null)
      expect([whole.status, whole.nodes]).to.deep.equal(['active', { desired: NODES, ready: NODES, failed: 0 }])
      const types = await typesOf(id)
      expect(types.filter((type) => type.startsWith('node.'))).to.deep.equal(['node.failed', 'node.replaced'])
      expect(types.filter((type) => type === 'allocation.degraded')).to.have.length(1)
      await releaseAndSeeItGone(platform, operators, { id, operator })
    })

    it(`is shown as failed at ${operator} where nothing is free, and the others run on`, async () => {
      const { id } = await allocateAt(platform, approvalId, { operator, nodes: NODES })
      const [first] = await untilActiveAndTrue(platform, operators, { id, operator, nodes: NODES })
      await operators.setBehaviour(operator, { freeNodes: 0, buildFails: 1_000 })
      await operators.breakNode(operator, first?.providerInstanceId ?? '')
      const degraded = await until(id, 'degraded', ({ nodes }) => nodes.failed === 1 && nodes.ready === NODES - 1)
      expect([degraded.status, degraded.statusReason]).to.deep.equal(['active', 'degraded'])
      const generations = (await nodesOf(platform, id)).map(({ generation }) => generation)
      expect(Math.max(...generations)).to.be.at.most(4)
      expect(await typesOf(id)).to.include('node.failed')
      await operators.calm()
      await releaseAndSeeItGone(platform, operators, { id, operator })
    })
  }
})
