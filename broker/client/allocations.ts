/** Approvals, and the nodes that are asked for under them. */
import type {
  Allocation,
  AllocationNode,
  AllocationRequest,
  AllocationStatus,
  ExtendRequest,
  ReleaseRequest,
  ShrinkRequest,
} from '../../shared/allocation.ts'
import type { Approval, ApprovalRequest } from '../../shared/approval.ts'
import type { Decision } from '../../shared/decision.ts'
import {
  type CallOptions,
  type Calls,
  type IfMatchOption,
  type ListOptions,
  type PostOptions,
  type ReadById,
  pathTo,
} from './calls.ts'

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

type ChangeOptions = PostOptions & IfMatchOption

interface IfAbsentOption {
  /** Makes what is not there yet, and replaces nothing: what is there is refused as `stale`. */
  readonly ifNoneMatch?: '*'
}

export interface AllocationCalls {
  /**
   * `created` says what the last attempt did: one whose first answer was lost replaces what it has made, and under a
   * condition is refused as `stale`.
   */
  putApproval(
    id: string,
    request: ApprovalRequest,
    options?: CallOptions & IfMatchOption & IfAbsentOption,
  ): Promise<{ readonly approval: Approval; readonly created: boolean }>
  readonly getApproval: ReadById<Approval>
  listApprovals(options?: ListOptions): AsyncGenerator<Approval>
  /** Its allocations are released. */
  revokeApproval(id: string, options?: ChangeOptions): Promise<Approval>

  createAllocation(request: AllocationRequest, options?: PostOptions): Promise<Allocation>
  /** Nodes that become ready and a place in the waitlist are no new version: a condition does not see them. */
  readonly getAllocation: ReadById<Allocation>
  listAllocations(filter?: AllocationFilter, options?: ListOptions): AsyncGenerator<Allocation>
  listAllocationNodes(id: string, options?: ListOptions): AsyncGenerator<AllocationNode>
  listAllocationDecisions(id: string, options?: ListOptions): AsyncGenerator<Decision>
  /** Twice is once. */
  releaseAllocation(id: string, request?: ReleaseRequest, options?: ChangeOptions): Promise<Allocation>
  /** Refused as `no-capacity` with the latest end that would fit. Twice is once. */
  extendAllocation(id: string, request: ExtendRequest, options?: ChangeOptions): Promise<Allocation>
  /** The highest ordinals leave. Twice is once. */
  shrinkAllocation(id: string, request: ShrinkRequest, options?: ChangeOptions): Promise<Allocation>
  /** Takes a failed one up again. */
  retryAllocation(id: string, options?: ChangeOptions): Promise<Allocation>
}

const CREATED = 201

export const allocationCalls = ({ exchange, readById, post, walk }: Calls): AllocationCalls => ({
  async putApproval(id, request, options = {}) {
    const asked = { ...options, method: 'PUT', path: pathTo('approvals', id), body: request } as const
    const { status, body } = await exchange.ask(asked)
    return { approval: body as Approval, created: status === CREATED } // see `Answered.body`
  },
  getApproval: readById('approvals'),
  listApprovals: (options) => walk(pathTo('approvals'), options),
  revokeApproval: (id, options) => post(pathTo('approvals', id, 'revoke'), {}, options),

  createAllocation: (request, options) => post(pathTo('allocations'), request, options),
  getAllocation: readById('allocations'),
  listAllocations: (filter, options) => walk(pathTo('allocations'), options, { ...filter }),
  listAllocationNodes: (id, options) => walk(pathTo('allocations', id, 'nodes'), options),
  listAllocationDecisions: (id, options) => walk(pathTo('allocations', id, 'decisions'), options),
  releaseAllocation: (id, request = {}, options) => post(pathTo('allocations', id, 'release'), request, options),
  extendAllocation: (id, request, options) => post(pathTo('allocations', id, 'extend'), request, options),
  shrinkAllocation: (id, request, options) => post(pathTo('allocations', id, 'shrink'), request, options),
  retryAllocation: (id, options) => post(pathTo('allocations', id, 'retry'), {}, options),
})
