/** Nodes without our tag: those that were taken over are dealt with by their ids, and all others are only told of. */
import assert from 'node:assert/strict'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { OtherNode } from '../../../shared/provider.ts'
import type { ContractCase } from '../contract-case.ts'
import { SAYS } from '../sentences.ts'
import { aCall, aReadyGroup, eventually, idsOf, release } from '../steps.ts'
import type { CaseWorld } from '../world.ts'

export const OTHERS: readonly ContractCase[] = [
  {
    id: 'taken-over-nodes',
    rule: 'lists nodes that were taken over beside its own, and lets them go',
    says: SAYS.adopted,
    needs: [],
    nodes: () => 3,
    async run(world) {
      const { provider, clusterId, installationId } = world
      const ours = await aReadyGroup(world, { allocation: 1, size: 1 })
      const taken = idsOf((await makeOthers(world)).nodes)
      const filter = { installationId, adopted: taken }
      const all = [...idsOf(ours.nodes), ...taken].toSorted()
      assert.deepEqual(idsOf(await provider.listNodes(filter, aCall(world))), all)
      const { allocationId } = ours.group.owner
      assert.deepEqual(idsOf(await provider.listNodes({ ...filter, allocationId }, aCall(world))), all)
      const request = { clusterId, providerInstanceIds: taken, adopted: taken }
      const left = await eventually(world, 'a list without the nodes that were taken over', {
        async ask() {
          await provider.deleteNodes(request, aCall(world)).catch((error: unknown) => {
            if (!isBusy(error)) throw error
          })
          return await provider.listNodes(filter, aCall(world))
        },
        until: (nodes) => nodes.every((node) => !taken.includes(node.providerInstanceId)),
      })
      assert.deepEqual(idsOf(left), idsOf(ours.nodes))
    },
  },
  {
    id: 'others-listed',
    rule: 'lists what others made in its clusters for as long as it stands there, and nothing of ours',
    says: SAYS.others,
    needs: ['others'],
    nodes: () => 3,
    async run(world) {
      const ours = idsOf((await aReadyGroup(world, { allocation: 1, size: 1 })).nodes)
      const { group, nodes } = await makeOthers(world)
      const theirs = idsOf(nodes)
      const seen = await untilOthers(world, 'all that the others made', (ids) => theirs.every((id) => ids.has(id)))
      const ids = seen.map((other) => other.providerInstanceId)
      assert.equal(new Set(ids).size, ids.length, 'a node is listed twice')
      for (const id of ours) assert.ok(!ids.includes(id), `${id} carries our tag`)
      for (const other of seen)
        if (theirs.includes(other.providerInstanceId)) assert.equal(other.clusterId, world.clusterId)
      await release(world, group)
      await untilOthers(world, 'nothing of what is gone', (left) => !theirs.some((id) => left.has(id)))
    },
  },
]

const makeOthers = (world: CaseWorld) =>
  aReadyGroup(world, { allocation: 2, installationId: world.otherInstallationId })

const isBusy = (error: unknown): boolean => error instanceof ProviderError && error.kind === 'busy'

const untilOthers = (
  world: CaseWorld,
  what: string,
  until: (ids: ReadonlySet<string>) => boolean,
): Promise<readonly OtherNode[]> =>
  eventually(world, what, {
    ask: async () => (await world.provider.listOthers?.({ installationId: world.installationId }, aCall(world))) ?? [],
    until: (others) => until(new Set(others.map((other) => other.providerInstanceId))),
  })
