/** A Provider around a Provider: every call of the contract goes through one function that knows its name and kind. */
import type { Call, Provider } from '../../shared/provider.ts'

export const OPERATIONS = {
  describe: 'read',
  createNodes: 'create',
  listNodes: 'read',
  listOthers: 'read',
  deleteNodes: 'delete',
  joinFabric: 'create',
  leaveFabric: 'delete',
  sweepLeftovers: 'delete',
  freeCapacity: 'read',
  ping: 'read',
} as const

export type Operation = keyof typeof OPERATIONS
export type CallKind = (typeof OPERATIONS)[Operation]

export type Around = <T>(operation: Operation, call: Call, run: () => Promise<T>) => Promise<T>

export function wrapProvider(provider: Provider, around: Around): Provider {
  const { listOthers, joinFabric, leaveFabric } = provider
  return {
    id: provider.id,
    capabilities: provider.capabilities,
    describe: (call) => around('describe', call, () => provider.describe(call)),
    createNodes: (group, call) => around('createNodes', call, () => provider.createNodes(group, call)),
    listNodes: (filter, call) => around('listNodes', call, () => provider.listNodes(filter, call)),
    deleteNodes: (request, call) => around('deleteNodes', call, () => provider.deleteNodes(request, call)),
    sweepLeftovers: (request, call) => around('sweepLeftovers', call, () => provider.sweepLeftovers(request, call)),
    freeCapacity: (clusterId, call) => around('freeCapacity', call, () => provider.freeCapacity(clusterId, call)),
    ping: (call) => around('ping', call, () => provider.ping(call)),
    ...(listOthers && { listOthers: (filter, call) => around('listOthers', call, () => listOthers(filter, call)) }),
    ...(joinFabric && { joinFabric: (request, call) => around('joinFabric', call, () => joinFabric(request, call)) }),
    ...(leaveFabric && {
      leaveFabric: (request, call) => around('leaveFabric', call, () => leaveFabric(request, call)),
    }),
  }
}
