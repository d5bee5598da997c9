/** Groups are made once, whole, under their names. */
import assert from 'node:assert/strict'
import type { NodeGroup } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import {
  WITH_KEY,
  aCall,
  aGroup,
  aReadyGroup,
  eventually,
  listAll,
  listOf,
  memberNames,
  namesOf,
  rejectionOf,
  untilListed,
  untilReady,
} from '../steps.ts'
import type { CaseWorld } from '../world.ts'

const HOUR_MS = 3_600_000

export const CREATION: readonly ContractCase[] = [
  {
    id: 'create-makes-group',
    rule: 'makes a group whose members become ready under their names, with owner, cluster and address',
    says: SAYS.members,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      assert.deepEqual(namesOf(nodes), memberNames(group))
      for (const node of nodes) {
        assert.deepEqual(node.owner, group.owner)
        assert.equal(node.clusterId, world.clusterId)
        assert.equal(typeof node.address, 'string')
        assert.ok(Math.abs((node.createdAt ?? 0) - Date.now()) <= HOUR_MS, `createdAt is ${node.createdAt}`)
        assert.equal(node.failure, null)
        assert.equal(node.inFabric, !world.provider.capabilities.joinsFabric)
      }
    },
  },
  {
    id: 'create-group-of-one',
    rule: 'makes a group of one under the name of its only member',
    says: SAYS.memberName,
    needs: [],
    nodes: () => 1,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 1 })
      assert.deepEqual(namesOf(nodes), memberNames(group))
    },
  },
  {
    id: 'create-largest-group',
    rule: 'makes the largest group that it declares',
    says: SAYS.maxBatch,
    needs: [],
    nodes: ({ provider }) => provider.capabilities.maxBatch,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: world.provider.capabilities.maxBatch })
      assert.deepEqual(namesOf(nodes), memberNames(group))
    },
  },
  {
    id: 'create-last-name',
    rule: 'makes a group under the last name that an allocation has',
    says: SAYS.members,
    needs: [],
    nodes: () => 1,
    async run(world) {
      const { group, nodes } = await aReadyGroup(world, { size: 1, counter: 36 ** 3 - 1 })
      assert.deepEqual(namesOf(nodes), memberNames(group))
    },
  },
  {
    id: 'create-with-keys',
    rule: 'makes a group with SSH keys',
    says: SAYS.sshKeys,
    needs: [],
    async run(world) {
      await aReadyGroup(world, WITH_KEY)
    },
  },
  {
    id: 'create-with-korean-key-comment',
    rule: 'makes a group with an SSH key whose comment is Korean',
    says: SAYS.sshKeys,
    needs: [],
    nodes: () => 1,
    async run(world) {
      await aReadyGroup(world, { size: 1, keyComment: '김연구@슈퍼컴퓨팅-센터' })
    },
  },
  {
    id: 'create-returns-early',
    rule: 'returns from a create while the nodes are still building, and lists them as building',
    says: SAYS.accepted,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ bootMs: 1_500 })
      const group = await aGroup(world)
      await world.provider.createNodes(group, aCall(world))
      const nodes = await untilListed(world, group)
      assert.deepEqual(
        nodes.map(({ state }) => state),
        nodes.map(() => 'building'),
      )
    },
  },
  {
    id: 'create-answers-members',
    rule: 'answers a create with members of that group, if with any, and with no id that the list does not know',
    says: SAYS.answersWhatItKnows,
    needs: [],
    async run(world) {
      const group = await aGroup(world)
      const answered = await world.provider.createNodes(group, aCall(world))
      const listed = new Map((await untilReady(world, group)).map((node) => [node.providerInstanceId, node.name]))
      for (const node of answered) assert.equal(listed.get(node.providerInstanceId), node.name)
    },
  },
  {
    id: 'create-two-groups',
    rule: 'makes the groups of one allocation beside each other',
    says: SAYS.members,
    needs: [],
    async run(world) {
      const first = await aGroup(world, { size: 1, counter: 0 })
      const second = await aGroup(world, { size: 1, counter: 1 })
      await world.provider.createNodes(first, aCall(world))
      await world.provider.createNodes(second, aCall(world))
      const both = await untilReady(world, { ...first, size: 2 })
      assert.deepEqual(namesOf(both), [...memberNames(first), ...memberNames(second)].toSorted())
      for (const { name, owner } of both) {
        assert.equal(owner?.group, memberNames(first).includes(name) ? first.name : second.name)
      }
    },
  },
  {
    id: 'create-refuses-unknown-image',
    rule: 'refuses an image that the cluster does not have, nothing done',
    says: SAYS.refused,
    needs: [],
    run: (world) => isRefused(world, { imageAlias: 'no-such-image' }),
  },
  {
    id: 'create-refuses-unknown-network',
    rule: 'refuses a network that the cluster does not have, nothing done',
    says: SAYS.refused,
    needs: [],
    run: (world) => isRefused(world, { network: 'no-such-network' }),
  },
  {
    id: 'create-refuses-unknown-cluster',
    rule: 'refuses a cluster that it does not serve, nothing done',
    says: SAYS.refused,
    needs: [],
    run: (world) => isRefused(world, { clusterId: 'no-such-cluster' }),
  },
  {
    id: 'create-burst',
    rule: 'makes as many nodes as the cluster has when all are asked for at once, each of them once',
    says: SAYS.members,
    needs: ['burst'],
    nodes: ({ burstNodes }) => burstNodes ?? 0,
    run: (world) => burst(world),
  },
]

async function isRefused(world: CaseWorld, instead: Partial<NodeGroup>): Promise<void> {
  const group = await aGroup(world)
  const error = await rejectionOf('refused', world.provider.createNodes({ ...group, ...instead }, aCall(world)))
  assert.equal(error.effect, 'none')
  assert.deepEqual(await listOf(world, group), [])
}

async function burst(world: CaseWorld): Promise<void> {
  const groups: NodeGroup[] = []
  for (let left = world.burstNodes; left > 0; left -= groups.at(-1)?.size ?? 1) {
    groups.push(await aGroup(world, { counter: groups.length, size: left }))
  }
  await Promise.all(groups.map((group) => world.provider.createNodes(group, aCall(world))))
  const nodes = await eventually(world, `${world.burstNodes} ready nodes`, {
    ask: () => listAll(world),
    until: (found) => found.filter(({ state }) => state === 'ready').length >= world.burstNodes,
  })
  assert.deepEqual(namesOf(nodes), groups.flatMap(memberNames).toSorted())
}
