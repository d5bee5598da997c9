/** What an adapter says of itself and of its operator. */
import assert from 'node:assert/strict'
import { memberName } from '../../../shared/ids.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import { aCall, aGroup } from '../steps.ts'

export const DECLARATIONS: readonly ContractCase[] = [
  {
    id: 'ping-answers',
    rule: 'answers a ping',
    says: SAYS.ping,
    needs: [],
    async run(world) {
      await world.provider.ping(aCall(world))
    },
  },
  {
    id: 'describe-finds-all',
    rule: 'describes its cluster with an image and a network and finds nothing missing',
    says: SAYS.problems,
    needs: [],
    async run(world) {
      const described = await world.provider.describe(aCall(world))
      const cluster = described.find(({ clusterId }) => clusterId === world.clusterId)
      assert.ok(cluster, `no cluster ${world.clusterId} is described`)
      assert.deepEqual(cluster.problems, [])
      assert.notDeepEqual(cluster.images, [])
      assert.notDeepEqual(cluster.networks, [])
    },
  },
  {
    id: 'describe-changes-nothing',
    rule: 'describes the same however often it is asked, and makes nothing by it',
    says: SAYS.describe,
    needs: [],
    async run(world) {
      const first = await world.provider.describe(aCall(world))
      for (let time = 2; time <= 5; time += 1) {
        assert.deepEqual(await world.provider.describe(aCall(world)), first)
      }
      assert.deepEqual(await world.ledger(), { nodes: [], others: [] })
    },
  },
  {
    id: 'capabilities-batch',
    rule: 'declares a largest group of at least one, a delay of at least none, and names that hold its longest member',
    says: SAYS.maxBatch,
    needs: [],
    async run(world) {
      const { maxBatch, visibilityDelayMs, nodeName } = world.provider.capabilities
      assert.ok(Number.isInteger(maxBatch) && maxBatch >= 1, `maxBatch is ${maxBatch}`)
      assert.ok(visibilityDelayMs >= 0, `visibilityDelayMs is ${visibilityDelayMs}`)
      const longest = memberName((await aGroup(world)).name, maxBatch)
      assert.match(longest, nodeName.pattern)
      assert.ok(longest.length <= nodeName.maxLength, `${longest} is longer than ${nodeName.maxLength}`)
    },
  },
  {
    id: 'capabilities-fabric',
    rule: 'has the calls of the interconnect exactly where it declares that nodes must be joined',
    says: SAYS.joinsFabric,
    needs: [],
    async run(world) {
      const { capabilities, joinFabric, leaveFabric } = world.provider
      assert.equal(joinFabric !== undefined, capabilities.joinsFabric, 'joinFabric and capabilities.joinsFabric differ')
      assert.equal(
        leaveFabric !== undefined,
        capabilities.joinsFabric,
        'leaveFabric and capabilities.joinsFabric differ',
      )
    },
  },
  {
    id: 'free-capacity-declared',
    rule: 'tells free nodes as a whole number where it declares so, and null where it does not',
    says: SAYS.freeCapacity,
    needs: [],
    async run(world) {
      const free = await world.provider.freeCapacity(world.clusterId, aCall(world))
      if (!world.provider.capabilities.reportsFreeCapacity) {
        assert.equal(free, null)
        return
      }
      assert.ok(free === null || (Number.isInteger(free) && free >= 0), `freeCapacity is ${free}`)
    },
  },
]
