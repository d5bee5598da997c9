/** Deletions that are believed, refused, or done to others. */
import { setTimeout as pause } from 'node:timers/promises'
import { ProviderError } from '../../../shared/provider-error.ts'
import type { Provider } from '../../../shared/provider.ts'
import { type Mutant, as, onDelete, refuse } from './breaking.ts'

export const DELETIONS: readonly Mutant[] = [
  {
    does: 'deletes all that stood beside the node when it was last listed',
    breaks(good) {
      const beside = new Map<string, readonly string[]>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          const ids = found.map((node) => node.providerInstanceId)
          if (filter.allocationId !== undefined) for (const id of ids) beside.set(id, ids)
          return found
        },
        async deleteNodes({ clusterId, providerInstanceIds }, call) {
          const ids = new Set(providerInstanceIds.flatMap((id) => [id, ...(beside.get(id) ?? [])]))
          await good.deleteNodes({ clusterId, providerInstanceIds: [...ids] }, call)
        },
      }
    },
    fails: ['delete-only-these', 'create-after-member-deleted', 'fabric-node-deleted', 'taken-over-nodes'],
  },
  {
    does: 'refuses to delete what takes its time to be built',
    breaks(good) {
      const filters = new Map<string, Parameters<Provider['listNodes']>[0]>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          for (const node of found) filters.set(node.providerInstanceId, filter)
          return found
        },
        async deleteNodes(request, call) {
          const filter = filters.get(request.providerInstanceIds[0] ?? '')
          if (filter !== undefined && !call.signal.aborted) {
            await pause(30) // six times what a quick one takes
            const found = await good.listNodes(filter, call)
            if (found.some(({ state }) => state === 'building')) throw refuse('it is building')
          }
          await good.deleteNodes(request, call)
        },
      }
    },
    fails: ['delete-while-building'],
  },
  {
    does: 'calls what it deleted before not found',
    breaks(good) {
      const deleted = new Set<string>()
      const vanished = new Set<string>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          const ids = new Set(found.map((node) => node.providerInstanceId))
          for (const id of deleted) if (!ids.has(id)) vanished.add(id)
          return found
        },
        async deleteNodes(request, call) {
          if (request.providerInstanceIds.some((id) => vanished.has(id))) throw refuse('gone already', 'not-found')
          await good.deleteNodes(request, call)
          for (const id of request.providerInstanceIds) deleted.add(id)
        },
      }
    },
    fails: ['delete-again', 'delete-ten-times'],
  },
  {
    does: 'calls a deletion whose answer is lost refused',
    breaks: onDelete((error) => (error.code === 'LOST' ? as(error, 'refused') : error)),
    fails: ['delete-answers-lost', 'delete-cut-off'],
  },
  {
    does: 'believes the delete',
    breaks(good) {
      const gone = new Set<string>()
      return {
        async deleteNodes(request, call) {
          await good.deleteNodes(request, call)
          for (const id of request.providerInstanceIds) gone.add(id)
        },
        listNodes: async (filter, call) =>
          (await good.listNodes(filter, call)).filter((node) => !gone.has(node.providerInstanceId)),
      }
    },
    fails: ['delete-believed-by-list'],
  },
  {
    does: 'calls a node that nobody knows not found',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        await good.deleteNodes(request, call)
        if (request.providerInstanceIds.join() === 'n-999999') throw refuse('who is that?', 'not-found')
      },
    }),
    fails: ['delete-unknown'],
  },
  {
    does: 'deletes none of them when one is unknown',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        const ids = request.providerInstanceIds
        if (ids.length > 1 && ids.includes('n-999999')) throw refuse('not yet', 'busy')
        await good.deleteNodes(request, call)
      },
    }),
    fails: ['delete-beside-unknown'],
  },
  {
    does: 'deletes everything when it is asked to delete nothing',
    breaks(good) {
      const seen = new Set<string>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          for (const node of found) seen.add(node.providerInstanceId)
          return found
        },
        async deleteNodes({ clusterId, providerInstanceIds }, call) {
          const ids = providerInstanceIds.length === 0 ? [...seen] : providerInstanceIds
          await good.deleteNodes({ clusterId, providerInstanceIds: ids }, call)
        },
      }
    },
    fails: ['delete-none'],
  },
  {
    does: 'refuses a request that names a node twice',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        const ids = request.providerInstanceIds
        if (new Set(ids).size < ids.length) throw refuse('twice')
        await good.deleteNodes(request, call)
      },
    }),
    fails: ['delete-named-twice'],
  },
  {
    does: 'calls a 500 to a deletion refused',
    breaks: onDelete((error) => (error.code === '500' ? as(error, 'refused') : error)),
    fails: ['delete-500'],
  },
  {
    does: 'says deleted when the operator throttles it',
    breaks: (good) => ({
      async deleteNodes(request, call) {
        try {
          await good.deleteNodes(request, call)
        } catch (error) {
          if (!(error instanceof ProviderError) || error.kind !== 'throttled') throw error
        }
      },
    }),
    fails: ['delete-throttled'],
  },
]
