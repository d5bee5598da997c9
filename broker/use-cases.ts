/** The use cases as the HTTP layer calls them, with everything they work with already in hand. */
import type { LogLevel } from '../shared/operation.ts'
import { Refusal } from '../shared/refusal.ts'
import type { App } from './app/app.ts'
import { createAllocation } from './app/create-allocation.ts'
import { drainCluster, getDrain, liftDrain, listDrains } from './app/drain-cluster.ts'
import { extendAllocation } from './app/extend-allocation.ts'
import { importFleet, type Importing } from './app/import-fleet.ts'
import { holdProviders } from './app/freeze.ts'
import { adoptFoundNode } from './app/adopt-found.ts'
import { holdDeletes } from './app/hold-deletes.ts'
import { approveSweep, deleteFoundNode, ignoreFoundNode } from './app/resolve-finding.ts'
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
import type { EventTail } from './app/event-tail.ts'
import { eventFilter, listEvents } from './app/read-events.ts'
import { getCalendarHead, getDecision, listCalendarLog, listDecisions } from './app/read-proof.ts'
import { getReconciliation } from './app/read-reconciliation.ts'
import { listAudit, readAuditChain } from './app/read-audit.ts'
import { readUsage } from './app/read-usage.ts'
import { releaseAllocation } from './app/release-allocation.ts'
import { reloadInventory } from './app/reload-inventory.ts'
import { retryAllocation } from './app/retry-allocation.ts'
import { revokeApproval } from './app/revoke-approval.ts'
import { closePeriod, readSettlement } from './app/settle-usage.ts'
import { shrinkAllocation } from './app/shrink-allocation.ts'
import { setLogLevel } from './app/set-log-level.ts'
import { switchCluster, switchProvider } from './app/suspend.ts'
import type { Cluster } from './core/cluster.ts'
import {
  createWebhook,
  deleteWebhook,
  getWebhook,
  listDeliveries,
  listWebhooks,
  redeliver,
  rotateSecret,
} from './app/webhooks.ts'
import { assertTarget, type TargetRules } from './outbound/target.ts'
import type { UseCases } from './http/use-cases.ts'

/** What the use cases need beside the store. */
export interface Surroundings {
  readonly providers: readonly ProviderFacts[]
  readonly feed: Pick<EventTail, 'open'>
  /** Where events may be sent to. */
  readonly targets: TargetRules
  readonly listAdopted: Importing['list']
  /** The clusters as the inventory's file says now. @throws Refusal `invalid-inventory` */
  readonly readCatalogue: () => readonly Cluster[]
  /** What this replica logs from now on. */
  readonly setLogLevel: (level: LogLevel['level']) => void
}

export const bindUseCases = (
  app: App,
  { providers, feed, targets, listAdopted, readCatalogue, setLogLevel: setLevel }: Surroundings,
): UseCases => ({
  createAllocation: (command, request) => createAllocation(app, command, request),
  releaseAllocation: (command, id, request) => releaseAllocation(app, command, id, request),
  extendAllocation: (command, id, request) => extendAllocation(app, command, id, request),
  shrinkAllocation: (command, id, request) => shrinkAllocation(app, command, id, request),
  retryAllocation: (command, id) => retryAllocation(app, command, id),
  putApproval: (command, id, request) => putApproval(app, command, id, request),
  revokeApproval: (command, id) => revokeApproval(app, command, id),
  drainCluster: (command, clusterId, request) => drainCluster(app, command, clusterId, request),
  liftDrain: (command, id) => liftDrain(app, command, id),
  importFleet: (command, request, apply) => importFleet(app, command, { request, apply, list: listAdopted }),
  holdProviders: (command, to, request) =>
    holdProviders(app, command, { to, request, providerIds: providers.map((one) => one.id) }),
  approveSweep: (command, providerId) => approveSweep(app, command, providerId),
  deleteFoundNode: (command, node) => deleteFoundNode(app, command, node),
  adoptFoundNode: (command, node, request) => adoptFoundNode(app, command, node, request),
  ignoreFoundNode: (command, node, ignored) => ignoreFoundNode(app, command, node, ignored),
  holdDeletes: (command, held) => holdDeletes(app, command, held),
  reloadInventory: async (command, apply) => reloadInventory(app, command, { catalogue: readCatalogue(), apply }),
  setLogLevel: (command, { level }) => setLogLevel(app, command, { level, setLevel }),
  switchCluster: (command, id, to, request) => switchCluster(app, command, { id, to, request }),
  switchProvider: (command, id, to, request) => {
    const provider = providers.find((one) => one.id === id)
    if (provider === undefined) throw new Refusal('not-found', `There is no provider ${id}.`)
    return switchProvider(app, command, { provider, to, request })
  },
  closeUsagePeriod: (command, period) => closePeriod(app, command, period),
  previewPlacement: (_caller, request) => previewPlacement(app, request),
  getAllocation: (caller, id) => getAllocation(app, caller, id),
  listAllocations: (caller, filter, page) => listAllocations(app, caller, filter, page),
  listAllocationNodes: (caller, id) => listAllocationNodes(app, caller, id),
  listAllocationDecisions: (caller, id) => listAllocationDecisions(app, caller, id),
  listDecisions: (caller, query, page) => listDecisions(app, caller, query, page),
  getDecision: (caller, id) => getDecision(app, caller, id),
  getCalendarHead: (caller) => getCalendarHead(app, caller),
  listCalendarLog: (caller, page) => listCalendarLog(app, caller, page),
  getApproval: (caller, id) => getApproval(app, caller, id),
  listApprovals: (caller, page) => listApprovals(app, caller, page),
  getDrain: (caller, id) => getDrain(app, caller, id),
  listDrains: async (caller, clusterId, page) => {
    await getCluster(app, clusterId)
    return listDrains(app, caller, clusterId, page)
  },
  listWaitlist: (caller, filter, page) => listWaitlist(app, caller, filter, page),
  listEvents: (caller, query, page) => listEvents(app, caller, query, page),
  openEvents: (caller, { start, ...query }) => feed.open(eventFilter(caller, query), start),
  async createWebhook(command, request) {
    await assertTarget(request.url, targets)
    return createWebhook(app, command, request)
  },
  deleteWebhook: (command, id) => deleteWebhook(app, command, id),
  rotateWebhookSecret: (command, id) => rotateSecret(app, command, id),
  redeliver: (command, of) => redeliver(app, command, of),
  getWebhook: (caller, id) => getWebhook(app, caller, id),
  listWebhooks: (caller, page) => listWebhooks(app, caller, page),
  listDeliveries: (caller, id, page) => listDeliveries(app, caller, id, page),
  getUsage: (caller, query) => readUsage(app, caller, query),
  getSettlement: (caller, period) => readSettlement(app, caller, period),
  listAudit: (caller, filter, page) => listAudit(app, caller, filter, page),
  getAuditChain: (caller) => readAuditChain(app, caller),
  listProviders: (_caller, page) => listProviders(app, providers, page),
  getProvider: (_caller, id) => getProvider(app, providers, id),
  getReconciliation: async (caller, id) => {
    await getProvider(app, providers, id)
    return getReconciliation(app, caller, id)
  },
  listClusters: (_caller, page) => listClusters(app, page),
  getCluster: (_caller, id) => getCluster(app, id),
  clusterAvailability: (_caller, id, range) => clusterAvailability(app, id, range),
})
