/** Nodes without our tag that are passed over, spared, or mistaken. */
import type { Provider } from '../../../shared/provider.ts'
import type { Mutant } from './breaking.ts'

export const OTHERS: readonly Mutant[] = [
  {
    does: 'knows nothing of nodes that were taken over',
    breaks: (good) => ({
      listNodes: (filter, call) => good.listNodes({ ...filter, adopted: [] }, call),
    }),
    fails: ['taken-over-nodes'],
  },
  {
    does: 'deletes only what it made itself',
    breaks: (good) => ({
      deleteNodes: ({ adopted = [], providerInstanceIds, ...request }, call) =>
        good.deleteNodes(
          { ...request, providerInstanceIds: providerInstanceIds.filter((id) => !adopted.includes(id)) },
          call,
        ),
    }),
    fails: ['taken-over-nodes'],
  },
  {
    does: 'takes its own nodes for those of others',
    breaks: (good) => ({ listOthers: (_, call) => others(good, { installationId: 'ins_nobodyatallinhere' }, call) }),
    fails: ['others-listed'],
  },
  {
    does: 'puts what others made into another cluster',
    breaks: (good) => ({
      listOthers: async (filter, call) =>
        (await others(good, filter, call)).map((other) => ({ ...other, clusterId: 'elsewhere' })),
    }),
    fails: ['others-listed'],
  },
]

const others: (
  good: Provider,
  ...asked: Parameters<NonNullable<Provider['listOthers']>>
) => ReturnType<NonNullable<Provider['listOthers']>> = async (good, ...asked) =>
  (await good.listOthers?.(...asked)) ?? []
