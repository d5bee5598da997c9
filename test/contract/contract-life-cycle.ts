/** Part of the contract suite: nodes are described, made, listed and deleted, however often each is asked for. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { memberName } from '../../shared/ids.ts'
import type { NodeGroup, ProviderNode } from '../../shared/provider.ts'
import {
  type ContractWorld,
  aCall,
  aGroup,
  allocationId,
  eventually,
  listOf,
  release,
  untilListed,
  untilReady,
} from './contract-world.ts'

export function describeLifeCycle(world: () => ContractWorld): void {
  describe('life of nodes', () => {
    describeDeclarations(world)
    describeCreation(world)
    describeListing(world)
    describeDeletion(world)
  })
}

const ids = (nodes: readonly ProviderNode[]): string[] => nodes.map((node) => node.providerInstanceId).toSorted()

const memberNames = (group: NodeGroup): string[] =>
  Array.from({ length: group.size }, (_, index) => memberName(group.name, index + 1)).toSorted()

function describeDeclarations(world: () => ContractWorld): void {
  it('answers a ping', async () => {
    await world().provider.ping(aCall())
  })

  it('describes its cluster with an image and a network and finds nothing missing', async () => {
    const described = await world().provider.describe(aCall())
    const cluster = described.find(({ clusterId }) => clusterId === world().clusterId)
    expect(cluster?.problems).to.deep.equal([])
    expect(cluster?.images).to.not.be.empty
    expect(cluster?.networks).to.not.be.empty
  })

  it('declares capabilities that fit what it can do', async () => {
    const { provider, clusterId } = world()
    const { capabilities } = provider
    expect(capabilities.maxBatch).to.be.at.least(1)
    expect(capabilities.visibilityDelayMs).to.be.at.least(0)
    const longest = memberName((await aGroup(world())).name, capabilities.maxBatch)
    expect(longest).to.match(capabilities.nodeName.pattern)
    expect(longest.length).to.be.at.most(capabilities.nodeName.maxLength)
    expect(provider.joinFabric !== undefined).to.equal(capabilities.joinsFabric)
    expect(provider.leaveFabric !== undefined).to.equal(capabilities.joinsFabric)
    const free = await provider.freeCapacity(clusterId, aCall())
    if (!capabilities.reportsFreeCapacity) expect(free).to.equal(null)
  })
}

function describeCreation(world: () => ContractWorld): void {
  it('makes a group whose members become ready under their names, with owner, cluster and address', async () => {
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    expect(nodes.map(({ name }) => name).toSorted()).to.deep.equal(memberNames(group))
    for (const node of nodes) {
      expect(node.owner).to.deep.equal(group.owner)
      expect(node.clusterId).to.equal(world().clusterId)
      expect(node.address).to.be.a('string')
      expect(node.createdAt).to.be.closeTo(Date.now(), 3_600_000)
      expect(node.failure).to.equal(null)
      expect(node.inFabric).to.equal(!world().provider.capabilities.joinsFabric)
    }
  })

  it('makes a group of one under the name of its only member', async () => {
    const group = await aGroup(world(), { size: 1 })
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    expect(nodes.map(({ name }) => name)).to.deep.equal(memberNames(group))
  })

  it('makes the longest group that it declares', async () => {
    const group = await aGroup(world(), { size: world().provider.capabilities.maxBatch })
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    expect(nodes.map(({ name }) => name).toSorted()).to.deep.equal(memberNames(group))
  })

  it('makes a group with SSH keys', async () => {
    const group = await aGroup(world(), { withKeys: true })
    await world().provider.createNodes(group, aCall())
    await untilReady(world(), group)
  })

  it('makes one set of nodes however often the same group is asked for', async () => {
    const group = await aGroup(world(), { withKeys: true })
    await world().provider.createNodes(group, aCall())
    const before = await untilListed(world(), group)
    for (let time = 2; time <= 10; time += 1) await world().provider.createNodes(group, aCall())
    expect(ids(await untilReady(world(), group))).to.deep.equal(ids(before))
    expect((await world().ledger()).nodes).to.have.length(group.size)
  })

  it('never makes more than the group when it is asked again after a member was deleted', async () => {
    const group = await aGroup(world(), { size: 2 })
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    const gone = nodes.slice(0, 1).map(({ providerInstanceId }) => providerInstanceId)
    await eventually(
      'one node fewer',
      async () => {
        await world()
          .provider.deleteNodes({ clusterId: group.clusterId, providerInstanceIds: gone }, aCall())
          .catch((error: unknown) => expect(error).to.have.property('kind', 'busy'))
        return await listOf(world(), group)
      },
      (left) => left.length === nodes.length - 1,
    )
    // The contract lets an operator refuse the name; what counts is that no name ever stands twice.
    await world()
      .provider.createNodes(group, aCall())
      .catch((error: unknown) => expect(error).to.have.property('name', 'ProviderError'))
    const after = await listOf(world(), group)
    expect(after.length).to.be.at.most(group.size)
    expect(new Set(after.map(({ name }) => name)).size).to.equal(after.length)
  })

  it('goes on when its token expires between calls', async () => {
    await world().setBehaviour({ tokenTtlMs: 40, bootMs: 250 })
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    await untilReady(world(), group)
    await release(world(), group)
  })
}

function describeListing(world: () => ContractWorld): void {
  it('lists by allocation what is of that allocation, and by installation all of it', async () => {
    const first = await aGroup(world(), { allocation: 1 })
    const second = await aGroup(world(), { allocation: 2, size: 1 })
    await world().provider.createNodes(first, aCall())
    await world().provider.createNodes(second, aCall())
    const ofFirst = await untilListed(world(), first)
    const ofSecond = await untilListed(world(), second)
    expect(ofFirst.every(({ owner }) => owner?.allocationId === allocationId(1))).to.equal(true)
    const all = await world().provider.listNodes({ installationId: world().installationId }, aCall())
    expect(ids(all)).to.deep.equal(ids([...ofFirst, ...ofSecond]))
  })

  it('lists nothing for an allocation without nodes', async () => {
    const filter = { installationId: world().installationId, allocationId: allocationId(9) }
    expect(await world().provider.listNodes(filter, aCall())).to.deep.equal([])
  })

  it('lists every node once where one page does not hold them all', async () => {
    const groups: NodeGroup[] = []
    for (let made = 0; made < world().pastOnePage; made += groups.at(-1)?.size ?? 1) {
      const group = await aGroup(world(), { counter: groups.length, size: world().pastOnePage - made })
      await world().provider.createNodes(group, aCall())
      groups.push(group)
    }
    const filter = { installationId: world().installationId }
    const nodes = await eventually(
      'all nodes of all groups',
      () => world().provider.listNodes(filter, aCall()),
      (found) => found.length >= world().pastOnePage,
    )
    expect(nodes.map(({ name }) => name).toSorted()).to.deep.equal(groups.flatMap(memberNames).toSorted())
    expect(new Set(ids(nodes)).size).to.equal(nodes.length)
  })

  it('lists a node once it surfaces where lists lag behind', async () => {
    await world().setBehaviour({ listLagMs: 150 })
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    expect((await untilListed(world(), group)).map(({ name }) => name).toSorted()).to.deep.equal(memberNames(group))
  })
}

function describeDeletion(world: () => ContractWorld): void {
  it('takes the deletion of an unknown node for done', async () => {
    const request = { clusterId: world().clusterId, providerInstanceIds: [world().unknownInstanceId] }
    await world().provider.deleteNodes(request, aCall())
  })

  it('deletes what exists although an unknown node is among it', async () => {
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    const request = {
      clusterId: world().clusterId,
      providerInstanceIds: [world().unknownInstanceId, ...ids(nodes)],
    }
    await eventually(
      'an empty list',
      async () => {
        await world()
          .provider.deleteNodes(request, aCall())
          .catch((error: unknown) => expect(error).to.have.property('kind', 'busy'))
        return await listOf(world(), group)
      },
      (left) => left.length === 0,
    )
  })

  it('takes a second deletion for done', async () => {
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    await release(world(), group)
    await world().provider.deleteNodes({ clusterId: world().clusterId, providerInstanceIds: ids(nodes) }, aCall())
    expect((await world().ledger()).nodes.every(({ deletedAt }) => deletedAt !== null)).to.equal(true)
  })

  it('deletes nodes that are still building, however many calls that takes', async () => {
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    await untilListed(world(), group)
    await release(world(), group)
  })

  it('shows a node for as long as the operator only pretends to delete it', async () => {
    const group = await aGroup(world(), { size: 1 })
    await world().provider.createNodes(group, aCall())
    const nodes = await untilReady(world(), group)
    await world().setBehaviour({ deleteLies: true })
    await world()
      .provider.deleteNodes({ clusterId: world().clusterId, providerInstanceIds: ids(nodes) }, aCall())
      .catch((error: unknown) => expect(error).to.have.property('kind', 'busy'))
    expect(ids(await listOf(world(), group))).to.deep.equal(ids(nodes))
    await world().setBehaviour({ deleteLies: 0 })
    await release(world(), group)
  })
}
