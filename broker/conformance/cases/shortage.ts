/** No room, no quota, and builds that fail. */
import assert from 'node:assert/strict'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { NodeGroup, ProviderNode } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import { aCall, aGroup, aReadyGroup, eventually, listOf, rejectionOf, release } from '../steps.ts'
import type { CaseWorld } from '../world.ts'

export const SHORTAGE: readonly ContractCase[] = [
  {
    id: 'quota-exceeded',
    rule: 'calls a quota that is used up quota-exceeded, nothing done',
    says: SAYS.noQuota,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ quotaNodes: 0 })
      const group = await aGroup(world)
      const error = await rejectionOf('quota-exceeded', world.provider.createNodes(group, aCall(world)))
      assert.equal(error.effect, 'none')
      assert.deepEqual(await listOf(world, group), [])
    },
  },
  {
    id: 'out-of-capacity',
    rule: 'tells that there is no room: by its refusal, or by nodes that failed for it',
    says: SAYS.noRoom,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ freeNodes: 0 })
      const group = await aGroup(world)
      assert.equal(await shortageOf(world, group), 'out-of-capacity')
      await world.sandbox.setBehaviour({ freeNodes: null })
      await release(world, group)
    },
  },
  {
    id: 'out-of-capacity-passes',
    rule: 'makes the group once there is room again',
    says: SAYS.noRoom,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ freeNodes: 0 })
      const group = await aGroup(world)
      await shortageOf(world, group)
      await world.sandbox.setBehaviour({ freeNodes: null })
      await release(world, group)
      await aReadyGroup(world, { counter: 1 })
    },
  },
  ...(['quotaNodes', 'freeNodes'] as const).map(
    (knob): ContractCase => ({
      id: `half-a-group-${knob === 'quotaNodes' ? 'within-quota' : 'of-room'}`,
      rule: `says nothing done only if nothing was made, where there is ${knob === 'quotaNodes' ? 'quota' : 'room'} for half a group`,
      says: SAYS.shortage,
      needs: ['faults'],
      async run(world) {
        await world.sandbox.setBehaviour({ [knob]: 1 })
        const group = await aGroup(world)
        const effect = await effectOf(world, group)
        const built = (await world.ledger()).nodes.length
        assert.ok(effect !== 'none' || built === 0, `it says that nothing was done, and ${built} nodes were made`)
        await world.sandbox.setBehaviour({ [knob]: null })
        await release(world, group)
      },
    }),
  ),
  {
    id: 'failed-build-shown',
    rule: 'shows a build that failed with its reason, and deletes it',
    says: SAYS.failure,
    needs: ['faults'],
    async run(world) {
      await world.sandbox.setBehaviour({ buildFails: 1 })
      const group = await aGroup(world)
      await world.provider.createNodes(group, aCall(world))
      const nodes = await eventually(world, 'a failed and a ready node', {
        ask: () => listOf(world, group),
        until: (found) => found.length === group.size && found.every(({ state }) => state !== 'building'),
      })
      const failed = nodes.filter(hasFailed)
      assert.equal(failed.length, 1)
      assert.equal(failed[0]?.failure?.kind, 'fault')
      assert.notEqual(failed[0].failure.message, '')
      assert.ok(nodes.every((node) => hasFailed(node) || node.failure === null))
      await release(world, group)
    },
  },
]

const hasFailed = (node: ProviderNode): boolean => node.state === 'failed'

/** What the adapter says about the shortage, wherever it says it. */
async function shortageOf(world: CaseWorld, group: NodeGroup): Promise<string | undefined> {
  try {
    await world.provider.createNodes(group, aCall(world))
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return error.kind
  }
  const nodes = await eventually(world, 'failed nodes', {
    ask: () => listOf(world, group),
    until: (found) => found.some(hasFailed),
  })
  return nodes.find(hasFailed)?.failure?.kind
}

async function effectOf(world: CaseWorld, group: NodeGroup): Promise<'none' | 'maybe' | 'done'> {
  try {
    await world.provider.createNodes(group, aCall(world))
    return 'done'
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return error.effect
  }
}
