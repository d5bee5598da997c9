/**
 * Enters an allocation anew that only its nodes still tell of: a restored store has forgotten it, and a sweep has found
 * the nodes by their tag. The tag says which allocation it was; a person says whose it is and until when. Nothing is
 * touched at the operator: from then on looks keep it as they keep any other.
 */
import type { Allocation } from '../../shared/allocation.ts'
import { parseNodeName } from '../../shared/ids.ts'
import type { AdoptRequest } from '../../shared/reconciliation.ts'
import { invalidRequest, Refusal } from '../../shared/refusal.ts'
import { type EpochMs, toIso } from '../../shared/time.ts'
import { exceededBy } from '../core/approval-limits.ts'
import { clusterOf } from '../core/calendar-reads.ts'
import type { Cluster } from '../core/cluster.ts'
import { takenOutcome } from '../core/decisions/outcome.ts'
import { shortfallWithin } from '../core/overbooked.ts'
import type { AllocationRow, ApprovalRow, FindingRow } from '../store/changes.ts'
import { allocationBuiltAs } from '../store/allocations.ts'
import { findingsAt } from '../store/sweeps.ts'
import { announce } from './announce.ts'
import type { App } from './app.ts'
import { limitsOf, usedOf } from './approval-check.ts'
import type { Answer, Command } from './command.ts'
import { newRow } from './create-allocation.ts'
import type { Draft } from './draft.ts'
import { nameNodes } from './name-nodes.ts'
import { reserve } from './occupy.ts'
import { occupyFound } from './record-sweep.ts'
import { relocateOverbooked } from './relocate.ts'
import { assertMayOperate, type FoundNode, findingOf } from './resolve-finding.ts'
import { allocationView, etagOf } from './views.ts'

/** Of all nodes that carry the same allocation's tag in the same cluster. Twice is as good as once. */
export async function adoptFoundNode(
  app: App,
  command: Command,
  node: FoundNode,
  request: AdoptRequest,
): Promise<Answer<Allocation>> {
  const known = await allocationBuiltAs(app.database.queries, node)
  const found = (await findingsAt(app.database.queries, node.providerId)).find(
    (row) => row.providerInstanceId === node.providerInstanceId,
  )
  const allocationId = known ?? found?.allocationId ?? null
  return app.writer.answer(command, {
    needs: {
      sweeps: [node.providerId],
      approvals: [request.approvalId],
      allocations: allocationId === null ? [] : [allocationId],
      waiting: true,
      scheduled: true,
    },
    decide(draft) {
      assertMayOperate(command, node.providerId)
      const already = known === null ? null : draft.allocation(known)
      const row = already ?? adopt(draft, findingOf(draft, node), request)
      return { body: allocationView(row, { calendar: draft.calendar, position: undefined }), etag: etagOf(row) }
    },
  })
}

interface Adoption {
  readonly allocationId: string
  readonly cluster: Cluster
  readonly approval: ApprovalRow
  readonly end: EpochMs
  /** All that are taken over, by name. */
  readonly findings: readonly FindingRow[]
  readonly request: AdoptRequest
}

function adopt(draft: Draft, finding: FindingRow, request: AdoptRequest): AllocationRow {
  const { allocationId, providerId } = finding
  const cluster = clusterOf(draft.calendar, finding.clusterId ?? '')
  if (
    finding.kind !== 'unknown' ||
    allocationId === null ||
    draft.allocation(allocationId) !== null ||
    cluster === null
  ) {
    throw new Refusal(
      'not-in-this-status',
      'Only a node in a configured cluster whose allocation is not known is adopted.',
    )
  }
  const end = Date.parse(request.end)
  if (end <= draft.now) throw invalidRequest([{ pointer: '/end', detail: `must be after ${toIso(draft.now)}` }])
  const approval = usableApproval(draft, request.approvalId)
  const findings = draft
    .findingsAt(providerId)
    .filter((row) => row.kind === 'unknown' && row.allocationId === allocationId && row.clusterId === cluster.id)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const adoption: Adoption = { allocationId, cluster, approval, end, findings, request }
  assertWithin(draft, adoption)
  return enter(draft, adoption)
}

function usableApproval(draft: Draft, approvalId: string): ApprovalRow {
  const approval = draft.approval(approvalId)
  if (approval === null) throw new Refusal('approval-unknown', `There is no approval ${approvalId}.`, { approvalId })
  if (approval.status !== 'revoked') return approval
  throw new Refusal('approval-revoked', `Approval ${approvalId} has been revoked.`, { approvalId })
}

/** @throws Refusal `approval-exceeded`, naming the limit, what is needed and what is left */
function assertWithin(draft: Draft, { cluster, approval, end, findings }: Adoption): void {
  const { architecture, gpusPerNode } = cluster
  const exceeded = exceededBy(limitsOf(approval.limits), usedOf(draft.calendar, approval), {
    variants: [{ architecture, nodes: findings.length, gpusPerNode }],
    period: { start: draft.now, end },
    latestStart: draft.now,
  })
  if (exceeded === null) return
  const { limit, asked, left, detail } = exceeded
  throw new Refusal('approval-exceeded', detail, { approvalId: approval.id, limit, asked, left })
}

function enter(draft: Draft, adoption: Adoption): AllocationRow {
  const { allocationId, cluster, approval, end, findings, request } = adoption
  const { id: clusterId, providerId } = cluster
  const start = draft.now
  const nodes = findings.length
  const fresh = newRow(draft, {
    approval,
    request: {
      approvalId: approval.id,
      name: request.name ?? findings[0]?.name ?? allocationId,
      demand: { nodes },
      period: { start: toIso(start), end: toIso(end) },
    },
    period: { kind: 'fixed', start, end },
  })
  const row: AllocationRow = { ...fresh, id: allocationId, groupCounter: unusedCounter(findings) }
  const providerInstanceIds = findings.map((one) => one.providerInstanceId)
  const taken = { clusterId, nodes, start, end, providerInstanceIds, how: 'adopted' } as const
  const decisionId = draft.decide({
    allocationId,
    kind: 'place',
    input: { taken },
    candidates: [],
    outcome: takenOutcome(taken),
    supersedes: null,
  })
  for (const finding of findings) draft.dropFinding(finding)
  occupyFound(draft, providerId)
  reserve(draft, row, { clusterId, providerId, nodes, start, end, heldUntil: end + cluster.turnoverMs }, 'running')
  relocateOverbooked(draft, clusterId, { cause: 'fault', causeId: allocationId })
  if (shortfallWithin(draft.calendar, clusterId, { start, end })) {
    throw new Refusal(
      'no-capacity',
      `${clusterId} has more reserved than it has: lift a drain, or end something first.`,
    )
  }
  const active: AllocationRow = {
    ...bind(draft, row, findings),
    status: 'active',
    providerId,
    clusterId,
    nodes,
    desiredNodes: nodes,
    startAt: start,
    endAt: end,
    activeAt: start,
    decisionId,
    nextLookAt: start,
  }
  draft.save(active)
  announce(draft, active)
  return active
}

/** Groups that will replace nodes of these must not be called as theirs are. */
function unusedCounter(findings: readonly FindingRow[]): number {
  const used = findings.map(({ name }) => Number.parseInt(parseNodeName(name)?.group.slice(-3) ?? '', 36))
  return Math.max(-1, ...used.filter((counter) => !Number.isNaN(counter))) + 1
}

/** Names are written down as for nodes that are about to be made; these are known by their ids already. */
const GROUP_SIZE = 100

function bind(draft: Draft, row: AllocationRow, findings: readonly FindingRow[]): AllocationRow {
  const places = findings.map((_, ordinal) => ({ ordinal, generation: 1 }))
  const named = nameNodes(draft, row, places, { maxBatch: GROUP_SIZE })
  for (const group of draft.groupsOf(row.id)) draft.saveGroup({ ...group, effect: 'accepted', askedAt: draft.now })
  for (const node of draft.nodesOf(row.id)) {
    const providerInstanceId = findings[node.ordinal]?.providerInstanceId ?? null
    draft.saveNode({ ...node, providerInstanceId, status: 'building' })
  }
  return named
}
