/** How each operation is asked in `isolation.test.ts`: of a thing that there is, made anew where asking changes it. */
import type { Allocation } from '../../shared/allocation.ts'
import { Drain } from '../../shared/operation.ts'
import { WebhookWithSecret } from '../../shared/webhook.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, allocationBody, approvalBody, approve, days, freshId } from './requests.ts'

/** What there is to reach: `kaist`, of that organisation at Kakao; `other`, of another at NHN. */
export interface IsolationWorld {
  readonly platform: ApiClient
  readonly kaist: Allocation
  readonly other: Allocation
  /** Nodes that somebody made by hand at either operator: found by sweeps, and not ours. */
  readonly found: { readonly kaist: string; readonly other: string }
  readonly decisionId: string
  /** Where events are sent to. */
  readonly receiver: string
  readonly webhookId: string
  readonly deliveryId: string
}

type Whose = string
type Sent = [method: string, path: string]
export type Ask = readonly [method: string, path: string, body?: object]

interface Asking {
  readonly ask: (world: IsolationWorld, whose: Whose) => Ask | Promise<Ask>
  /** Takes back what was done to everybody. */
  readonly undo?: (whose: Whose) => Sent
}

const AT_KAKAO = 'kakao-b200-255'
const AT_NHN = 'nhn-b200-255'
const operatorOf = (whose: Whose): string => (whose === 'other' ? 'nhn' : 'kakao')
const clusterOf = (whose: Whose): string => (whose === 'other' ? AT_NHN : AT_KAKAO)
const ofWhom = (world: IsolationWorld, whose: Whose): Allocation => (whose === 'other' ? world.other : world.kaist)

const LAST_MONTH = days(-31).slice(0, 7)
const aDrain = { nodes: 1, from: days(800), to: days(801), reason: 'maintenance' }
const later = { start: days(200), end: days(201) }

const another = async (world: IsolationWorld, whose: Whose, nodes = 1): Promise<string> => {
  const { approvalId } = ofWhom(world, whose)
  const requires = { providers: [operatorOf(whose)] }
  return (await allocate(world.platform, approvalId, { demand: { nodes }, period: later, requires })).id
}
const drainOf = async ({ platform }: IsolationWorld, whose: Whose): Promise<string> =>
  (await platform.post(`/v1/clusters/${clusterOf(whose)}/drains`, aDrain)).as(201, Drain).id
const hook = async ({ platform, receiver }: IsolationWorld): Promise<string> =>
  (await platform.post('/v1/webhooks', { url: receiver })).as(201, WebhookWithSecret).id

const get = (path: string): Asking => ({ ask: () => ['GET', path] })
const act = (path: string): Asking => ({ ask: () => ['POST', path] })
const ofAllocation = (suffix: string): Asking => ({
  ask: (world, whose) => ['GET', `/v1/allocations/${ofWhom(world, whose).id}${suffix}`],
})
const atCluster = (suffix: string): Asking => ({
  ask: (_, whose) => ['GET', `/v1/clusters/${clusterOf(whose)}${suffix}`],
})
const switching = (noun: 'clusters' | 'providers', verb: string): Asking => {
  const id = noun === 'clusters' ? clusterOf : operatorOf
  return {
    ask: (_, whose) => ['POST', `/v1/${noun}/${id(whose)}/${verb}`],
    undo: (whose) => ['POST', `/v1/${noun}/${id(whose)}/resume`],
  }
}
const holding = (verb: 'freeze' | 'unfreeze'): Asking => ({
  ask: (_, whose) => ['POST', `/v1/operations/${verb}`, whose === '-' ? {} : { providerId: operatorOf(whose) }],
  undo: () => ['POST', '/v1/operations/unfreeze'],
})
const findings = (method: 'GET' | 'POST', suffix: string): Asking => ({
  ask: (_, whose) => [method, `/v1/providers/${operatorOf(whose)}/reconciliation${suffix}`],
})
const foundNode = (verb: string, body?: (world: IsolationWorld, whose: Whose) => object): Asking => ({
  ask: (world, whose) => {
    const id = whose === 'other' ? world.found.other : world.found.kaist
    const path = `/v1/providers/${operatorOf(whose)}/reconciliation/nodes/${id}/${verb}`
    return body === undefined ? ['POST', path] : ['POST', path, body(world, whose)]
  },
})
const hooked = (method: string, suffix: string): Asking => ({
  ask: async (world) => [method, `/v1/webhooks/${await hook(world)}${suffix}`],
})

/** By the operation. */
export const ASKS: Readonly<Record<string, Asking>> = {
  listProviders: get('/v1/providers'),
  getProvider: { ask: (_, whose) => ['GET', `/v1/providers/${operatorOf(whose)}`] },
  listClusters: get('/v1/clusters'),
  getCluster: atCluster(''),
  getClusterAvailability: atCluster('/availability'),
  previewPlacement: {
    ask: () => ['POST', '/v1/placements/preview', { demand: { nodes: 1 }, period: { durationHours: 5 } }],
  },
  putApproval: { ask: () => ['PUT', `/v1/approvals/${freshId('apr')}`, approvalBody()] },
  getApproval: { ask: (world, whose) => ['GET', `/v1/approvals/${ofWhom(world, whose).approvalId}`] },
  listApprovals: get('/v1/approvals'),
  revokeApproval: { ask: async ({ platform }) => ['POST', `/v1/approvals/${await approve(platform)}/revoke`] },
  createAllocation: {
    ask: (world, whose) => [
      'POST',
      '/v1/allocations',
      allocationBody(ofWhom(world, whose).approvalId, { period: later }),
    ],
  },
  listAllocations: get('/v1/allocations'),
  getAllocation: ofAllocation(''),
  listAllocationNodes: ofAllocation('/nodes'),
  listAllocationDecisions: ofAllocation('/decisions'),
  releaseAllocation: {
    ask: async (world, whose) => ['POST', `/v1/allocations/${await another(world, whose)}/release`],
  },
  extendAllocation: {
    ask: async (world, whose) => ['POST', `/v1/allocations/${await another(world, whose)}/extend`, { end: days(202) }],
  },
  shrinkAllocation: {
    ask: async (world, whose) => ['POST', `/v1/allocations/${await another(world, whose, 2)}/shrink`, { nodes: 1 }],
  },
  retryAllocation: { ask: (world, whose) => ['POST', `/v1/allocations/${ofWhom(world, whose).id}/retry`] },
  listWaitlist: get('/v1/waitlist'),
  listEvents: get('/v1/events'),
  createWebhook: { ask: ({ receiver }) => ['POST', '/v1/webhooks', { url: receiver }] },
  listWebhooks: get('/v1/webhooks'),
  getWebhook: { ask: ({ webhookId }) => ['GET', `/v1/webhooks/${webhookId}`] },
  rotateWebhookSecret: hooked('POST', '/rotate-secret'),
  listDeliveries: { ask: ({ webhookId }) => ['GET', `/v1/webhooks/${webhookId}/deliveries`] },
  redeliver: {
    ask: ({ webhookId, deliveryId }) => ['POST', `/v1/webhooks/${webhookId}/deliveries/${deliveryId}/redeliver`],
  },
  deleteWebhook: hooked('DELETE', ''),
  getUsage: get('/v1/usage'),
  closeUsagePeriod: act(`/v1/usage/periods/${LAST_MONTH}/close`),
  getSettlement: get(`/v1/usage/periods/${LAST_MONTH}/settlement`),
  listAudit: get('/v1/audit'),
  getAuditChain: get('/v1/audit/chain'),
  drainCluster: { ask: (_, whose) => ['POST', `/v1/clusters/${clusterOf(whose)}/drains`, aDrain] },
  listDrains: atCluster('/drains'),
  getDrain: { ask: async (world, whose) => ['GET', `/v1/drains/${await drainOf(world, whose)}`] },
  liftDrain: { ask: async (world, whose) => ['DELETE', `/v1/drains/${await drainOf(world, whose)}`] },
  suspendCluster: switching('clusters', 'suspend'),
  resumeCluster: switching('clusters', 'resume'),
  suspendProvider: switching('providers', 'suspend'),
  resumeProvider: switching('providers', 'resume'),
  freeze: holding('freeze'),
  unfreeze: holding('unfreeze'),
  importFleet: { ask: (world) => ['POST', '/v1/operations/import', importOf(world)] },
  reloadInventory: act('/v1/operations/inventory/reload'),
  setLogLevel: { ask: () => ['PUT', '/v1/operations/log-level', { level: 'error' }] },
  getReconciliation: findings('GET', ''),
  approveSweep: findings('POST', '/approve'),
  deleteFoundNode: foundNode('delete'),
  adoptFoundNode: foundNode('adopt', (world, whose) => ({ approvalId: ofWhom(world, whose).approvalId, end: days(9) })),
  ignoreFoundNode: foundNode('ignore'),
  countFoundNode: foundNode('count'),
  holdDeletes: {
    ask: () => ['POST', '/v1/operations/hold-deletes'],
    undo: () => ['POST', '/v1/operations/resume-deletes'],
  },
  resumeDeletes: act('/v1/operations/resume-deletes'),
  listDecisions: get('/v1/decisions'),
  getDecision: { ask: ({ decisionId }) => ['GET', `/v1/decisions/${decisionId}`] },
  getCalendarHead: get('/v1/calendar'),
  listCalendarLog: get('/v1/calendar/log'),
}

/** Without `apply`: it says what it would do. */
const importOf = ({ kaist, found }: IsolationWorld): object => ({
  allocations: [
    {
      approvalId: kaist.approvalId,
      name: 'since before',
      clusterId: AT_KAKAO,
      period: { start: days(-1), end: days(9) },
      providerInstanceIds: [found.kaist],
    },
  ],
})
