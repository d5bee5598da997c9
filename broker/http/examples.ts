/** One story told by every example of the OpenAPI document: KAIST trains on 64 nodes at NHN for three months. */
import type { Allocation, AllocationNode, AllocationRequest } from '../../shared/allocation.ts'
import type { PreviewRequest, WaitlistItem } from '../../shared/allocation.ts'
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'
import type { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import type { Approval, ApprovalRequest } from '../../shared/approval.ts'
import type { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import type { CloudEvent } from '../../shared/event.ts'
import type { ImportReport, ImportRequest } from '../../shared/fleet-import.ts'
import type {
  Drain,
  DrainRequest,
  FreezeRequest,
  Frozen,
  InventoryReload,
  LogLevel,
  OperationRequest,
} from '../../shared/operation.ts'
import type { Candidate, Decision, PlacementPreview } from '../../shared/decision.ts'
import type { CalendarEntry, CalendarHead, DecisionRecord } from '../../shared/proof.ts'
import type { AdoptRequest, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import type { Delivery, Webhook, WebhookRequest, WebhookWithSecret } from '../../shared/webhook.ts'

export const PROVIDER_ID = 'nhn'
export const CLUSTER_ID = 'nhn-b200-510'
const ALLOCATION_ID = 'alc_abcdefghijklmnop'
const DECISION_ID = 'dec_abcdefghijklmnop'
const APPROVAL_ID = 'apr-2026-0001'
const ASKED_AT = '2026-11-24T09:00:00Z'
const START = '2026-12-01T00:00:00Z'
const END = '2027-03-01T00:00:00Z'

export const operationRequest: OperationRequest = { reason: 'cooling maintenance' }

export const freezeRequest: FreezeRequest = { reason: 'the operator reports a fault', providerId: PROVIDER_ID }
export const frozen: Frozen = { frozen: [PROVIDER_ID] }

export const logLevel: LogLevel = { level: 'debug' }

export const importRequest: ImportRequest = {
  allocations: [
    {
      approvalId: APPROVAL_ID,
      name: 'pretrain-70b',
      clusterId: CLUSTER_ID,
      period: { start: '2026-11-01T00:00:00Z', end: END },
      providerInstanceIds: ['7c1f0a52-6c1e-4a8e-9d5b-0c2f6b8f1a01', '7c1f0a52-6c1e-4a8e-9d5b-0c2f6b8f1a02'],
    },
  ],
}

export const importReport: ImportReport = {
  applied: true,
  approvals: [],
  allocations: [
    {
      name: 'pretrain-70b',
      approvalId: APPROVAL_ID,
      clusterId: CLUSTER_ID,
      nodes: 2,
      effect: 'create',
      allocationId: ALLOCATION_ID,
    },
  ],
  problems: [],
}

export const drainRequest: DrainRequest = {
  nodes: 32,
  from: START,
  to: '2026-12-08T00:00:00Z',
  reason: 'cooling maintenance',
}

export const drain: Drain = {
  id: 'drn_abcdefghijklmnop',
  clusterId: CLUSTER_ID,
  ...drainRequest,
  createdAt: ASKED_AT,
  liftedAt: null,
  affected: [{ allocationId: ALLOCATION_ID, effect: 'relocated' }],
}

export const liftedDrain: Drain = { ...drain, liftedAt: '2026-12-04T00:00:00Z' }

export const inventoryReload: InventoryReload = {
  applied: false,
  clusters: [
    {
      clusterId: CLUSTER_ID,
      change: 'changed',
      differences: [
        {
          member: 'phases',
          before: [{ from: '2026-12-31T00:00:00Z', nodes: 510, stage: 'undisclosed', basis: 'announced' }],
          after: [{ from: '2027-03-31T00:00:00Z', nodes: 510, stage: 'undisclosed', basis: 'announced' }],
        },
      ],
    },
  ],
  affected: [{ allocationId: ALLOCATION_ID, effect: 'waitlisted' }],
  promises: [
    {
      allocationId: ALLOCATION_ID,
      promisedStart: '2027-01-15T00:00:00Z',
      estimatedStart: '2027-03-31T00:00:00Z',
      newPromisedStart: '2027-05-22T00:00:00Z',
    },
  ],
}

/** A last page with one item. */
export const pageOf = <T>(item: T) => ({ items: [item], nextCursor: null })

export const approvalRequest: ApprovalRequest = {
  organizationId: 'kaist',
  organizationName: 'KAIST',
  organizationType: 'university',
  program: 'ai-foundation-model',
  priority: 'national',
  limits: {
    maxNodes: 255,
    gpuHours: 2_000_000,
    architectures: ['blackwell', 'hopper'],
    validFrom: START,
    validTo: '2027-12-01T00:00:00Z',
  },
}

export const approval: Approval = {
  id: APPROVAL_ID,
  organizationId: 'kaist',
  organizationName: 'KAIST',
  organizationType: 'university',
  program: 'ai-foundation-model',
  priority: 'national',
  limits: approvalRequest.limits,
  note: null,
  status: 'valid',
  usage: { gpuHoursCommitted: 1_105_920, gpuHoursUsed: 0, nodesInUse: 0 },
  createdAt: ASKED_AT,
  updatedAt: ASKED_AT,
}

export const previewRequest = {
  demand: { nodes: 64 },
  requires: { architectures: ['blackwell'] },
  prefers: { cooling: 'liquid' },
  period: { start: START, end: END },
} satisfies PreviewRequest

export const allocationRequest: AllocationRequest = {
  approvalId: APPROVAL_ID,
  name: 'pretrain-70b',
  ...previewRequest,
  ifUnavailable: 'waitlist',
  labels: { task: 'pretrain' },
}

export const allocation: Allocation = {
  id: ALLOCATION_ID,
  approvalId: APPROVAL_ID,
  organizationId: 'kaist',
  program: 'ai-foundation-model',
  name: 'pretrain-70b',
  priority: 'national',
  status: 'scheduled',
  statusReason: null,
  ...previewRequest,
  labels: { task: 'pretrain' },
  placement: {
    providerId: PROVIDER_ID,
    clusterId: CLUSTER_ID,
    gpuModel: 'B200',
    nodes: 64,
    gpus: 512,
    start: START,
    end: END,
    decisionId: DECISION_ID,
  },
  waitlist: null,
  nodes: { desired: 64, ready: 0, failed: 0 },
  createdAt: ASKED_AT,
  updatedAt: ASKED_AT,
  activeAt: null,
  releasedAt: null,
}

export const node: AllocationNode = {
  ordinal: 0,
  generation: 1,
  name: 'gbabcdefghijklmnop-000-1',
  providerInstanceId: '3f2a',
  status: 'ready',
  address: '10.0.0.11',
  since: START,
  lastError: null,
}

const candidate: Candidate = {
  clusterId: CLUSTER_ID,
  nodes: 64,
  gpus: 512,
  feasible: true,
  earliestStart: START,
  score: 0.8,
  scoreParts: { preference: 1, fit: 0.25, energy: 1, balance: 0.8 },
  reasons: [],
}

const refused: Candidate = {
  clusterId: 'naver-h200-255',
  nodes: 64,
  gpus: 512,
  feasible: false,
  earliestStart: null,
  score: null,
  scoreParts: null,
  reasons: [
    {
      rule: 'architecture',
      wanted: ['blackwell'],
      found: 'hopper',
      detail: 'Wanted is blackwell; this cluster is hopper.',
    },
  ],
}

export const preview: PlacementPreview = { best: CLUSTER_ID, candidates: [candidate, refused] }

export const decision: Decision = {
  decisionId: DECISION_ID,
  at: ASKED_AT,
  kind: 'place',
  policyVersion: '1',
  inputDigest: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  candidates: preview.candidates,
  outcome: { clusterId: CLUSTER_ID, nodes: 64, start: START, end: END },
  supersedes: null,
}

export const decisionRecord: DecisionRecord = {
  sequence: 7,
  allocationId: ALLOCATION_ID,
  calendarVersion: 12,
  input: {
    request: {
      demand: { nodes: 64 },
      requires: { architectures: ['blackwell'], shares: ['government'] },
      prefers: { cooling: 'liquid' },
      period: { kind: 'fixed', start: Date.parse(START), end: Date.parse(END) },
      image: null,
      priority: 'national',
      approval: null,
    },
  },
  ...decision,
}

const LOG_DIGEST = '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752'

export const calendarHead: CalendarHead = { version: 13, logDigest: LOG_DIGEST, decisions: 7 }

export const calendarEntry: CalendarEntry = {
  version: 13,
  at: ASKED_AT,
  op: { op: 'suspend-cluster', clusterId: CLUSTER_ID },
}

export const event: CloudEvent = {
  specversion: '1.0',
  id: 'evt_abcdefghijklmnop',
  source: 'urn:gpu-broker:ins_abcdefghijklmnop',
  type: 'kr.gpubroker.allocation.scheduled',
  subject: `allocations/${ALLOCATION_ID}`,
  time: ASKED_AT,
  datacontenttype: 'application/json',
  sequence: 42,
  data: {
    allocationId: ALLOCATION_ID,
    approvalId: APPROVAL_ID,
    organizationId: 'kaist',
    status: 'scheduled',
    statusReason: null,
    clusterId: CLUSTER_ID,
    nodes: 64,
    start: START,
    end: END,
    estimatedStart: null,
    promisedStart: null,
  },
}

export const webhookRequest: WebhookRequest = {
  url: 'https://platform.example.kr/hooks/gpu',
  types: ['allocation.active', 'allocation.released'],
  description: 'the portal',
}

export const webhook: Webhook = {
  id: 'whk_abcdefghijklmnop',
  url: webhookRequest.url,
  types: ['allocation.active', 'allocation.released'],
  description: 'the portal',
  status: 'healthy',
  previousSecretUntil: null,
  lastSuccessAt: null,
  createdAt: ASKED_AT,
  updatedAt: ASKED_AT,
}

export const webhookWithSecret: WebhookWithSecret = {
  ...webhook,
  secret: 'whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
}

export const delivery: Delivery = {
  id: 'dlv_abcdefghijklmnop',
  webhookId: webhook.id,
  eventId: event.id,
  eventType: event.type,
  sequence: event.sequence,
  status: 'parked',
  attempts: 11,
  responseStatus: 500,
  error: 'the endpoint answered 500',
  createdAt: ASKED_AT,
  lastAttemptAt: '2026-11-27T08:35:35Z',
  nextAttemptAt: null,
}

export const redelivery: Delivery = {
  ...delivery,
  status: 'retrying',
  attempts: 0,
  nextAttemptAt: '2026-11-28T09:00:00Z',
}

export const waitlistItem: WaitlistItem = {
  allocationId: 'alc_qrstuvwxyz234567',
  position: 1,
  priority: 'national',
  nodes: 255,
  since: ASKED_AT,
  estimatedStart: '2027-03-01T01:00:00Z',
  estimatedClusterId: CLUSTER_ID,
  promisedStart: '2027-04-18T12:00:00Z',
  reason: 'No cluster has 255 free nodes before 2027-03-01.',
  earlier: [{ change: 'nodes', to: 128, estimatedStart: '2026-12-01T00:00:00Z' }],
}

export const foundNode: SweepFinding = {
  kind: 'unknown',
  providerInstanceId: '3f2a',
  name: 'gbabcdefghijklmnop-000-1',
  since: '2026-12-01T00:05:01Z',
  action: 'ask',
}

export const othersNode: SweepFinding = {
  kind: 'leftover',
  providerInstanceId: '77c1',
  name: 'login-1',
  since: '2026-12-01T00:05:01Z',
  action: 'ignore',
}

export const reconciliation: Reconciliation = {
  startedAt: '2026-12-01T00:05:00Z',
  durationMs: 840,
  findings: [foundNode],
}

export const adoptRequest: AdoptRequest = { approvalId: 'apr-2026-0001', end: '2027-03-01T00:00:00Z' }

export const provider: ProviderView = {
  id: PROVIDER_ID,
  name: 'NHN Cloud',
  health: {
    state: 'up',
    circuits: { read: 'closed', create: 'closed', delete: 'closed' },
    since: ASKED_AT,
    lastSuccessAt: ASKED_AT,
    lastError: null,
  },
  suspended: false,
  frozen: false,
  clusters: ['nhn-b200-255', CLUSTER_ID],
}

export const cluster: ClusterView = {
  id: CLUSTER_ID,
  providerId: PROVIDER_ID,
  gpuModel: 'B200',
  architecture: 'blackwell',
  cooling: 'liquid',
  interconnect: 'joined',
  nodes: 510,
  gpusPerNode: 8,
  gpus: 4_080,
  fp8H200Equivalent: 9_180,
  share: 'government',
  phases: [
    { from: '2026-03-31T00:00:00Z', nodes: 255, stage: 'undisclosed', basis: 'announced' },
    { from: '2026-12-31T00:00:00Z', nodes: 510, stage: 'undisclosed', basis: 'announced' },
  ],
  images: ['ubuntu-22.04-cuda'],
  placeable: true,
  suspended: false,
  now: {
    nodesReady: 0,
    nodesReserved: 0,
    nodesActive: 0,
    nodesDrained: 0,
    nodesQuarantined: 0,
    nodesIdle: 255,
    shortfall: 0,
  },
}

export const availability: Availability = {
  steps: [
    {
      from: START,
      to: '2026-12-31T00:00:00Z',
      capacityNodes: 255,
      reservedNodes: 64,
      drainedNodes: 0,
      freeNodes: 191,
      shortfallNodes: 0,
    },
    {
      from: '2026-12-31T00:00:00Z',
      to: END,
      capacityNodes: 510,
      reservedNodes: 64,
      drainedNodes: 0,
      freeNodes: 446,
      shortfallNodes: 0,
    },
  ],
}

const figures = {
  nodeHoursReserved: 720.5,
  nodeHoursActive: 719.25,
  gpuHoursActive: 5_754,
  fp8H200EquivalentHours: 12_946.5,
}

export const usageReport: UsageReport = {
  from: '2026-12-01T00:00:00Z',
  to: '2027-01-01T00:00:00Z',
  groupBy: ['organization'],
  items: [{ organization: 'kaist', ...figures }],
  total: figures,
}

export const closedPeriod: ClosedPeriod = {
  period: '2026-12',
  status: 'closed',
  from: '2026-12-01T00:00:00Z',
  to: '2027-01-01T00:00:00Z',
  closedAt: '2027-01-04T02:00:00Z',
}

export const settlement: Settlement = {
  ...closedPeriod,
  items: [{ provider: PROVIDER_ID, program: 'ai-foundation-model', share: 'government', entry: 'usage', ...figures }],
  total: figures,
}

export const auditRecord: AuditRecord = {
  sequence: 1,
  at: '2026-12-01T00:00:00Z',
  actor: 'platform',
  action: 'createAllocation',
  resource: `allocations/${allocation.id}`,
  outcome: 'done',
  code: null,
  requestId: '0e0c4f0a-5d0e-4f4e-9a53-6f1f5e2f2a11',
  organizationId: allocation.organizationId,
  providerId: PROVIDER_ID,
  previousHash: '0'.repeat(64),
  hash: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
}

export const auditChain: AuditChain = {
  oldest: { sequence: 1, previousHash: '0'.repeat(64) },
  last: { sequence: 1, hash: auditRecord.hash },
}
