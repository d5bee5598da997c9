/** Lists are whole, exact, and about us. */
import assert from 'node:assert/strict'
import type { NodeGroup } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import {
  aCall,
  aGroup,
  aReadyGroup,
  deleteTolerantly,
  eventually,
  idsOf,
  listAll,
  listOf,
  memberNames,
  namesOf,
  rejectionOf,
  untilListed,
  untilReady,
} from '../steps.ts'
import type { CaseWorld } from '../world.ts'

export const LISTING: readonly ContractCase[] = [
  {
    id: 'list-filters',
    rule: 'lists by allocation what is of that allocation, and by installation all of it',
    says: SAYS.filter,
    needs: [],
    nodes: () => 3,
    async run(world) {
      const first = await aGroup(world, { allocation: 1 })
      const second = await aGroup(world, { allocation: 2, size: 1 })
      await world.provider.createNodes(first, aCall(world))
      await world.provider.createNodes(second, aCall(world))
      const ofFirst = await untilListed(world, first)
      const ofSecond = await untilListed(world, second)
      assert.ok(ofFirst.every(({ owner }) => owner?.allocationId === first.owner.allocationId))
      assert.deepEqual(idsOf(await listAll(world)), idsOf([...ofFirst, ...ofSecond]))
    },
  },
  {
    id: 'list-empty',
    rule: 'lists nothing for an allocation without nodes',
    says: SAYS.filter,
    needs: [],
    nodes: () => 0,
    async run(world) {
      const { installationId } = world
      const filter = { installationId, allocationId: world.allocationId(9) }
      assert.deepEqual(await world.provider.listNodes(filter, aCall(world)), [])
    },
  },
  {
    id: 'list-same-again',
    rule: 'lists the same nodes under the same ids however often it is asked',
    says: SAYS.allPages,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      for (let time = 1; time <= 5; time += 1) assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
    },
  },
  {
    id: 'list-full-page',
    rule: 'lists every node once where one page holds exactly all of them',
    says: SAYS.allPages,
    needs: ['page-size'],
    nodes: ({ pageSize }) => pageSize ?? 0,
    run: (world) => listsAll(world, world.pageSize),
  },
  {
    id: 'list-second-page',
    rule: 'lists every node once where one page does not hold them all',
    says: SAYS.allPages,
    needs: ['page-size'],
    nodes: ({ pageSize }) => (pageSize ?? 0) + 1,
    run: (world) => listsAll(world, world.pageSize + 1),
  },
  {
    id: 'list-third-page',
    rule: 'lists every node once over three pages',
    says: SAYS.allPages,
    needs: ['page-size'],
    nodes: ({ pageSize }) => 2 * (pageSize ?? 0) + 3,
    run: (world) => listsAll(world, 2 * world.pageSize + 3),
  },
  {
    id: 'list-never-partial',
    rule: 'answers no list at all, rather than half of one, when a later page is cut off',
    says: SAYS.missing,
    needs: ['faults', 'page-size'],
    nodes: ({ pageSize }) => (pageSize ?? 0) + 1,
    async run(world) {
      await makeNodes(world, world.pageSize + 1)
      const { list } = world.sandbox.calls
      // The first page passes: a delay of nothing uses up its place in the list of faults.
      await world.sandbox.setFaults([
        { match: list, times: 1, effect: 'delay', delayMs: 0 },
        { match: list, effect: 'drop-before' },
      ])
      const error = await rejectionOf('unreachable', listAll(world))
      assert.equal(error.effect, 'none')
    },
  },
  {
    id: 'list-after-lag',
    rule: 'lists a node once it surfaces where lists lag behind',
    says: SAYS.missing,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ listLagMs: 150 })
      const group = await aGroup(world)
      await world.provider.createNodes(group, aCall(world))
      assert.deepEqual(namesOf(await untilListed(world, group)), memberNames(group))
    },
  },
  {
    id: 'list-while-vanishing',
    rule: 'lists what stays in every look, each node once, while others vanish',
    says: SAYS.missing,
    needs: [],
    nodes: () => 4,
    async run(world) {
      const stays = await aReadyGroup(world, { allocation: 1 })
      const goes = await aReadyGroup(world, { allocation: 2 })
      await eventually(world, 'a list without those that go', {
        ask: async () => {
          const [seen] = await Promise.all([listAll(world), deleteTolerantly(world, idsOf(goes.nodes))])
          assert.equal(new Set(idsOf(seen)).size, seen.length, 'a node is listed twice')
          for (const id of idsOf(stays.nodes)) assert.ok(idsOf(seen).includes(id), `${id} is missing from a list`)
          return seen
        },
        until: (seen) => seen.length === stays.nodes.length,
      })
    },
  },
  {
    id: 'list-while-appearing',
    rule: 'lists what stands in every look, each node once, while others appear',
    says: SAYS.missing,
    needs: [],
    nodes: () => 4,
    async run(world) {
      const { nodes } = await aReadyGroup(world, { allocation: 1 })
      const group = await aGroup(world, { allocation: 2 })
      const creating = world.provider.createNodes(group, aCall(world))
      creating.catch(() => {}) // it may fail while a look already has
      for (let look = 1; look <= 5; look += 1) {
        const seen = await listAll(world)
        assert.equal(new Set(namesOf(seen)).size, seen.length, 'a name is listed twice')
        for (const id of idsOf(nodes)) assert.ok(idsOf(seen).includes(id), `${id} is missing from a list`)
      }
      await creating
      await untilReady(world, group)
    },
  },
]

async function makeNodes(world: CaseWorld, wanted: number): Promise<readonly NodeGroup[]> {
  const groups: NodeGroup[] = []
  for (let made = 0; made < wanted; made += groups.at(-1)?.size ?? 1) {
    const group = await aGroup(world, { counter: groups.length, size: wanted - made })
    await world.provider.createNodes(group, aCall(world))
    groups.push(group)
  }
  return groups
}

async function listsAll(world: CaseWorld, wanted: number): Promise<void> {
  const groups = await makeNodes(world, wanted)
  const nodes = await eventually(world, `all ${wanted} nodes of all groups`, {
    ask: () => listAll(world),
    until: (found) => found.length >= wanted,
  })
  assert.deepEqual(namesOf(nodes), groups.flatMap(memberNames).toSorted())
  assert.equal(new Set(idsOf(nodes)).size, nodes.length)
}
