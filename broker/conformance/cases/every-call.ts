/** One way to make each call of the contract, for rules that hold for all of them. */
import type { Call, NodeGroup } from '../../../shared/provider.ts'
import type { CaseWorld } from '../world.ts'

type Tried = Pick<CaseWorld, 'provider' | 'installationId' | 'clusterId' | 'unknownInstanceId'>

type Try = (world: Tried, group: NodeGroup, call: Call) => Promise<unknown>

export type CallName = keyof typeof TRIES

export const TRIES = {
  ping: ({ provider }, _group, call) => provider.ping(call),
  describe: ({ provider }, _group, call) => provider.describe(call),
  list: ({ provider, installationId }, _group, call) => provider.listNodes({ installationId }, call),
  create: ({ provider }, group, call) => provider.createNodes(group, call),
  delete: ({ provider, clusterId, unknownInstanceId }, _group, call) =>
    provider.deleteNodes({ clusterId, providerInstanceIds: [unknownInstanceId] }, call),
  sweep: ({ provider, installationId }, { owner }, call) =>
    provider.sweepLeftovers({ installationId, allocationsEnded: new Set([owner.allocationId]) }, call),
} as const satisfies Readonly<Record<string, Try>>

export const CALL_NAMES = Object.keys(TRIES) as readonly CallName[]
