/** Rows, and what a group of decisions changed of them, ready to be written together. */
import type { Selectable } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { LogEntry } from './head.ts'
import type {
  AuditTable,
  AllocationTable,
  ApprovalTable,
  CircuitTable,
  DecisionTable,
  DrainTable,
  EventTable,
  IdempotencyKeyTable,
  NetworkLeaseTable,
  NodeGroupTable,
  NodeTable,
  SweepDeletionTable,
  SweepFindingTable,
  SweepTable,
  WebhookDeliveryTable,
  WebhookTable,
  UsageIntervalTable,
  UsagePeriodTable,
} from './schema.ts'

export type ApprovalRow = Selectable<ApprovalTable>
export type AllocationRow = Selectable<AllocationTable>
export type NodeRow = Selectable<NodeTable>
export type NodeGroupRow = Selectable<NodeGroupTable>
export type DrainRow = Selectable<DrainTable>
export type DecisionRow = Selectable<DecisionTable>
export type CircuitRow = Selectable<CircuitTable>
export type NetworkLeaseRow = Selectable<NetworkLeaseTable>
export type EventRow = Selectable<EventTable>
export type SweepRow = Selectable<SweepTable>
export type FindingRow = Selectable<SweepFindingTable>
export interface FindingChange {
  readonly row: FindingRow
  /** False: it is found no more. */
  readonly isFound: boolean
}
export type SweepDeletionRow = Selectable<SweepDeletionTable>
export type WebhookRow = Selectable<WebhookTable>
export type DeliveryRow = Selectable<WebhookDeliveryTable>
export type AuditRow = Selectable<AuditTable>
export type UsageIntervalRow = Selectable<UsageIntervalTable>
export type UsagePeriodRow = Selectable<UsagePeriodTable>
/** A month, with what it comes to. */
export interface SettledPeriod extends Omit<UsagePeriodRow, 'closedAt'> {
  /** Null: it is not closed. */
  readonly closedAt: EpochMs | null
}
export type IdempotencyRow = Selectable<IdempotencyKeyTable>

/** All that one or more members changed, ready to be written. */
export interface Changes {
  readonly approvals: Map<string, ApprovalRow>
  readonly allocations: Map<string, AllocationRow>
  readonly nodes: Map<string, NodeRow>
  readonly groups: Map<string, NodeGroupRow>
  readonly drains: Map<string, DrainRow>
  /** Provider id → whether the broker's hands are held there. */
  readonly frozen: Map<string, boolean>
  /** Whether deletions are held everywhere. */
  readonly holds: Map<'deletes', boolean>
  /** By provider. */
  readonly sweeps: Map<string, SweepRow>
  /** By `findingRowKey`. */
  readonly findings: Map<string, FindingChange>
  readonly sweepDeletions: Map<string, SweepDeletionRow>
  readonly circuits: Map<string, CircuitRow>
  /** New ones, by cluster and network. */
  readonly leases: Map<string, NetworkLeaseRow>
  /** Of whom an allocation has gone from a cluster. */
  readonly leavings: Map<string, Pick<NetworkLeaseRow, 'clusterId' | 'organizationId'>>
  /** Null: it is no more. */
  readonly webhooks: Map<string, WebhookRow | null>
  readonly deliveries: Map<string, DeliveryRow>
  /** By period. */
  readonly periods: Map<string, SettledPeriod>
  readonly decisions: DecisionRow[]
  readonly events: EventRow[]
  readonly audit: AuditRow[]
  readonly log: LogEntry[]
  readonly idempotency: Map<string, IdempotencyRow>
}

export const noChanges = (): Changes => ({
  approvals: new Map(),
  allocations: new Map(),
  nodes: new Map(),
  groups: new Map(),
  drains: new Map(),
  frozen: new Map(),
  holds: new Map(),
  sweeps: new Map(),
  findings: new Map(),
  sweepDeletions: new Map(),
  circuits: new Map(),
  leases: new Map(),
  leavings: new Map(),
  webhooks: new Map(),
  deliveries: new Map(),
  periods: new Map(),
  decisions: [],
  events: [],
  audit: [],
  log: [],
  idempotency: new Map(),
})

export const nodeKey = (node: Pick<NodeRow, 'allocationId' | 'ordinal' | 'generation'>): string =>
  `${node.allocationId}/${node.ordinal}/${node.generation}`

export const findingRowKey = (row: Pick<FindingRow, 'providerId' | 'kind' | 'providerInstanceId'>): string =>
  `${row.providerId}/${row.kind}/${row.providerInstanceId}`

export const circuitKey = ({ providerId, kind }: Pick<CircuitRow, 'providerId' | 'kind'>): string =>
  `${providerId}/${kind}`

export const leaseKey = ({ clusterId, network }: Pick<NetworkLeaseRow, 'clusterId' | 'network'>): string =>
  `${clusterId}/${network}`

export const isEmpty = (changes: Changes): boolean =>
  changes.log.length === 0 &&
  changes.decisions.length === 0 &&
  changes.events.length === 0 &&
  changes.audit.length === 0 &&
  changes.approvals.size +
    changes.allocations.size +
    changes.nodes.size +
    changes.groups.size +
    changes.drains.size +
    changes.frozen.size +
    changes.holds.size +
    changes.webhooks.size +
    changes.deliveries.size +
    changes.sweeps.size +
    changes.findings.size +
    changes.sweepDeletions.size +
    changes.circuits.size +
    changes.leases.size +
    changes.leavings.size +
    changes.periods.size +
    changes.idempotency.size ===
    0
