/** The API as functions: one per endpoint, in the vocabulary of `shared/`. Lists are walked page by page as they are read. */
import type { Allocation, AllocationNode, AllocationRequest, AllocationStatus } from '../../shared/allocation.ts'
import type { PreviewRequest, ReleaseRequest, WaitlistItem } from '../../shared/allocation.ts'
import type { Approval, ApprovalRequest } from '../../shared/approval.ts'
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'
import type { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import type { Availability, ClusterView, ProviderView } from '../../shared/cluster.ts'
import type { AdoptRequest, HeldDeletes, Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import type { Decision, PlacementPreview } from '../../shared/decision.ts'
import type { CalendarEntry, CalendarHead, DecisionRecord } from '../../shared/proof.ts'
import type { InventoryReload } from '../../shared/operation.ts'
import type { ImportReport, ImportRequest } from '../../shared/fleet-import.ts'
import { type Asked, type Exchange, type ExchangeOptions, createExchange } from './exchange.ts'

export interface CallOptions {
  readonly signal?: AbortSignal
}

export interface PostOptions extends CallOptions {
  /** 1 to 255 visible ASCII characters. Default: a new one per call, kept over its retries. */
  readonly idempotencyKey?: string
}

export interface ListOptions extends CallOptions {
  /** Items asked for at once, 1 to 500; default 100. */
  readonly pageSize?: number
}

/** Members left out do not filter. */
export interface AllocationFilter {
  readonly status?: AllocationStatus
  readonly organizationId?: string
  readonly providerId?: string
  readonly clusterId?: string
  readonly approvalId?: string
  readonly program?: string
  /** `key:value`. */
  readonly label?: string
}

export interface UsageQuery {
  readonly from?: string
  readonly to?: string
  readonly groupBy?: string
}

/** Members left out do not filter. */
export interface AuditFilter {
  readonly from?: string
  readonly to?: string
  readonly actor?: string
  readonly action?: string
}

/** Every call rejects as `Exchange` says: ProblemError, UnreachableError, TokenError, or the signal's reason. */
export interface Client {
  listProviders(options?: ListOptions): AsyncGenerator<ProviderView>
  listClusters(options?: ListOptions): AsyncGenerator<ClusterView>
  getCluster(id: string, options?: CallOptions): Promise<ClusterView>
  /** @param range RFC 3339; at most three years. */
  clusterAvailability(
    id: string,
    range?: { readonly from?: string; readonly to?: string },
    options?: CallOptions,
  ): Promise<Availability>
  previewPlacement(request: PreviewRequest, options?: CallOptions): Promise<PlacementPreview>

  putApproval(
    id: string,
    request: ApprovalRequest,
    options?: CallOptions,
  ): Promise<{ readonly approval: Approval; readonly created: boolean }>
  getApproval(id: string, options?: CallOptions): Promise<Approval>
  listApprovals(options?: ListOptions): AsyncGenerator<Approval>
  revokeApproval(id: string, options?: PostOptions): Promise<Approval>

  createAllocation(request: AllocationRequest, options?: PostOptions): Promise<Allocation>
  getAllocation(id: string, options?: CallOptions): Promise<Allocation>
  listAllocations(filter?: AllocationFilter, options?: ListOptions): AsyncGenerator<Allocation>
  listAllocationNodes(id: string, options?: ListOptions): AsyncGenerator<AllocationNode>
  listAllocationDecisions(id: string, options?: ListOptions): AsyncGenerator<Decision>
  /** Twice is once. */
  releaseAllocation(id: string, request?: ReleaseRequest, options?: PostOptions): Promise<Allocation>

  /** All decisions, in the order in which they were made. @param range RFC 3339 */
  listDecisions(
    range?: { readonly from?: string; readonly to?: string },
    options?: ListOptions,
  ): AsyncGenerator<DecisionRecord>
  getDecision(id: string, options?: CallOptions): Promise<DecisionRecord>
  getCalendarHead(options?: CallOptions): Promise<CalendarHead>
  /** All that ever changed the calendar, in order. */
  listCalendarLog(options?: ListOptions): AsyncGenerator<CalendarEntry>

  /** What the last sweep found. */
  getReconciliation(providerId: string, options?: CallOptions): Promise<Reconciliation>
  /** Lets what sweeps hold back now be deleted. */
  approveSweep(providerId: string, options?: PostOptions): Promise<Reconciliation>
  deleteFoundNode(providerId: string, providerInstanceId: string, options?: PostOptions): Promise<SweepFinding>
  /** Somebody else's node is in nobody's way. */
  ignoreFoundNode(providerId: string, providerInstanceId: string, options?: PostOptions): Promise<SweepFinding>
  /** It is, after all. */
  countFoundNode(providerId: string, providerInstanceId: string, options?: PostOptions): Promise<SweepFinding>
  /** With all nodes of the same allocation. */
  adoptFoundNode(
    providerId: string,
    providerInstanceId: string,
    request: AdoptRequest,
    options?: PostOptions,
  ): Promise<Allocation>
  /** Nothing is deleted at operators that no person has asked for, until `resumeDeletes`. */
  holdDeletes(options?: PostOptions): Promise<HeldDeletes>
  resumeDeletes(options?: PostOptions): Promise<HeldDeletes>
  /** @param apply false: only shows what it would do. */
  reloadInventory(apply: boolean, options?: PostOptions): Promise<InventoryReload>
  /** Takes over grants that run already; the same once more changes nothing. @param apply false: only says what would be done */
  importFleet(request: ImportRequest, apply: boolean, options?: PostOptions): Promise<ImportReport>

  /** @param query RFC 3339; `groupBy`: up to two groups, comma-separated */
  getUsage(query?: UsageQuery, options?: CallOptions): Promise<UsageReport>
  /** @param period `2026-12` */
  closeUsagePeriod(period: string, options?: PostOptions): Promise<ClosedPeriod>
  getSettlement(period: string, options?: CallOptions): Promise<Settlement>

  /** Oldest first. */
  listAudit(filter?: AuditFilter, options?: ListOptions): AsyncGenerator<AuditRecord>
  getAuditChain(options?: CallOptions): Promise<AuditChain>

  /** In serving order. */
  listWaitlist(filter?: { readonly architecture?: string }, options?: ListOptions): AsyncGenerator<WaitlistItem>
}

const PAGE_SIZE = 100
const CREATED = 201

export function createClient(options: ExchangeOptions): Client {
  const exchange = createExchange(options)
  const read = <T>(path: string, asked: Partial<Asked> = {}): Promise<T> =>
    send<T>(exchange, { ...asked, method: 'GET', path })
  const post = <T>(path: string, body: unknown, { idempotencyKey, signal }: PostOptions = {}): Promise<T> =>
    send<T>(exchange, { method: 'POST', path, body, idempotencyKey, signal })
  const walk = <T>(path: string, query: Asked['query'], walking: ListOptions = {}): AsyncGenerator<T> =>
    pages<T>(exchange, { path, query, ...walking })

  return {
    listProviders: (walking) => walk('/v1/providers', {}, walking),
    listClusters: (walking) => walk('/v1/clusters', {}, walking),
    getCluster: (id, { signal } = {}) => read(at('clusters', id), { signal }),
    clusterAvailability: (id, range = {}, { signal } = {}) =>
      read(`${at('clusters', id)}/availability`, { query: { ...range }, signal }),
    previewPlacement: (request, calling) => post('/v1/placements/preview', request, calling),

    async putApproval(id, request, { signal } = {}) {
      const { status, body } = await exchange({ method: 'PUT', path: at('approvals', id), body: request, signal })
      return { approval: body as Approval, created: status === CREATED } // see `Answered.body`
    },
    getApproval: (id, { signal } = {}) => read(at('approvals', id), { signal }),
    listApprovals: (walking) => walk('/v1/approvals', {}, walking),
    revokeApproval: (id, calling) => post(`${at('approvals', id)}/revoke`, {}, calling),

    createAllocation: (request, calling) => post('/v1/allocations', request, calling),
    getAllocation: (id, { signal } = {}) => read(at('allocations', id), { signal }),
    listAllocations: (filter = {}, walking) => walk('/v1/allocations', { ...filter }, walking),
    listAllocationNodes: (id, walking) => walk(`${at('allocations', id)}/nodes`, {}, walking),
    listAllocationDecisions: (id, walking) => walk(`${at('allocations', id)}/decisions`, {}, walking),
    releaseAllocation: (id, request = {}, calling) => post(`${at('allocations', id)}/release`, request, calling),

    listDecisions: (range = {}, walking) => walk('/v1/decisions', { ...range }, walking),
    getDecision: (id, { signal } = {}) => read(at('decisions', id), { signal }),
    getCalendarHead: ({ signal } = {}) => read('/v1/calendar', { signal }),
    listCalendarLog: (walking) => walk('/v1/calendar/log', {}, walking),

    getReconciliation: (id, { signal } = {}) => read(`${at('providers', id)}/reconciliation`, { signal }),
    approveSweep: (id, calling) => post(`${at('providers', id)}/reconciliation/approve`, {}, calling),
    deleteFoundNode: (id, node, calling) => post(`${foundAt(id, node)}/delete`, {}, calling),
    ignoreFoundNode: (id, node, calling) => post(`${foundAt(id, node)}/ignore`, {}, calling),
    countFoundNode: (id, node, calling) => post(`${foundAt(id, node)}/count`, {}, calling),
    adoptFoundNode: (id, node, request, calling) => post(`${foundAt(id, node)}/adopt`, request, calling),
    holdDeletes: (calling) => post('/v1/operations/hold-deletes', {}, calling),
    resumeDeletes: (calling) => post('/v1/operations/resume-deletes', {}, calling),
    reloadInventory: (apply, calling) => post(`/v1/operations/inventory/reload?apply=${apply}`, {}, calling),
    importFleet: (body, apply, calling) => post(`/v1/operations/import?apply=${apply}`, body, calling),

    getUsage: (query = {}, { signal } = {}) => read('/v1/usage', { query: { ...query }, signal }),
    closeUsagePeriod: (period, calling) => post(`${monthAt(period)}/close`, {}, calling),
    getSettlement: (period, { signal } = {}) => read(`${monthAt(period)}/settlement`, { signal }),

    listAudit: (filter = {}, walking) => walk('/v1/audit', { ...filter }, walking),
    getAuditChain: ({ signal } = {}) => read('/v1/audit/chain', { signal }),

    listWaitlist: (filter = {}, walking) => walk('/v1/waitlist', { ...filter }, walking),
  }
}

const foundAt = (providerId: string, providerInstanceId: string): string =>
  `${at('providers', providerId)}/reconciliation/nodes/${encodeURIComponent(providerInstanceId)}`

const monthAt = (period: string): string => `/v1/usage/periods/${encodeURIComponent(period)}`

const at = (noun: string, id: string): string => `/v1/${noun}/${encodeURIComponent(id)}`

async function send<T>(exchange: Exchange, asked: Asked): Promise<T> {
  const { body } = await exchange(asked)
  return body as T // see `Answered.body`
}

interface Walk extends ListOptions {
  readonly path: string
  readonly query: Asked['query']
}

/** Asks for the next page only when it is read on; a cursor that repeats itself would never end, so it is an error. */
async function* pages<T>(exchange: Exchange, { path, query, pageSize = PAGE_SIZE, signal }: Walk): AsyncGenerator<T> {
  let cursor: string | undefined
  while (true) {
    const asked: Asked = { method: 'GET', path, query: { ...query, limit: pageSize, cursor }, signal }
    const page = await send<{ readonly items: readonly T[]; readonly nextCursor: string | null }>(exchange, asked)
    yield* page.items
    if (page.nextCursor === null) return
    if (page.nextCursor === cursor) throw new Error(`the list ${path} repeats its cursor`)
    cursor = page.nextCursor
  }
}
