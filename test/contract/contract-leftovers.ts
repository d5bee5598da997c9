/** Part of the contract suite: what belongs to others stays, what is no longer needed goes, and groups join and leave. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { FabricRequest, NodeGroup } from '../../shared/provider.ts'
import {
  type ContractWorld,
  aCall,
  aGroup,
  allocationId,
  eventually,
  listOf,
  release,
  untilReady,
} from './contract-world.ts'

const OTHER_INSTALLATION = 'ins_otherinstallatio'

export function describeLeftovers(world: () => ContractWorld): void {
  describe('ownership and leftovers', () => {
    it('never lists nodes of another installation', async () => {
      const theirs = await aGroup(world(), { allocation: 1, installationId: OTHER_INSTALLATION })
      await world().provider.createNodes(theirs, aCall())
      await untilReady(world(), theirs)
      const { installationId } = world()
      expect(await world().provider.listNodes({ installationId }, aCall())).to.deep.equal([])
      const filter = { installationId, allocationId: theirs.owner.allocationId }
      expect(await world().provider.listNodes(filter, aCall())).to.deep.equal([])
    })

    it('leaves what another installation made alone when it sweeps', async () => {
      const theirs = await aGroup(world(), { allocation: 1, installationId: OTHER_INSTALLATION, withKeys: true })
      await world().provider.createNodes(theirs, aCall())
      const before = await untilReady(world(), theirs)
      const ledgerBefore = await world().ledger()
      await sweep(world(), [theirs])
      expect(await listOf(world(), theirs)).to.have.length(before.length)
      expect(await world().ledger()).to.deep.equal(ledgerBefore)
    })

    it('leaves what an allocation that has not ended needs alone when it sweeps', async () => {
      const group = await aGroup(world(), { withKeys: true })
      await world().provider.createNodes(group, aCall())
      await sweep(world(), [])
      await untilReady(world(), group)
      await sweep(world(), [])
      expect(await listOf(world(), group)).to.have.length(group.size)
    })

    it('leaves nothing behind after a release and a sweep', async () => {
      const group = await aGroup(world(), { withKeys: true })
      await world().provider.createNodes(group, aCall())
      await untilReady(world(), group)
      if (world().provider.capabilities.joinsFabric) {
        await join(world(), group)
        await leave(world(), group)
      }
      await release(world(), group)
      await untilNothingIsLeft(world(), group)
    })

    it('leaves nothing behind when a create lost its answer', async () => {
      const group = await aGroup(world(), { withKeys: true })
      await world().setFaults([{ match: world().calls.create, times: 1, effect: 'drop-after' }])
      await world()
        .provider.createNodes(group, aCall())
        .catch((error: unknown) => expect(error).to.have.property('effect', 'maybe'))
      await release(world(), group)
      await untilNothingIsLeft(world(), group)
    })

    describeFabric(world)
  })
}

function describeFabric(world: () => ContractWorld): void {
  it('joins nodes into one interconnect group and dissolves it, however often it is asked', async function fabric() {
    if (!world().provider.capabilities.joinsFabric) this.skip()
    const group = await aGroup(world())
    await world().provider.createNodes(group, aCall())
    await untilReady(world(), group)
    await join(world(), group)
    await join(world(), group)
    expect((await listOf(world(), group)).every(({ inFabric }) => inFabric)).to.equal(true)
    await leave(world(), group)
    await leave(world(), group)
    expect((await listOf(world(), group)).some(({ inFabric }) => inFabric)).to.equal(false)
  })

  it('takes the dissolution of a group that never was for done', async function fabric() {
    if (!world().provider.capabilities.joinsFabric) this.skip()
    const owner = {
      installationId: world().installationId,
      allocationId: allocationId(7),
      group: (await aGroup(world(), { allocation: 7 })).name,
    }
    expect(await world().provider.leaveFabric?.({ clusterId: world().clusterId, owner }, aCall())).to.deep.equal({
      settled: true,
    })
  })
}

const sweep = (world: ContractWorld, ended: readonly NodeGroup[]) =>
  world.provider.sweepLeftovers(
    {
      installationId: world.installationId,
      allocationsEnded: new Set(ended.map(({ owner }) => owner.allocationId)),
    },
    aCall(),
  )

const untilNothingIsLeft = (world: ContractWorld, group: NodeGroup) =>
  eventually(
    'a ledger with nothing left in it',
    async () => {
      await sweep(world, [group])
      const { nodes, others } = await world.ledger()
      return [...nodes, ...others].filter(({ deletedAt }) => deletedAt === null)
    },
    (left) => left.length === 0,
  )

async function join(world: ContractWorld, group: NodeGroup): Promise<void> {
  const nodes = await listOf(world, group)
  const request: FabricRequest = {
    clusterId: group.clusterId,
    owner: group.owner,
    providerInstanceIds: nodes.map(({ providerInstanceId }) => providerInstanceId),
  }
  await eventually(
    'a settled interconnect group',
    async () => await world.provider.joinFabric?.(request, aCall()),
    (answer) => answer?.settled === true,
  )
}

async function leave(world: ContractWorld, group: NodeGroup): Promise<void> {
  await eventually(
    'a dissolved interconnect group',
    async () => await world.provider.leaveFabric?.({ clusterId: group.clusterId, owner: group.owner }, aCall()),
    (answer) => answer?.settled === true,
  )
}
