/** What the routes call: the use cases as `main.ts` hands them in, store and clock already bound. */
import type {
  Allocation,
  AllocationNode,
  AllocationRequest,
  ExtendRequest,
  ShrinkRequest,
} from '../../shared/allocation.ts'
import type { PreviewRequest, ReleaseRequest, WaitlistItem } from '../../shared/allocation.ts'
import type { Approval, ApprovalRequest } from '../../shared/approval.ts'
import type { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import type { Decision, PlacementPreview } from '../../shared/decision.ts'
import type { CloudEvent } from '../../shared/event.ts'
import type { Delivery, Webhook, WebhookRequest, WebhookWithSecret } from '../../shared/webhook.ts'
import type { AllocationFilter } from '../store/allocations.ts'
import type { CalendarEntry, CalendarHead, DecisionRecord } from '../../shared/proof.ts'
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
import type { Hold } from '../app/freeze.ts'
import type { EventReader } from '../app/event-tail.ts'
import type { EventQuery, EventStart } from '../app/read-events.ts'
import type { Switch } from '../app/suspend.ts'
import type { DecisionQuery } from '../app/read-proof.ts'
import type { FoundNode } from '../app/resolve-finding.ts'
import type { AdoptRequest, HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'
import type { AuditFilter } from '../store/audit.ts'
import type { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import type { UsageQuery } from '../app/read-usage.ts'
import type { Answer, Caller, Command, Page, PageRequest, Range } from '../app/command.ts'

/** One resource and its version. `etag` without quotes. */
export interface Seen<T> {
  readonly body: T
  readonly etag: string
}

export interface WaitlistFilter {
  readonly architecture?: string
}

/** Each throws Refusal `not-found` for what does not exist or is somebody else's. */
export interface UseCases {
  createAllocation(command: Command, request: AllocationRequest): Promise<Answer<Allocation>>
  releaseAllocation(command: Command, id: string, request: ReleaseRequest): Promise<Answer<Allocation>>
  extendAllocation(command: Command, id: string, request: ExtendRequest): Promise<Answer<Allocation>>
  shrinkAllocation(command: Command, id: string, request: ShrinkRequest): Promise<Answer<Allocation>>
  retryAllocation(command: Command, id: string): Promise<Answer<Allocation>>
  putApproval(
    command: Command,
    id: string,
    request: ApprovalRequest,
  ): Promise<Answer<Approval> & { readonly created: boolean }>
  revokeApproval(command: Command, id: string): Promise<Answer<Approval>>
  drainCluster(command: Command, clusterId: string, request: DrainRequest): Promise<Answer<Drain>>
  liftDrain(command: Command, id: string): Promise<Answer<Drain>>
  importFleet(command: Command, request: ImportRequest, apply: boolean): Promise<Answer<ImportReport>>
  holdProviders(command: Command, to: Hold, request: FreezeRequest): Promise<Answer<Frozen>>
  approveSweep(command: Command, providerId: string): Promise<Answer<Reconciliation>>
  deleteFoundNode(command: Command, node: FoundNode): Promise<Answer<SweepFinding>>
  adoptFoundNode(command: Command, node: FoundNode, request: AdoptRequest): Promise<Answer<Allocation>>
  ignoreFoundNode(command: Command, node: FoundNode, ignored: boolean): Promise<Answer<SweepFinding>>
  holdDeletes(command: Command, held: boolean): Promise<Answer<HeldDeletes>>
  reloadInventory(command: Command, apply: boolean): Promise<Answer<InventoryReload>>
  setLogLevel(command: Command, request: LogLevel): Promise<Answer<LogLevel>>
  switchCluster(command: Command, id: string, to: Switch, request: OperationRequest): Promise<Answer<ClusterView>>
  switchProvider(command: Command, id: string, to: Switch, request: OperationRequest): Promise<Answer<ProviderView>>
  /** @param period `2026-12` */
  closeUsagePeriod(command: Command, period: string): Promise<Answer<ClosedPeriod>>
  previewPlacement(caller: Caller, request: PreviewRequest): Promise<PlacementPreview>

  getAllocation(caller: Caller, id: string): Promise<Seen<Allocation>>
  listAllocations(caller: Caller, filter: AllocationFilter, page: PageRequest): Promise<Page<Allocation>>
  listAllocationNodes(caller: Caller, id: string): Promise<readonly AllocationNode[]>
  listAllocationDecisions(caller: Caller, id: string): Promise<readonly Decision[]>
  listDecisions(caller: Caller, query: DecisionQuery, page: PageRequest): Promise<Page<DecisionRecord>>
  getDecision(caller: Caller, id: string): Promise<DecisionRecord>
  getCalendarHead(caller: Caller): Promise<CalendarHead>
  listCalendarLog(caller: Caller, page: PageRequest): Promise<Page<CalendarEntry>>
  getApproval(caller: Caller, id: string): Promise<Seen<Approval>>
  listApprovals(caller: Caller, page: PageRequest): Promise<Page<Approval>>
  getDrain(caller: Caller, id: string): Promise<Seen<Drain>>
  listDrains(caller: Caller, clusterId: string, page: PageRequest): Promise<Page<Drain>>
  listWaitlist(caller: Caller, filter: WaitlistFilter, page: PageRequest): Promise<Page<WaitlistItem>>
  listEvents(
    caller: Caller,
    query: EventQuery & { readonly start: EventStart },
    page: PageRequest,
  ): Promise<Page<CloudEvent>>
  openEvents(caller: Caller, query: EventQuery & { readonly start: EventStart }): Promise<EventReader>
  /** @throws Refusal `invalid-request` at `/url` for a target that may not be sent to */
  createWebhook(command: Command, request: WebhookRequest): Promise<Answer<WebhookWithSecret>>
  deleteWebhook(command: Command, id: string): Promise<Answer<null>>
  rotateWebhookSecret(command: Command, id: string): Promise<Answer<WebhookWithSecret>>
  redeliver(command: Command, of: { readonly id: string; readonly deliveryId: string }): Promise<Answer<Delivery>>
  getWebhook(caller: Caller, id: string): Promise<Seen<Webhook>>
  listWebhooks(caller: Caller, page: PageRequest): Promise<Page<Webhook>>
  listDeliveries(caller: Caller, id: string, page: PageRequest): Promise<Page<Delivery>>
  getUsage(caller: Caller, query: UsageQuery): Promise<UsageReport>
  getSettlement(caller: Caller, period: string): Promise<Settlement>
  listAudit(caller: Caller, filter: AuditFilter, page: PageRequest): Promise<Page<AuditRecord>>
  /** Throws Refusal `not-found` for a bound caller. */
  getAuditChain(caller: Caller): Promise<AuditChain>
  listProviders(caller: Caller, page: PageRequest): Promise<Page<ProviderView>>
  getProvider(caller: Caller, id: string): Promise<Seen<ProviderView>>
  getReconciliation(caller: Caller, id: string): Promise<Reconciliation>
  listClusters(caller: Caller, page: PageRequest): Promise<Page<ClusterView>>
  getCluster(caller: Caller, id: string): Promise<Seen<ClusterView>>
  clusterAvailability(caller: Caller, id: string, range: Range): Promise<Availability>
}
