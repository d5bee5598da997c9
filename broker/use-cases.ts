/** The use cases as the HTTP layer calls them, with everything they work with already in hand. */
import type { App } from './app/app.ts'
import { createAllocation } from './app/create-allocation.ts'
import { extendAllocation } from './app/extend-allocation.ts'
import { previewPlacement } from './app/preview-placement.ts'
import { putApproval } from './app/put-approval.ts'
import {
  getAllocation,
  listAllocationDecisions,
  listAllocationNodes,
  listAllocations,
  listWaitlist,
} from './app/read-allocations.ts'
import { getApproval, listApprovals } from './app/read-approvals.ts'
import {
  clusterAvailability,
  getCluster,
  getProvider,
  listClusters,
  listProviders,
  type ProviderFacts,
} from './app/read-catalogue.ts'
import { releaseAllocation } from './app/release-allocation.ts'
import { revokeApproval } from './app/revoke-approval.ts'
import type { UseCases } from './http/use-cases.ts'

export const bindUseCases = (app: App, providers: readonly ProviderFacts[]): UseCases => ({
  createAllocation: (command, request) => createAllocation(app, command, request),
  releaseAllocation: (command, id, request) => releaseAllocation(app, command, id, request),
  extendAllocation: (command, id, request) => extendAllocation(app, command, id, request),
  putApproval: (command, id, request) => putApproval(app, command, id, request),
  revokeApproval: (command, id) => revokeApproval(app, command, id),
  previewPlacement: (_caller, request) => previewPlacement(app, request),
  getAllocation: (caller, id) => getAllocation(app, caller, id),
  listAllocations: (caller, filter, page) => listAllocations(app, caller, filter, page),
  listAllocationNodes: (caller, id) => listAllocationNodes(app, caller, id),
  listAllocationDecisions: (caller, id) => listAllocationDecisions(app, caller, id),
  getApproval: (caller, id) => getApproval(app, caller, id),
  listApprovals: (caller, page) => listApprovals(app, caller, page),
  listWaitlist: (caller, filter, page) => listWaitlist(app, caller, filter, page),
  listProviders: (_caller, page) => listProviders(app, providers, page),
  getProvider: (_caller, id) => getProvider(app, providers, id),
  listClusters: (_caller, page) => listClusters(app, page),
  getCluster: (_caller, id) => getCluster(app, id),
  clusterAvailability: (_caller, id, range) => clusterAvailability(app, id, range),
})
