/** Lists that are not whole, or not about us. */
import { PAGE_SIZE } from '../memory-operator.ts'
import { type Mutant, as, hasGroup, onList, refuse } from './breaking.ts'

/** What the mutant that knows only these was asked for, by whichever of its instances. */
const allocationsAskedFor = new Set<string>()

export const LISTS: readonly Mutant[] = [
  {
    does: 'loses a node after it has listed it four times',
    breaks(good) {
      const looks = new Map<string, number>()
      return {
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          if (filter.allocationId === undefined || found.length === 0 || found.some(({ state }) => state !== 'ready'))
            return found
          const look = (looks.get(filter.allocationId) ?? 0) + 1
          looks.set(filter.allocationId, look)
          return look > 4 ? found.slice(1) : found
        },
      }
    },
    fails: ['list-same-again'],
  },
  {
    does: 'may have done something when a list is cut off',
    breaks: onList((error) => (error.code === 'LOST' ? as(error, 'unreachable', { effect: 'maybe' }) : error)),
    fails: ['list-cut-off', 'list-never-partial'],
  },
  {
    does: 'forgets paging',
    habits: { followsPages: false },
    fails: ['list-second-page', 'list-third-page', 'list-never-partial', 'create-burst', 'create-largest-group'],
  },
  {
    does: 'answers half a list when a later page is lost',
    habits: { wantsAllPages: false },
    fails: ['list-never-partial'],
  },
  {
    does: 'takes a list that it does not understand for an empty one',
    habits: { checksShape: false },
    fails: ['list-of-another-shape'],
  },
  {
    does: 'lists foreign nodes',
    habits: { listsOwn: false },
    fails: ['foreign-not-listed'],
  },
  {
    does: 'lists nothing while it deletes',
    breaks(good) {
      let deleting = 0
      return {
        async deleteNodes(request, call) {
          deleting += 1
          await good.deleteNodes(request, call).finally(() => {
            deleting -= 1
          })
        },
        async listNodes(filter, call) {
          const found = await good.listNodes(filter, call)
          return deleting > 0 ? [] : found
        },
      }
    },
    fails: ['list-while-vanishing'],
  },
  {
    does: 'lists nothing while it creates',
    breaks(good) {
      let creates = 0
      return {
        async createNodes(group, call) {
          creates += 1
          return await good.createNodes(group, call).finally(() => {
            creates -= 1
          })
        },
        listNodes: async (filter, call) => (creates > 0 ? [] : await good.listNodes(filter, call)),
      }
    },
    fails: ['list-while-appearing'],
  },
  {
    does: 'gives a node up that its first list does not show',
    breaks(good) {
      const groups = new Map<string, boolean>()
      return {
        async createNodes(group, call) {
          const made = await good.createNodes(group, call)
          if (!groups.has(group.name)) {
            groups.set(group.name, await hasGroup(good, group, call))
          }
          return made
        },
        listNodes: async (filter, call) =>
          (await good.listNodes(filter, call)).filter(({ owner }) => groups.get(owner?.group ?? '') !== false),
      }
    },
    fails: ['list-after-lag'],
  },
  {
    does: 'ignores which allocation it is asked about',
    breaks: (good) => ({
      listNodes: ({ installationId }, call) => good.listNodes({ installationId }, call),
    }),
    fails: [
      'list-filters',
      'list-while-vanishing',
      'list-while-appearing',
      'create-beside-another-allocation',
      'delete-ten-times',
      'taken-over-nodes',
    ],
  },
  {
    does: 'knows no allocation that it was never asked to make anything for',
    breaks: (good) => ({
      async createNodes(group, call) {
        allocationsAskedFor.add(group.owner.allocationId)
        return await good.createNodes(group, call)
      },
      async listNodes(filter, call) {
        if (filter.allocationId !== undefined && !allocationsAskedFor.has(filter.allocationId)) {
          throw refuse('no such allocation', 'not-found')
        }
        return await good.listNodes(filter, call)
      },
    }),
    fails: ['list-empty'],
  },
  {
    does: 'expects more where a page of all nodes is full',
    breaks: (good) => ({
      async listNodes(filter, call) {
        const found = await good.listNodes(filter, call)
        if (filter.allocationId === undefined && found.length === PAGE_SIZE) throw refuse('no next page', 'malformed')
        return found
      },
    }),
    fails: ['list-full-page', 'list-while-vanishing', 'list-while-appearing'],
  },
]
