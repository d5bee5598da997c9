/** What belongs to others stays, and what is no longer needed goes. */
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
  idsOf,
  listOf,
  rejection,
  release,
  untilReady,
} from '../steps.ts'
import type { CaseWorld } from '../world.ts'
import { join, leave } from './joining.ts'

export const LEFTOVERS: readonly ContractCase[] = [
  {
    id: 'foreign-not-listed',
    rule: 'never lists nodes of another installation',
    says: SAYS.foreign,
    needs: [],
    async run(world) {
      const { installationId, otherInstallationId, provider } = world
      const { group } = await aReadyGroup(world, { allocation: 1, installationId: otherInstallationId })
      assert.deepEqual(await provider.listNodes({ installationId }, aCall(world)), [])
      const filter = { installationId, allocationId: group.owner.allocationId }
      assert.deepEqual(await provider.listNodes(filter, aCall(world)), [])
    },
  },
  {
    id: 'sweep-spares-foreign',
    rule: 'leaves what another installation made alone when it sweeps',
    says: SAYS.untagged,
    needs: [],
    async run(world) {
      const installationId = world.otherInstallationId
      const { group, nodes } = await aReadyGroup(world, { allocation: 1, installationId, ...WITH_KEY })
      const before = await world.ledger()
      await sweep(world, [group])
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
      assert.deepEqual(await world.ledger(), before)
    },
  },
  {
    id: 'sweep-spares-needed',
    rule: 'leaves what an allocation that has not ended needs alone when it sweeps',
    says: SAYS.ended,
    needs: [],
    async run(world) {
      await world.sandboxIfAny?.setBehaviour({ bootMs: 300 })
      const group = await aGroup(world, WITH_KEY)
      await world.provider.createNodes(group, aCall(world))
      await sweep(world, [])
      await untilReady(world, group)
      await sweep(world, [])
      assert.equal((await listOf(world, group)).length, group.size)
    },
  },
  {
    id: 'sweep-spares-nodes',
    rule: 'leaves nodes alone when it sweeps, also those of an allocation that has ended',
    says: SAYS.leftovers,
    needs: [],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await sweep(world, [group])
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
    },
  },
  {
    id: 'sweep-of-nothing',
    rule: 'finds nothing to sweep where nothing was made',
    says: SAYS.leftovers,
    needs: [],
    nodes: () => 0,
    async run(world) {
      const allocationsEnded = new Set([world.allocationId(3)])
      const request = { installationId: world.installationId, allocationsEnded }
      assert.deepEqual(await world.provider.sweepLeftovers(request, aCall(world)), [])
    },
  },
  {
    id: 'nothing-left-after-release',
    rule: 'leaves nothing behind after a release and a sweep',
    says: SAYS.leftovers,
    needs: ['faults'],
    async run(world) {
      const { group } = await aReadyGroup(world, WITH_KEY)
      if (world.provider.capabilities.joinsFabric) {
        await join(world, group)
        await leave(world, group)
      }
      await release(world, group)
      await untilNothingIsLeft(world, group)
    },
  },
  {
    id: 'nothing-left-after-lost-answer',
    rule: 'leaves nothing behind when a create lost its answer',
    says: SAYS.leftovers,
    needs: ['faults'],
    async run(world) {
      const group = await aGroup(world, WITH_KEY)
      await world.sandbox.setFaults([{ match: world.sandbox.calls.create, times: 1, effect: 'drop-after' }])
      const error = await rejection(world.provider.createNodes(group, aCall(world)))
      assert.equal(error.effect, 'maybe')
      await release(world, group)
      await untilNothingIsLeft(world, group)
    },
  },
  {
    id: 'nothing-left-after-failed-build',
    rule: 'leaves nothing behind when a build failed',
    says: SAYS.leftovers,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ buildFails: 1 })
      const group = await aGroup(world, WITH_KEY)
      await world.provider.createNodes(group, aCall(world))
      await eventually(world, 'a failed node', {
        ask: () => listOf(world, group),
        until: (nodes) => nodes.some(({ state }) => state === 'failed'),
      })
      await release(world, group)
      await untilNothingIsLeft(world, group)
    },
  },
]

const sweep = (world: CaseWorld, ended: readonly NodeGroup[]) =>
  world.provider.sweepLeftovers(
    {
      installationId: world.installationId,
      allocationsEnded: new Set(ended.map(({ owner }) => owner.allocationId)),
    },
    aCall(world),
  )

const untilNothingIsLeft = (world: CaseWorld, group: NodeGroup) =>
  eventually(world, 'a ledger with nothing left in it', {
    ask: async () => {
      await sweep(world, [group])
      const { nodes, others } = await world.ledger()
      return [...nodes, ...others].filter(({ deletedAt }) => deletedAt === null)
    },
    until: (left) => left.length === 0,
  })
