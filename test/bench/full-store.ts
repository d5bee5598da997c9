/** A store as full as the programme gets: every node at work, and ten thousand allocations that run, are to come or wait. */
import { type AllocationRow, type ApprovalRow, type NodeRow } from '../../broker/store/changes.ts'
import { install } from '../../broker/app/install.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import type { Database } from '../../broker/store/database.ts'
import { insertRows } from '../../broker/store/rows.ts'
import { DAY_MS, HOUR_MS, type EpochMs } from '../../shared/time.ts'

export interface FullStore {
  readonly running: number
  readonly nodes: number
  readonly allocations: number
}

const SIZES = [1, 2, 4] as const
const WAITING = 2_000
const APPROVAL = 'apr-bench'
const BATCH = 2_000

/** Of one that was asked for a day ago, and waits. */
export const waitingRow = (nth: number, now: EpochMs): AllocationRow => ({
  id: `alc_${nth.toString(36).padStart(16, '0')}`,
  sequence: nth + 1,
  approvalId: APPROVAL,
  organizationId: 'bench',
  program: 'bench',
  name: `bench-${nth}`,
  priority: 'standard',
  status: 'waitlisted',
  statusReason: null,
  demand: { nodes: 2 },
  requires: { architectures: [nth % 5 === 0 ? 'hopper' : 'blackwell'] },
  prefers: {},
  period: { durationHours: 24 },
  askedStartAt: now,
  durationMs: DAY_MS,
  latestStartAt: null,
  access: {},
  labels: {},
  providerId: null,
  clusterId: null,
  nodes: 0,
  startAt: null,
  endAt: null,
  decisionId: null,
  waitingSince: now - DAY_MS + nth,
  estimatedStartAt: null,
  estimatedClusterId: null,
  promisedStartAt: null,
  displacedBy: null,
  waitingReason: null,
  desiredNodes: 2,
  readyNodes: 0,
  failedNodes: 0,
  groupCounter: 0,
  releaseReason: null,
  undoing: null,
  avoid: [],
  version: 1,
  createdAt: now - DAY_MS,
  updatedAt: now - DAY_MS,
  activeAt: null,
  releasedAt: null,
  nextLookAt: null,
  claimToken: null,
  claimedUntil: null,
  readySeenAt: null,
  endingToldAt: null,
  toldStartAt: null,
  traceparent: null,
})

interface Placed {
  readonly cluster: Cluster
  readonly nodes: number
  readonly start: EpochMs
  readonly end: EpochMs
}

const placedRow = (row: AllocationRow, { cluster, nodes, start, end }: Placed): AllocationRow => ({
  ...row,
  providerId: cluster.providerId,
  clusterId: cluster.id,
  nodes,
  desiredNodes: nodes,
  startAt: start,
  endAt: end,
  waitingSince: null,
})

export const approvalRow = (now: EpochMs): ApprovalRow => ({
  id: APPROVAL,
  sequence: 1,
  organizationId: 'bench',
  organizationName: null,
  organizationType: null,
  program: 'bench',
  priority: 'standard',
  limits: {
    maxNodes: 100_000,
    gpuHours: 1e9,
    architectures: ['blackwell', 'hopper'],
    validFrom: '2026-01-01T00:00:00Z',
    validTo: '2029-01-01T00:00:00Z',
  },
  note: null,
  status: 'valid',
  endedGpuMs: 0,
  version: 1,
  createdAt: now,
  updatedAt: now,
})

/** @param live allocations that are not at their end */
export async function fillStore(
  database: Database,
  { catalogue, live, now }: { readonly catalogue: readonly Cluster[]; readonly live: number; readonly now: EpochMs },
): Promise<FullStore> {
  await install(database, catalogue, now)
  const rows: AllocationRow[] = []
  const reservations: object[] = []
  const nodes: NodeRow[] = []
  const meters: object[] = []
  const reserve = (row: AllocationRow, { cluster, nodes: count, start, end }: Placed, phase: string): void => {
    const { id: allocationId, approvalId, organizationId, priority } = row
    const heldUntil = end + cluster.turnoverMs
    const at = { clusterId: cluster.id, nodes: count, startAt: start, endAt: end, heldUntil, phase, reclaimedAt: null }
    reservations.push({ allocationId, approvalId, organizationId, priority, ...at })
  }
  for (const cluster of catalogue) {
    for (let left = cluster.nodes; left > 0; ) {
      const count = Math.min(left, SIZES[rows.length % SIZES.length] ?? 1)
      left -= count
      const placed = { cluster, nodes: count, start: now - DAY_MS, end: now + DAY_MS }
      const row = placedRow(waitingRow(rows.length, now), placed)
      const at = { activeAt: placed.start, nextLookAt: now + HOUR_MS, readyNodes: count }
      rows.push({ ...row, ...at, status: 'active' })
      reserve(row, placed, 'running')
      nodes.push(...nodesOf(row, count, now))
      meters.push(meterOf(row, cluster, count))
    }
  }
  const running = rows.length
  while (rows.length < live) {
    const nth = rows.length
    const cluster = catalogue[nth % catalogue.length]
    if (cluster === undefined) throw new RangeError('there must be a cluster')
    const start = now + DAY_MS + cluster.turnoverMs + (nth % 9_000) * HOUR_MS
    const placed = { cluster, nodes: 1, start, end: start + HOUR_MS }
    const isWaiting = live - nth <= WAITING
    const row = waitingRow(nth, now)
    reserve(row, placed, isWaiting ? 'planned' : 'scheduled')
    rows.push(isWaiting ? row : { ...placedRow(row, placed), status: 'scheduled', nextLookAt: start })
  }
  await database.transaction(async (trx) => {
    await insertRows(trx, 'approvals', [approvalRow(now)])
    for (let at = 0; at < rows.length; at += BATCH) await insertRows(trx, 'allocations', rows.slice(at, at + BATCH))
    await insertRows(trx, 'reservations', reservations)
    await insertRows(trx, 'node_groups', rows.slice(0, running).map(groupOf))
    await insertRows(trx, 'nodes', nodes)
    await insertRows(trx, 'usage_intervals', meters)
  })
  return { running, nodes: nodes.length, allocations: rows.length }
}

const groupOf = ({ id, nodes }: AllocationRow): object => ({
  name: `${id}-000`,
  allocationId: id,
  size: nodes,
  askedAt: 1,
  effect: 'accepted',
  notBefore: 0,
  attempts: 1,
})

const nodesOf = ({ id }: AllocationRow, count: number, now: EpochMs): NodeRow[] =>
  Array.from({ length: count }, (_, ordinal) => ({
    allocationId: id,
    ordinal,
    generation: 1,
    name: `${id}-000-${ordinal + 1}`,
    groupName: `${id}-000`,
    providerInstanceId: `${id}-${ordinal}`,
    status: 'ready',
    address: null,
    since: now,
    lastError: null,
    adopted: false,
  }))

const meterOf = (row: AllocationRow, cluster: Cluster, nodes: number): object => ({
  id: `${row.id}-meter`,
  allocationId: row.id,
  approvalId: row.approvalId,
  organizationId: row.organizationId,
  organizationType: null,
  program: row.program,
  providerId: cluster.providerId,
  clusterId: cluster.id,
  share: cluster.share,
  gpusPerNode: cluster.gpusPerNode,
  fp8H200Thousandths: 1_000,
  kind: 'active',
  nodes,
  fromAt: row.startAt,
  toAt: null,
  bookedAt: null,
})
