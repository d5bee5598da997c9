/** Deletion is asked for as often as it takes, and believed by the list alone. */
import assert from 'node:assert/strict'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import {
  aCall,
  aGroup,
  aReadyGroup,
  deleteTolerantly,
  deleteUntil,
  idsOf,
  listOf,
  release,
  untilListed,
} from '../steps.ts'
import type { CaseWorld } from '../world.ts'

export const DELETION: readonly ContractCase[] = [
  {
    id: 'delete-unknown',
    rule: 'takes the deletion of an unknown node for done',
    says: SAYS.gone,
    needs: ['unknown-id'],
    nodes: () => 0,
    run: (world) => remove(world, [world.unknownInstanceId]),
  },
  {
    id: 'delete-none',
    rule: 'takes the deletion of no node at all for done, and deletes none',
    says: SAYS.asked,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await remove(world, [])
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
    },
  },
  {
    id: 'delete-beside-unknown',
    rule: 'deletes what exists although an unknown node is among it',
    says: SAYS.gone,
    needs: ['unknown-id'],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await deleteUntil(world, group, { ids: [world.unknownInstanceId, ...idsOf(nodes)], left: 0 })
    },
  },
  {
    id: 'delete-only-these',
    rule: 'deletes the nodes that it is asked for and no others',
    says: SAYS.asked,
    needs: [],
    nodes: () => 3,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 3 })
      const [first, ...others] = idsOf(nodes)
      assert.ok(first, 'the group has no node')
      const left = await deleteUntil(world, group, { ids: [first], left: others.length })
      assert.deepEqual(idsOf(left), others)
    },
  },
  {
    id: 'delete-named-twice',
    rule: 'deletes a node that is named twice in one request',
    says: SAYS.gone,
    needs: [],
    nodes: () => 1,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 1 })
      await deleteUntil(world, group, { ids: [...idsOf(nodes), ...idsOf(nodes)], left: 0 })
    },
  },
  {
    id: 'delete-again',
    rule: 'takes a second deletion for done',
    says: SAYS.gone,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await release(world, group)
      await remove(world, idsOf(nodes))
      assert.ok((await world.ledger()).nodes.every(({ deletedAt }) => deletedAt !== null))
    },
  },
  {
    id: 'delete-ten-times',
    rule: 'deletes what it was asked for and nothing beside it, however often it is asked',
    says: SAYS.gone,
    needs: [],
    nodes: () => 3,
    async run(world) {
      const stays = await aReadyGroup(world, { allocation: 1, size: 1 })
      const { group, nodes } = await aReadyGroup(world, { allocation: 2 })
      for (let time = 1; time <= 10; time += 1) await deleteTolerantly(world, idsOf(nodes))
      await release(world, group)
      await deleteTolerantly(world, idsOf(nodes))
      assert.deepEqual(idsOf(await listOf(world, stays.group)), idsOf(stays.nodes))
    },
  },
  {
    id: 'delete-while-building',
    rule: 'deletes nodes that are still building, however many calls that takes',
    says: SAYS.notYet,
    needs: [],
    async run(world) {
      await world.sandboxIfAny?.setBehaviour({ bootMs: 300 })
      const group = await aGroup(world)
      await world.provider.createNodes(group, aCall(world))
      await untilListed(world, group)
      await release(world, group)
    },
  },
  {
    id: 'delete-believed-by-list',
    rule: 'shows a node for as long as the operator only pretends to delete it',
    says: SAYS.gone,
    needs: ['faults'],
    nodes: () => 1,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 1 })
      await world.sandbox.setBehaviour({ deleteLies: true })
      await deleteTolerantly(world, idsOf(nodes))
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
      await world.sandbox.setBehaviour({ deleteLies: 0 })
      await release(world, group)
    },
  },
]

const remove = (world: CaseWorld, providerInstanceIds: readonly string[]): Promise<void> =>
  world.provider.deleteNodes({ clusterId: world.clusterId, providerInstanceIds }, aCall(world))
