/** What stands beside the nodes: leftovers and interconnects. */
import type { Provider } from '../../../shared/provider.ts'
import { type Mutant, refuse } from './breaking.ts'

export const BESIDE: readonly Mutant[] = [
  {
    does: 'leaves leftovers',
    breaks: () => ({ sweepLeftovers: async () => [] }),
    fails: [
      'nothing-left-after-release',
      'nothing-left-after-lost-answer',
      'nothing-left-after-failed-build',
      'deadline-sweep',
      'aborted-sweep',
    ],
  },
  {
    does: 'sweeps what another installation made',
    habits: { sparesForeign: false },
    fails: ['sweep-spares-foreign'],
  },
  {
    does: 'sweeps what nodes that are still building need',
    habits: { sparesNeeded: false },
    fails: ['sweep-spares-needed'],
  },
  {
    does: 'sweeps nodes away with the rest',
    breaks: (good) => ({
      async sweepLeftovers(request, call) {
        const { installationId, allocationsEnded } = request
        const nodes = await good.listNodes({ installationId }, call)
        const ended = nodes.filter(({ owner }) => owner !== null && allocationsEnded.has(owner.allocationId))
        const providerInstanceIds = ended.map((node) => node.providerInstanceId)
        await good.deleteNodes({ clusterId: 'memory-1', providerInstanceIds }, call)
        return await good.sweepLeftovers(request, call)
      },
    }),
    fails: ['sweep-spares-nodes'],
  },
  {
    does: 'finds leftovers where nothing was made',
    breaks: (good) => ({
      async sweepLeftovers(request, call) {
        const found = await good.sweepLeftovers(request, call)
        return found.length > 0 ? found : [{ kind: 'port', id: 'p-1', name: 'a port', action: 'removed' }]
      },
    }),
    fails: ['sweep-of-nothing'],
  },
  {
    does: 'fails when it joins what is joined',
    breaks(good) {
      const joined = new Map<string, string>()
      return {
        async joinFabric(request, call) {
          const ids = request.providerInstanceIds.join()
          if (joined.get(request.owner.allocationId) === ids) throw refuse('it exists')
          joined.set(request.owner.allocationId, ids)
          return (await good.joinFabric?.(request, call)) ?? { settled: false }
        },
      }
    },
    fails: ['fabric-joined-twice'],
  },
  {
    does: 'adds to an interconnect group and never takes out',
    breaks: (good) => ({
      async joinFabric(request, call) {
        const nodes = await good.listNodes(request.owner, call)
        const joined = nodes.filter(({ inFabric }) => inFabric).map((node) => node.providerInstanceId)
        const providerInstanceIds = [...new Set([...joined, ...request.providerInstanceIds])]
        return (await good.joinFabric?.({ ...request, providerInstanceIds }, call)) ?? { settled: false }
      },
    }),
    fails: ['fabric-members-change'],
  },
  {
    does: 'calls an interconnect group that never was not found',
    breaks(good) {
      const joined = new Set<string>()
      return {
        async joinFabric(request, call) {
          joined.add(request.owner.allocationId)
          return (await good.joinFabric?.(request, call)) ?? { settled: false }
        },
        async leaveFabric(request, call) {
          if (!joined.has(request.owner.allocationId)) throw refuse('no such group', 'not-found')
          return (await good.leaveFabric?.(request, call)) ?? { settled: false }
        },
      }
    },
    fails: ['fabric-none-to-leave'],
  },
  {
    does: 'fails when it dissolves what it dissolved before',
    breaks(good) {
      const left = new Set<string>()
      return {
        async leaveFabric(request, call) {
          if (left.has(request.owner.allocationId)) throw refuse('no such group', 'not-found')
          left.add(request.owner.allocationId)
          return (await good.leaveFabric?.(request, call)) ?? { settled: false }
        },
      }
    },
    fails: ['fabric-left-twice'],
  },
  {
    does: 'dissolves the interconnect group when one of its nodes goes',
    breaks(good) {
      const groups = new Map<string, Parameters<NonNullable<Provider['joinFabric']>>[0]>()
      return {
        async joinFabric(request, call) {
          for (const id of request.providerInstanceIds) groups.set(id, request)
          return (await good.joinFabric?.(request, call)) ?? { settled: false }
        },
        async deleteNodes(request, call) {
          await good.deleteNodes(request, call)
          const group = groups.get(request.providerInstanceIds[0] ?? '')
          if (group !== undefined) await good.leaveFabric?.(group, call)
        },
      }
    },
    fails: ['fabric-node-deleted'],
  },
]
