/** Part of the contract suite: no room, no quota, and builds that fail. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NodeGroup, ProviderNode } from '../../shared/provider.ts'
import {
  type ContractWorld,
  aCall,
  aGroup,
  eventually,
  listOf,
  release,
  rejectionOf,
  untilReady,
} from './contract-world.ts'

export function describeShortage(world: () => ContractWorld): void {
  describe('shortage', () => {
    it('calls a quota that is used up quota-exceeded, nothing done', async () => {
      await world().setBehaviour({ quotaNodes: 0 })
      const group = await aGroup(world())
      const error = await rejectionOf('quota-exceeded', world().provider.createNodes(group, aCall()))
      expect(error.effect).to.equal('none')
      expect(await listOf(world(), group)).to.deep.equal([])
    })

    it('tells that there is no room: by its refusal, or by nodes that failed for it', async () => {
      await world().setBehaviour({ freeNodes: 0 })
      const group = await aGroup(world())
      expect(await shortageOf(world(), group)).to.equal('out-of-capacity')
      await world().setBehaviour({ freeNodes: null })
      await release(world(), group)
    })

    it('makes the group once there is room again', async () => {
      await world().setBehaviour({ freeNodes: 0 })
      const group = await aGroup(world())
      await shortageOf(world(), group)
      await world().setBehaviour({ freeNodes: null })
      await release(world(), group)
      const next = await aGroup(world(), { counter: 1 })
      await world().provider.createNodes(next, aCall())
      await untilReady(world(), next)
    })

    it('shows a build that failed with its reason, and deletes it', async () => {
      await world().setBehaviour({ buildFails: 1 })
      const group = await aGroup(world())
      await world().provider.createNodes(group, aCall())
      const nodes = await eventually(
        'a failed and a ready node',
        () => listOf(world(), group),
        (found) => found.length === group.size && found.every(({ state }) => state !== 'building'),
      )
      const failed = nodes.filter(({ state }) => state === 'failed')
      expect(failed).to.have.length(1)
      expect(failed[0]?.failure?.kind).to.equal('fault')
      expect(failed[0]?.failure?.message).to.not.equal('')
      await release(world(), group)
    })
  })
}

/** What the adapter says about the shortage, wherever it says it. */
async function shortageOf(world: ContractWorld, group: NodeGroup): Promise<string | undefined> {
  try {
    await world.provider.createNodes(group, aCall())
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return error.kind
  }
  const hasFailed = (node: ProviderNode): boolean => node.state === 'failed'
  const nodes = await eventually(
    'failed nodes',
    () => listOf(world, group),
    (found) => found.some(hasFailed),
  )
  return nodes.find(hasFailed)?.failure?.kind
}
