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

/** `run` is handed the call as it is to be made. */
export type Around = <T>(operation: Operation, call: Call, run: (call: Call) => Promise<T>) => Promise<T>

export function wrapProvider(provider: Provider, around: Around): Provider {
  const { listOthers, joinFabric, leaveFabric } = provider
  return {
    id: provider.id,
    capabilities: provider.capabilities,
    describe: (call) => around('describe', call, (made) => provider.describe(made)),
    createNodes: (group, call) => around('createNodes', call, (made) => provider.createNodes(group, made)),
    listNodes: (filter, call) => around('listNodes', call, (made) => provider.listNodes(filter, made)),
    deleteNodes: (request, call) => around('deleteNodes', call, (made) => provider.deleteNodes(request, made)),
    sweepLeftovers: (request, call) => around('sweepLeftovers', call, (made) => provider.sweepLeftovers(request, made)),
    freeCapacity: (clusterId, call) => around('freeCapacity', call, (made) => provider.freeCapacity(clusterId, made)),
    ping: (call) => around('ping', call, (made) => provider.ping(made)),
    ...(listOthers && { listOthers: (filter, call) => around('listOthers', call, (made) => listOthers(filter, made)) }),
    ...(joinFabric && {
      joinFabric: (request, call) => around('joinFabric', call, (made) => joinFabric(request, made)),
    }),
    ...(leaveFabric && {
      leaveFabric: (request, call) => around('leaveFabric', call, (made) => leaveFabric(request, made)),
    }),
  }
}
