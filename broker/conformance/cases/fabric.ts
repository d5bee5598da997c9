/** Nodes become one interconnect group, where the operator has such a thing. */
import assert from 'node:assert/strict'
import type { NodeGroup } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import { aCall, aGroup, aReadyGroup, deleteUntil, idsOf, listOf } from '../steps.ts'
import type { CaseWorld } from '../world.ts'
import { join, leave } from './joining.ts'

export const FABRIC: readonly ContractCase[] = [
  {
    id: 'fabric-joined-twice',
    rule: 'joins nodes into one interconnect group however often it is asked',
    says: SAYS.declarative,
    needs: ['fabric'],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await join(world, group)
      await join(world, group)
      assert.deepEqual(await joinedOf(world, group), idsOf(nodes))
    },
  },
  {
    id: 'fabric-left-twice',
    rule: 'dissolves an interconnect group however often it is asked',
    says: SAYS.dissolves,
    needs: ['fabric'],
    async run(world) {
      const { group } = await aReadyGroup(world)
      await join(world, group)
      await leave(world, group)
      await leave(world, group)
      assert.deepEqual(await joinedOf(world, group), [])
    },
  },
  {
    id: 'fabric-members-change',
    rule: 'takes a node more into an interconnect group, and one out of it',
    says: SAYS.declarative,
    needs: ['fabric'],
    nodes: () => 3,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 3 })
      const ids = idsOf(nodes)
      await join(world, group, ids.slice(0, 2))
      assert.deepEqual(await joinedOf(world, group), ids.slice(0, 2))
      await join(world, group, ids.slice(1))
      assert.deepEqual(await joinedOf(world, group), ids.slice(1))
    },
  },
  {
    id: 'fabric-none-to-leave',
    rule: 'takes the dissolution of a group that never was for done',
    says: SAYS.dissolves,
    needs: ['fabric'],
    nodes: () => 0,
    async run(world) {
      const { clusterId, owner } = await aGroup(world, { allocation: 7 })
      assert.deepEqual(await world.provider.leaveFabric?.({ clusterId, owner }, aCall(world)), { settled: true })
    },
  },
  {
    id: 'fabric-node-deleted',
    rule: 'deletes a node that is still in an interconnect group, and the others stay in it',
    says: SAYS.asked,
    needs: ['fabric'],
    nodes: () => 3,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 3 })
      const ids = idsOf(nodes)
      await join(world, group)
      await deleteUntil(world, group, { ids: ids.slice(0, 1), left: 2 })
      assert.deepEqual(await joinedOf(world, group), ids.slice(1))
    },
  },
]

async function joinedOf(world: CaseWorld, group: NodeGroup): Promise<readonly string[]> {
  return idsOf((await listOf(world, group)).filter(({ inFabric }) => inFabric))
}
