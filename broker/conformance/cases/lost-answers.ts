/** Answers that never come: what was asked may have been done, so it is looked for before it is asked for again. */
import assert from 'node:assert/strict'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import {
  WITH_KEY,
  aCall,
  aGroup,
  aReadyGroup,
  deleteUntil,
  eventually,
  idsOf,
  listAll,
  listOf,
  rejection,
  rejectionOf,
  untilReady,
} from '../steps.ts'

const LOST = ['drop-after', 'reset-after'] as const
const CUT = ['drop-before', 'reset-before'] as const

export const LOST_ANSWERS: readonly ContractCase[] = [
  ...LOST.map(
    (effect): ContractCase => ({
      id: `create-answer-lost-${effect}`,
      rule: `calls a create whose answer is lost (${effect}) unreachable, maybe done, and lists what it made`,
      says: SAYS.maybe,
      needs: ['faults'],
      async run(world) {
        const group = await aGroup(world)
        await world.sandbox.setFaults([{ match: world.sandbox.calls.create, times: 1, effect }])
        const error = await rejectionOf('unreachable', world.provider.createNodes(group, aCall(world)))
        assert.equal(error.effect, 'maybe')
        // An operator that makes nodes one by one has made the first at least.
        const found = await eventually(world, 'what was made', {
          ask: () => listOf(world, group),
          until: (nodes) => nodes.length > 0,
        })
        await world.provider.createNodes(group, aCall(world))
        const nodes = idsOf(await untilReady(world, group))
        for (const id of idsOf(found)) assert.ok(nodes.includes(id), `${id} was there and is not any more`)
        assert.equal((await world.ledger()).nodes.length, group.size)
      },
    }),
  ),
  ...CUT.map(
    (effect): ContractCase => ({
      id: `create-cut-off-${effect}`,
      rule: `makes nothing when a create is cut off before it is done (${effect}), and the group when asked again`,
      says: SAYS.noAnswer,
      needs: ['faults'],
      async run(world) {
        const group = await aGroup(world)
        await world.sandbox.setFaults([{ match: world.sandbox.calls.create, times: 1, effect }])
        await rejectionOf('unreachable', world.provider.createNodes(group, aCall(world)))
        assert.deepEqual(await listOf(world, group), [])
        await world.provider.createNodes(group, aCall(world))
        await untilReady(world, group)
        assert.equal((await world.ledger()).nodes.length, group.size)
      },
    }),
  ),
  {
    id: 'create-answers-lost-in-a-row',
    rule: 'makes one set of nodes although the answers to several creates in a row are lost',
    says: SAYS.twice,
    needs: ['faults'],
    async run(world) {
      const group = await aGroup(world, WITH_KEY)
      await world.sandbox.setFaults([{ match: world.sandbox.calls.create, times: 3, effect: 'drop-after' }])
      await eventually(world, 'a create that is answered', {
        ask: async () => {
          try {
            await world.provider.createNodes(group, aCall(world))
            return true
          } catch (error) {
            if (!(error instanceof ProviderError) || error.kind !== 'unreachable') throw error
            return false
          }
        },
        until: (answered) => answered,
      })
      await untilReady(world, group)
      assert.equal((await world.ledger()).nodes.length, group.size)
    },
  },
  {
    id: 'delete-answers-lost',
    rule: 'gets nodes deleted although answers to deletions are lost',
    says: SAYS.gone,
    needs: ['faults'],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await world.sandbox.setFaults([{ match: world.sandbox.calls.remove, times: group.size, effect: 'drop-after' }])
      await deleteUntil(world, group, { ids: idsOf(nodes), left: 0, tolerated: ['busy', 'unreachable'] })
    },
  },
  {
    id: 'delete-cut-off',
    rule: 'calls a deletion that is cut off unreachable, and the nodes stay listed',
    says: SAYS.noAnswer,
    needs: ['faults'],
    async run(world) {
      const { group, nodes } = await aReadyGroup(world)
      await world.sandbox.setFaults([{ match: world.sandbox.calls.remove, effect: 'drop-before' }])
      const request = { clusterId: world.clusterId, providerInstanceIds: idsOf(nodes) }
      await rejectionOf('unreachable', world.provider.deleteNodes(request, aCall(world)))
      assert.deepEqual(idsOf(await listOf(world, group)), idsOf(nodes))
    },
  },
  {
    id: 'list-cut-off',
    rule: 'calls a list that is cut off unreachable, nothing done',
    says: SAYS.noEffect,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([{ match: world.sandbox.calls.list, times: 1, effect: 'reset-before' }])
      assert.equal((await rejectionOf('unreachable', listAll(world))).effect, 'none')
    },
  },
  {
    id: 'ping-cut-off',
    rule: 'rejects a ping when nothing answers',
    says: SAYS.ping,
    needs: ['faults'],
    nodes: () => 0,
    async run(world) {
      await world.sandbox.setFaults([{ match: {}, effect: 'reset-before' }])
      const error = await rejection(world.provider.ping(aCall(world)))
      assert.equal(error.kind, 'unreachable')
      assert.equal(error.effect, 'none')
    },
  },
]
