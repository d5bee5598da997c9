/** Nodes that fail while their allocation runs: replaced where there is room, shown as failed where there is none. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Allocation } from '../../shared/allocation.ts'
import { look } from '../api/requests.ts'
import type { OperatorId } from '../support/sandbox.ts'
import { allocateAt, nodesOf, releaseAndSeeItGone, untilActiveAndTrue } from './allocations.ts'
import { brokerAtOperators } from './broker-at-operators.ts'
import { eventually, WITHIN_MS } from './eventually.ts'
import { OPERATORS } from './operators.ts'

const NODES = 3

describe('a node that fails while its allocation runs', function () {
  this.timeout(WITHIN_MS)
  const world = brokerAtOperators({ env: { NODE_HEALTH_SECONDS: '0.3' } })

  /** Runs, and one of its nodes fails. @returns its id */
  async function withOneBroken(operator: OperatorId): Promise<string> {
    const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: NODES })
    const [first] = await untilActiveAndTrue(world, { id, operator, nodes: NODES })
    await world.operators.breakNode(operator, first?.providerInstanceId ?? '')
    return id
  }

  const until = (id: string, what: string, wanted: (allocation: Allocation) => boolean): Promise<Allocation> =>
    eventually(`${id} ${what}`, () => look(world.platform, id), wanted)

  const typesOf = (id: string): Promise<string[]> =>
    world.broker.inStore(async (db) =>
      (await db.selectFrom('events').select('type').where('allocationId', '=', id).orderBy('sequence').execute()).map(
        ({ type }) => type.replace('kr.gpubroker.', ''),
      ),
    )

  for (const operator of OPERATORS) {
    it(`is replaced under a new generation at ${operator}; the allocation is degraded meanwhile, and active throughout`, async () => {
      const id = await withOneBroken(operator)
      const shown = await eventually(
        `${id} replaced`,
        () => nodesOf(world.platform, id),
        (nodes) =>
          nodes.some(({ ordinal, generation, status }) => ordinal === 0 && generation === 2 && status === 'ready'),
      )
      expect(shown.filter(({ status }) => status === 'ready')).to.have.length(NODES)
      const whole = await until(id, 'whole', ({ statusReason }) => statusReason === null)
      expect([whole.status, whole.nodes]).to.deep.equal(['active', { desired: NODES, ready: NODES, failed: 0 }])
      const types = await typesOf(id)
      expect(types.filter((type) => type.startsWith('node.'))).to.deep.equal(['node.failed', 'node.replaced'])
      expect(types.filter((type) => type === 'allocation.degraded')).to.have.length(1)
      await releaseAndSeeItGone(world, { id, operator })
    })

    it(`is shown as failed at ${operator} where nothing is free, and the others run on`, async () => {
      const { id } = await allocateAt(world.platform, world.approvalId, { operator, nodes: NODES })
      const [first] = await untilActiveAndTrue(world, { id, operator, nodes: NODES })
      await world.operators.setBehaviour(operator, { freeNodes: 0, buildFails: 1_000 })
      await world.operators.breakNode(operator, first?.providerInstanceId ?? '')
      const degraded = await until(id, 'degraded', ({ nodes }) => nodes.failed === 1 && nodes.ready === NODES - 1)
      expect([degraded.status, degraded.statusReason]).to.deep.equal(['active', 'degraded'])
      const generations = (await nodesOf(world.platform, id)).map(({ generation }) => generation)
      expect(Math.max(...generations)).to.be.at.most(4)
      expect(await typesOf(id)).to.include('node.failed')
      await world.operators.calm()
      await releaseAndSeeItGone(world, { id, operator })
    })
  }
})
