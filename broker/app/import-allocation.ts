/** One running grant that is taken over: what stands in the way of it, and the rows that it becomes. */
import type { ImportedAllocation } from '../../shared/fleet-import.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import type { FieldError } from '../../shared/refusal.ts'
import { type Interval, toIso } from '../../shared/time.ts'
import { exceededBy } from '../core/approval-limits.ts'
import { clusterOf } from '../core/calendar-reads.ts'
import type { Cluster } from '../core/cluster.ts'
import { takenOutcome } from '../core/decisions/outcome.ts'
import type { AllocationRow, ApprovalRow } from '../store/changes.ts'
import { announce } from './announce.ts'
import { limitsOf, usedOf } from './approval-check.ts'
import { type Caller, mayOperate } from './command.ts'
import { newRow } from './create-allocation.ts'
import type { Draft } from './draft.ts'
import { nameNodes } from './name-nodes.ts'
import { reserve } from './occupy.ts'

/** By `instanceKey`. */
export type FoundNodes = ReadonlyMap<string, ProviderNode>

/** Operators number their nodes apart. */
export const instanceKey = (providerId: string, providerInstanceId: string): string =>
  `${providerId} ${providerInstanceId}`

export interface Fleet {
  readonly found: FoundNodes
  /** Allocation ids by `instanceKey`; what is taken over is added. */
  readonly owners: Map<string, string>
}

export interface Taken {
  readonly effect: 'create' | 'unchanged'
  /** Null where problems are. */
  readonly allocationId: string | null
  /** Pointers into the entry. */
  readonly problems: readonly FieldError[]
}

export function takeAllocation(draft: Draft, caller: Caller, entry: ImportedAllocation, fleet: Fleet): Taken {
  const cluster = clusterOf(draft.calendar, entry.clusterId)
  if (cluster === null || !cluster.mapped || !mayOperate(caller, cluster.providerId)) {
    return refused([{ pointer: '/clusterId', detail: `there is no cluster ${entry.clusterId} that is served here` }])
  }
  const before = takenBefore(draft, entry, cluster, fleet)
  if (before !== null) return { effect: 'unchanged', allocationId: before, problems: [] }
  const approval = draft.approval(entry.approvalId)
  const period = { start: Date.parse(entry.period.start), end: Date.parse(entry.period.end) }
  const problems = [
    ...periodProblems(draft, period),
    ...imageProblems(entry, cluster),
    ...nodeProblems(entry, cluster, fleet),
    ...approvalProblems(draft, approval, { entry, cluster, period }),
  ]
  if (problems.length > 0 || approval === null) return refused(problems)
  const row = save(draft, { entry, cluster, approval, period })
  for (const id of entry.providerInstanceIds) fleet.owners.set(instanceKey(cluster.providerId, id), row.id)
  return { effect: 'create', allocationId: row.id, problems: [] }
}

const refused = (problems: readonly FieldError[]): Taken => ({ effect: 'create', allocationId: null, problems })

/** The allocation that has exactly these nodes, and was taken over for the same. */
function takenBefore(draft: Draft, entry: ImportedAllocation, cluster: Cluster, { owners }: Fleet): string | null {
  const ids = new Set(entry.providerInstanceIds)
  const [owner, ...others] = new Set([...ids].map((id) => owners.get(instanceKey(cluster.providerId, id)) ?? null))
  const row = owner === null || owner === undefined || others.length > 0 ? null : draft.allocation(owner)
  if (row === null || row.approvalId !== entry.approvalId || row.clusterId !== cluster.id) return null
  return draft.nodesOf(row.id).filter((node) => node.adopted).length === ids.size ? row.id : null
}

function periodProblems(draft: Draft, { start, end }: Interval): FieldError[] {
  if (start > draft.now) return [{ pointer: '/period/start', detail: 'must be past: only what runs is taken over' }]
  return end > draft.now ? [] : [{ pointer: '/period/end', detail: `must be after ${toIso(draft.now)}` }]
}

const imageProblems = ({ access }: ImportedAllocation, { images, id }: Cluster): FieldError[] =>
  access?.image === undefined || images.includes(access.image)
    ? []
    : [{ pointer: '/access/image', detail: `${id} has no image ${access.image}` }]

function nodeProblems(entry: ImportedAllocation, cluster: Cluster, { found, owners }: Fleet): FieldError[] {
  const seen = new Set<string>()
  return entry.providerInstanceIds.flatMap((id, index) => {
    const key = instanceKey(cluster.providerId, id)
    const owner = owners.get(key) ?? null
    const detail = seen.has(id) ? `${id} stands here twice` : nodeProblem({ id, owner, node: found.get(key), cluster })
    seen.add(id)
    return detail === null ? [] : [{ pointer: `/providerInstanceIds/${index}`, detail }]
  })
}

interface Candidate {
  readonly id: string
  readonly owner: string | null
  readonly node: ProviderNode | undefined
  readonly cluster: Cluster
}

function nodeProblem({ id, owner, node, cluster }: Candidate): string | null {
  if (owner !== null) return `${id} belongs to ${owner} already`
  if (node === undefined) return `${cluster.providerId} lists no node ${id}`
  if (node.owner !== null) return `${id} was built by a broker, for ${node.owner.allocationId}`
  if (node.clusterId !== cluster.id) return `${id} stands in ${node.clusterId ?? 'no cluster that is configured'}`
  return node.state === 'ready' ? null : `${id} is ${node.state}, and must be ready`
}

function approvalProblems(
  draft: Draft,
  approval: ApprovalRow | null,
  { entry, cluster, period }: { entry: ImportedAllocation; cluster: Cluster; period: Interval },
): FieldError[] {
  const problem = (detail: string): FieldError[] => [{ pointer: '/approvalId', detail }]
  if (approval === null) return problem(`there is no approval ${entry.approvalId}, here or in the file`)
  if (approval.status === 'revoked') return problem(`approval ${approval.id} has been revoked`)
  const { architecture, gpusPerNode } = cluster
  const exceeded = exceededBy(limitsOf(approval.limits), usedOf(draft.calendar, approval), {
    variants: [{ architecture, nodes: entry.providerInstanceIds.length, gpusPerNode }],
    period,
    latestStart: period.start,
  })
  return exceeded === null ? [] : problem(exceeded.detail)
}

interface Accepted {
  readonly entry: ImportedAllocation
  readonly cluster: Cluster
  readonly approval: ApprovalRow
  readonly period: Interval
}

function save(draft: Draft, { entry, cluster, approval, period }: Accepted): AllocationRow {
  const nodes = entry.providerInstanceIds.length
  const { approvalId, name, access, labels } = entry
  const request = {
    approvalId,
    name,
    demand: { nodes },
    period: entry.period,
    ...(access !== undefined && { access }),
    ...(labels !== undefined && { labels }),
  }
  const row = newRow(draft, { approval, request, period: { kind: 'fixed', ...period } })
  const { id: clusterId, providerId } = cluster
  const { start, end } = period
  const { providerInstanceIds } = entry
  const taken = { clusterId, nodes, start, end, providerInstanceIds, how: 'imported' } as const
  const decisionId = draft.decide({
    allocationId: row.id,
    kind: 'place',
    input: { taken },
    candidates: [],
    outcome: takenOutcome(taken),
    supersedes: null,
  })
  const heldUntil = end + cluster.turnoverMs
  reserve(draft, row, { clusterId, providerId, nodes, start, end, heldUntil }, 'running')
  const active: AllocationRow = {
    ...bindNodes(draft, row, entry.providerInstanceIds),
    status: 'active',
    providerId,
    clusterId,
    nodes,
    desiredNodes: nodes,
    readyNodes: nodes,
    startAt: start,
    endAt: end,
    activeAt: start,
    decisionId,
    nextLookAt: draft.now,
  }
  draft.save(active)
  announce(draft, active)
  return active
}

/** Groups have names of ours although nobody asked for them: those that will replace their nodes go on counting. */
const GROUP_SIZE = 100

function bindNodes(draft: Draft, row: AllocationRow, providerInstanceIds: readonly string[]): AllocationRow {
  const places = providerInstanceIds.map((_, ordinal) => ({ ordinal, generation: 1 }))
  const named = nameNodes(draft, row, places, { maxBatch: GROUP_SIZE })
  for (const group of draft.groupsOf(row.id)) draft.saveGroup({ ...group, effect: 'accepted', askedAt: draft.now })
  for (const node of draft.nodesOf(row.id)) {
    const providerInstanceId = providerInstanceIds[node.ordinal] ?? null
    draft.saveNode({ ...node, providerInstanceId, status: 'ready', adopted: true })
  }
  return named
}
