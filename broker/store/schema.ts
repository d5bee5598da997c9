/**
 * The tables as TypeScript. Names are camelCase here and snake_case in SQL (Kysely's plugin translates); bigint columns
 * arrive as numbers, because every one of them is below 2^53.
 */
import type { ColumnType } from 'kysely'
import type {
  Access,
  AllocationStatus,
  Demand,
  NodeStatus,
  Period,
  Prefers,
  Requires,
} from '../../shared/allocation.ts'
import type { ApprovalLimits, Priority } from '../../shared/approval.ts'
import type { CircuitState } from '../../shared/cluster.ts'
import type { DecisionKind } from '../../shared/decision.ts'
import type { Displacement } from '../../shared/promise.ts'
import type { SweepAction, SweepKind } from '../../shared/reconciliation.ts'
import type { EventType } from '../../shared/event.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { DeliveryStatus } from '../../shared/webhook.ts'
import type { Share } from '../core/cluster.ts'
import type { Avoided } from '../core/placement/request.ts'
import type { MeterKind } from '../core/usage.ts'

/** A jsonb column: parsed when read, a JSON text when written. */
type Json<T> = ColumnType<T, string, string>

export interface InstallationTable {
  singleton: boolean
  id: string
  createdAt: EpochMs
  /** After a restore: nothing is deleted at providers until a person says so. Default false. */
  deletesHeld: ColumnType<boolean, boolean | undefined, boolean>
}

export interface CalendarHeadTable {
  singleton: boolean
  version: number
  logDigest: string
  lastAt: EpochMs
  eventSequence: number
  allocationSequence: number
  decisionSequence: number
  /** The end of the last month that was closed: usage before it is not written any more. Default 0. */
  usageClosedUntil: ColumnType<EpochMs, EpochMs | undefined, EpochMs>
  /** Of the last record of the audit trail; default 0. */
  auditSequence: ColumnType<number, number | undefined, number>
  /** Of the last record; default zeros. */
  auditHash: ColumnType<string, string | undefined, string>
  catalogue: Json<unknown>
  /** The last facts of clusters that the catalogue named once. */
  formerClusters: ColumnType<unknown, string | undefined, string>
}

export interface CalendarLogTable {
  version: number
  at: EpochMs
  op: Json<unknown>
}

export interface ApprovalTable {
  id: string
  sequence: number
  organizationId: string
  organizationName: string | null
  organizationType: string | null
  program: string
  priority: Priority
  limits: Json<ApprovalLimits>
  note: string | null
  status: 'valid' | 'revoked'
  /** GPU-time of ended allocations, in GPU-ms; what lives is counted from the calendar. */
  endedGpuMs: number
  version: number
  createdAt: EpochMs
  updatedAt: EpochMs
}

export interface Undoing {
  readonly next: 'place-again' | 'fail'
  readonly kind: string
  readonly code: string | null
  readonly message: string
}

export interface AllocationTable {
  id: string
  sequence: number
  approvalId: string
  organizationId: string
  program: string
  name: string
  priority: Priority
  status: AllocationStatus
  statusReason: string | null
  demand: Json<Demand>
  requires: Json<Requires>
  prefers: Json<Prefers>
  period: Json<Period>
  askedStartAt: EpochMs
  durationMs: number
  latestStartAt: EpochMs | null
  access: Json<Access>
  labels: Json<Record<string, string>>
  providerId: string | null
  clusterId: string | null
  /** Nodes at the place it has; 0 while it waits without one. */
  nodes: number
  startAt: EpochMs | null
  endAt: EpochMs | null
  decisionId: string | null
  waitingSince: EpochMs | null
  estimatedStartAt: EpochMs | null
  estimatedClusterId: string | null
  promisedStartAt: EpochMs | null
  /** What took its place on the calendar, until the next plan shows whether the promise is kept all the same. */
  displacedBy: Json<Displacement | null>
  waitingReason: string | null
  desiredNodes: number
  readyNodes: number
  failedNodes: number
  /** The next group's number; never goes back. */
  groupCounter: number
  releaseReason: string | null
  /** What was built is being given back, and why; then it is placed again, or has failed. Null: nothing of the kind. */
  undoing: Json<Undoing | null>
  /** Clusters that had no room for it, each until when it is not asked again. */
  avoid: Json<readonly Avoided[]>
  /** Of what a caller can change; the ETag. */
  version: number
  createdAt: EpochMs
  updatedAt: EpochMs
  activeAt: EpochMs | null
  releasedAt: EpochMs | null
  /** When the reconciler must look; null when nothing is left to do. */
  nextLookAt: EpochMs | null
  claimToken: string | null
  claimedUntil: EpochMs | null
  /** When a look last saw all nodes that count as ready; whoever looks writes it. */
  readySeenAt: EpochMs | null
  /** When the last notice of its end was due that was given; null for none. */
  endingToldAt: EpochMs | null
  /** The start that it was told first, of the wait that it is in or was in last; null while it has no plan. */
  toldStartAt: EpochMs | null
  /** W3C trace context of whoever asked for what is being done with it; null: nobody's. */
  traceparent: string | null
}

export interface ReservationTable {
  allocationId: string
  approvalId: string
  organizationId: string
  clusterId: string
  nodes: number
  startAt: EpochMs
  endAt: EpochMs
  heldUntil: EpochMs
  phase: 'planned' | 'scheduled' | 'running' | 'ended'
  priority: Priority
  /** From when on an idle-use grant gives its nodes back; null: it has not been told. */
  reclaimedAt: EpochMs | null
}

export interface NodeGroupTable {
  name: string
  allocationId: string
  size: number
  /** When it was last asked for, or that was last answered; null before the first time. */
  askedAt: EpochMs | null
  /** `asked` until an answer is noted. */
  effect: 'unasked' | 'asked' | 'accepted' | 'none' | 'maybe'
  /** Not asked for again before this instant: the provider's `retryAfter`, or our own pause. */
  notBefore: EpochMs
  attempts: number
}

export interface NodeError {
  readonly kind: string
  readonly code: string | null
  readonly message: string
}

export interface NodeTable {
  allocationId: string
  ordinal: number
  generation: number
  name: string
  groupName: string
  providerInstanceId: string | null
  status: NodeStatus
  address: string | null
  since: EpochMs
  lastError: Json<NodeError | null>
  /** Taken over from a fleet that was in use: it carries no tag of ours, and is known by its instance id. */
  adopted: boolean
}

export interface DecisionTable {
  id: string
  sequence: number
  /** Null: the request was refused, and no allocation has come of it. */
  allocationId: string | null
  at: EpochMs
  kind: DecisionKind
  policyVersion: string
  calendarVersion: number
  input: Json<unknown>
  inputDigest: string
  candidates: Json<unknown>
  outcome: Json<unknown>
  supersedes: string | null
}

export interface EventTable {
  sequence: number
  id: string
  type: string
  subject: string
  at: EpochMs
  data: Json<unknown>
  allocationId: string | null
  organizationId: string | null
  providerId: string | null
  /** W3C trace context of what it came of; null: of none. */
  traceparent: string | null
}

export interface SuspensionTable {
  kind: 'cluster' | 'provider' | 'frozen'
  id: string
}

export interface Affected {
  readonly allocationId: string
  readonly effect: 'relocated' | 'waitlisted' | 'running'
}

export interface DrainTable {
  id: string
  clusterId: string
  nodes: number
  fromAt: EpochMs
  toAt: EpochMs
  reason: string
  affected: Json<readonly Affected[]>
  createdAt: EpochMs
  liftedAt: EpochMs | null
}

/** Nodes of an allocation that its provider has not been rid of in time, as long as that is so. */
export interface QuarantineTable {
  allocationId: string
  clusterId: string
  nodes: number
  since: EpochMs
}

export interface SweepTable {
  providerId: string
  /** Of the last one that ended; null: none has. */
  startedAt: EpochMs | null
  durationMs: number | null
  nextAt: EpochMs
  claimToken: string | null
  claimedUntil: EpochMs | null
}

export interface SweepFindingTable {
  providerId: string
  kind: SweepKind
  providerInstanceId: string
  /** `node`, or what it is beside one. */
  what: string
  name: string
  allocationId: string | null
  clusterId: string | null
  since: EpochMs
  action: SweepAction
  /** A person has said what is to become of it: ours may go, and somebody else's is in nobody's way. */
  approved: boolean
}

/** What sweeps asked to go, each with when they last began to ask. */
export interface SweepDeletionTable {
  providerId: string
  providerInstanceId: string
  at: EpochMs
}

export interface IdempotencyKeyTable {
  clientId: string
  key: string
  digest: string
  at: EpochMs
  outcome: Json<unknown>
}

/** One kind of call at one provider. */
export interface CircuitTable {
  providerId: string
  kind: 'read' | 'create' | 'delete'
  state: CircuitState
  /** The first failure since the last success; null while it is closed. */
  failingSince: EpochMs | null
  /** No call before this instant; null while it is closed. */
  openUntil: EpochMs | null
  /** Whoever was let through to try has until then to say how it went; then another may. */
  trialUntil: EpochMs | null
  changedAt: EpochMs
}

/** A network of a cluster's pool that an organisation has to itself. */
export interface NetworkLeaseTable {
  clusterId: string
  network: string
  organizationId: string
  since: EpochMs
}

export interface StandingTable {
  organizationId: string
  rank: number
}

export interface OlderSecret {
  readonly secret: string
  readonly until: EpochMs
}

export interface WebhookTable {
  id: string
  sequence: number
  url: string
  /** Without the prefix; null for all. */
  types: Json<readonly EventType[] | null>
  description: string | null
  organizationId: string | null
  providerId: string | null
  secret: string
  previousSecret: string | null
  previousUntil: EpochMs | null
  /** Those before, the newest first; null for none. */
  olderSecrets: Json<readonly OlderSecret[] | null>
  version: number
  createdAt: EpochMs
  updatedAt: EpochMs
  /** How far in the log of events it has come. */
  position: number
  /** In a row. */
  failures: number
  pausedUntil: EpochMs
  lastSuccessAt: EpochMs | null
  claimToken: string | null
  claimedUntil: EpochMs | null
}

export interface WebhookDeliveryTable {
  id: string
  webhookId: string
  eventSequence: number
  eventId: string
  eventType: string
  status: DeliveryStatus
  attempts: number
  createdAt: EpochMs
  lastAttemptAt: EpochMs | null
  nextAttemptAt: EpochMs | null
  giveUpAt: EpochMs
  responseStatus: number | null
  error: string | null
}

/** So many nodes over a time; without an end: a meter that runs. */
export interface UsageIntervalTable {
  id: string
  allocationId: string
  approvalId: string
  organizationId: string
  organizationType: string | null
  program: string
  providerId: string
  clusterId: string
  share: Share
  gpusPerNode: number
  /** FP8 compute of one GPU, in thousandths of an H200's. */
  fp8H200Thousandths: number
  kind: MeterKind
  /** Negative in a correction that takes back. */
  nodes: number
  fromAt: EpochMs
  toAt: EpochMs | null
  /** Of a correction: when it was booked, and so in which month it counts. */
  bookedAt: EpochMs | null
}

/** Sums in ms as texts of whole numbers: JSON's numbers are not exact enough. */
export interface StoredLine {
  readonly provider: string
  readonly program: string
  readonly share: Share
  readonly organization: string
  readonly entry: 'usage' | 'correction'
  readonly reservedNodeMs: string
  readonly activeNodeMs: string
  readonly activeGpuMs: string
  readonly fp8GpuThousandthMs: string
}

/** A month that was closed. */
export interface UsagePeriodTable {
  period: string
  closedAt: EpochMs
  lines: Json<readonly StoredLine[]>
}

export interface AuditTable {
  sequence: number
  at: EpochMs
  actor: string
  action: string
  resource: string
  outcome: 'done' | 'refused'
  code: string | null
  requestId: string
  organizationId: string | null
  providerId: string | null
  previousHash: string
  hash: string
}

export interface Tables {
  installation: InstallationTable
  calendarHead: CalendarHeadTable
  calendarLog: CalendarLogTable
  approvals: ApprovalTable
  allocations: AllocationTable
  reservations: ReservationTable
  nodeGroups: NodeGroupTable
  nodes: NodeTable
  decisions: DecisionTable
  events: EventTable
  suspensions: SuspensionTable
  standings: StandingTable
  drains: DrainTable
  quarantines: QuarantineTable
  circuits: CircuitTable
  networkLeases: NetworkLeaseTable
  webhooks: WebhookTable
  webhookDeliveries: WebhookDeliveryTable
  idempotencyKeys: IdempotencyKeyTable
  sweeps: SweepTable
  sweepFindings: SweepFindingTable
  sweepDeletions: SweepDeletionTable
  usageIntervals: UsageIntervalTable
  usagePeriods: UsagePeriodTable
  audit: AuditTable
}
