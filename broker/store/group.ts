/** Reading what a group of requests needs, and writing what it changed, in few statements whatever its size. */
import type { EpochMs } from '../../shared/time.ts'
import type { Reservation } from '../core/calendar-op.ts'
import { type Changes, circuitKey, findingRowKey, leaseKey, noChanges, nodeKey, type NodeRow } from './changes.ts'
import { readCircuits } from './circuits.ts'
import type { Queries, Transaction } from './database.ts'
import { displacedRows } from './allocations.ts'
import { type Head, headRows, saveCatalogue } from './head.ts'
import { readLeases, saveLeases } from './network-leases.ts'
import { saveQuarantines } from './quarantines.ts'
import { endReservations, type ReservationChanges, reservationRows } from './reservations.ts'
import { writeRows } from './rows.ts'
import { saveStandings } from './standings.ts'
import { saveDeliveries, saveWebhooks } from './webhooks.ts'
import { frozenProviders, saveFrozen, saveSuspensions } from './operations.ts'
import { findPeriod, settlementLines } from './usage.ts'
import { findingsAt, findSweep, saveSweeps } from './sweeps.ts'

/** What a member wants read before it decides. */
export interface Needs {
  readonly approvals?: readonly string[]
  /** Read with their approvals. */
  readonly allocations?: readonly string[]
  /** All live allocations of these approvals. */
  readonly allocationsOfApprovals?: readonly string[]
  /** With the allocations' nodes and groups. */
  readonly nodes?: boolean
  /** With the allocations' groups. */
  readonly groups?: boolean
  /** All allocations that wait, with their approvals. */
  readonly waiting?: boolean
  /** The first that wait and have been displaced, in their order, with their approvals. */
  readonly displaced?: { readonly after: number; readonly limit: number }
  /** All allocations that have a place and have not started, with their approvals. */
  readonly scheduled?: boolean
  /** All idle-use grants that run or are about to, with their approvals. */
  readonly idle?: boolean
  readonly drains?: readonly string[]
  /** All nodes that were ever taken over, with their allocations. */
  readonly adopted?: boolean
  readonly webhooks?: readonly string[]
  /** All webhooks: there may be only so many. */
  readonly everyWebhook?: boolean
  readonly deliveries?: readonly string[]
  /** Which providers are frozen. */
  readonly frozen?: boolean
  /** Providers whose last sweep is read, with its findings. */
  readonly sweeps?: readonly string[]
  /** All circuits of all providers. */
  readonly circuits?: boolean
  /** All networks that organisations have. */
  readonly leases?: boolean
  /** A month that is about to be closed: what it comes to, unless it is closed already. */
  readonly settling?: { readonly period: string; readonly from: EpochMs; readonly to: EpochMs }
  readonly idempotency?: { readonly clientId: string; readonly key: string }
}

const FINAL = ['released', 'cancelled', 'failed'] as const
const GRANTED = ['scheduled', 'provisioning', 'active'] as const

export async function readNeeds(db: Queries, needs: readonly Needs[]): Promise<Changes> {
  const rows = noChanges()
  await readAllocations(db, needs, rows)
  const approvalIds = new Set([
    ...needs.flatMap((need) => need.approvals ?? []),
    ...needs.flatMap((need) => need.allocationsOfApprovals ?? []),
    ...[...rows.allocations.values()].map((row) => row.approvalId),
  ])
  if (approvalIds.size > 0) {
    const found = await db
      .selectFrom('approvals')
      .selectAll()
      .where('id', 'in', [...approvalIds])
      .execute()
    for (const row of found) rows.approvals.set(row.id, row)
  }
  await readKeys(db, needs, rows)
  const drains = needs.flatMap((need) => need.drains ?? [])
  if (drains.length > 0) {
    const found = await db.selectFrom('drains').selectAll().where('id', 'in', drains).execute()
    for (const row of found) rows.drains.set(row.id, row)
  }
  const webhooks = needs.flatMap((need) => need.webhooks ?? [])
  const isEvery = needs.some((need) => need.everyWebhook === true)
  if (isEvery || webhooks.length > 0) {
    const all = db.selectFrom('webhooks').selectAll()
    const found = await (isEvery ? all : all.where('id', 'in', webhooks)).execute()
    for (const row of found) rows.webhooks.set(row.id, row)
  }
  const deliveries = needs.flatMap((need) => need.deliveries ?? [])
  if (deliveries.length > 0) {
    const found = await db.selectFrom('webhookDeliveries').selectAll().where('id', 'in', deliveries).execute()
    for (const row of found) rows.deliveries.set(row.id, row)
  }
  if (needs.some((need) => need.frozen === true)) {
    for (const id of await frozenProviders(db)) rows.frozen.set(id, true)
  }
  for (const providerId of new Set(needs.flatMap((need) => need.sweeps ?? []))) {
    const sweep = await findSweep(db, providerId)
    if (sweep !== null) rows.sweeps.set(providerId, sweep)
    for (const row of await findingsAt(db, providerId)) rows.findings.set(findingRowKey(row), { row, isFound: true })
  }
  if (needs.some((need) => need.circuits === true)) {
    for (const row of await readCircuits(db)) rows.circuits.set(circuitKey(row), row)
  }
  if (needs.some((need) => need.leases === true)) {
    for (const row of await readLeases(db)) rows.leases.set(leaseKey(row), row)
  }
  await readPeriods(db, needs, rows)
  return rows
}

async function readPeriods(db: Queries, needs: readonly Needs[], rows: Changes): Promise<void> {
  for (const { period, from, to } of needs.flatMap((need) => need.settling ?? [])) {
    const closed = await findPeriod(db, period)
    const lines = closed?.lines ?? (await settlementLines(db, { from, to, now: to }))
    rows.periods.set(period, { period, closedAt: closed?.closedAt ?? null, lines })
  }
}

async function readAllocations(db: Queries, needs: readonly Needs[], rows: Changes): Promise<void> {
  const adopted = needs.some((need) => need.adopted === true) ? await adoptedNodes(db) : []
  for (const node of adopted) rows.nodes.set(nodeKey(node), node)
  const ids = new Set([
    ...needs.flatMap((need) => need.allocations ?? []),
    ...adopted.map(({ allocationId }) => allocationId),
  ])
  const ofApprovals = needs.flatMap((need) => need.allocationsOfApprovals ?? [])
  const statuses = [
    ...(needs.some((need) => need.waiting === true) ? (['waitlisted'] as const) : []),
    ...(needs.some((need) => need.scheduled === true) ? (['scheduled'] as const) : []),
  ]
  for (const page of needs.flatMap((need) => need.displaced ?? []))
    for (const row of await displacedRows(db, page)) rows.allocations.set(row.id, row)
  const idle = needs.some((need) => need.idle === true)
  if (ids.size === 0 && ofApprovals.length === 0 && statuses.length === 0 && !idle) return
  const found = await db
    .selectFrom('allocations')
    .selectAll()
    .where((where) =>
      where.or([
        ...(ids.size > 0 ? [where('id', 'in', [...ids])] : []),
        ...(ofApprovals.length > 0
          ? [where.and([where('approvalId', 'in', ofApprovals), where('status', 'not in', FINAL)])]
          : []),
        ...(statuses.length > 0 ? [where('status', 'in', statuses)] : []),
        ...(idle ? [where.and([where('priority', '=', 'idle'), where('status', 'in', GRANTED)])] : []),
      ]),
    )
    .execute()
  for (const row of found) rows.allocations.set(row.id, row)
  const withNodes = allocationsOf(needs.filter((need) => need.nodes === true))
  if (withNodes.length > 0) {
    const nodes = await db.selectFrom('nodes').selectAll().where('allocationId', 'in', withNodes).execute()
    for (const row of nodes) rows.nodes.set(nodeKey(row), row)
  }
  const withGroups = allocationsOf(needs.filter((need) => need.nodes === true || need.groups === true))
  if (withGroups.length === 0) return
  const groups = await db.selectFrom('nodeGroups').selectAll().where('allocationId', 'in', withGroups).execute()
  for (const row of groups) rows.groups.set(row.name, row)
}

const allocationsOf = (needs: readonly Needs[]): string[] => [
  ...new Set(needs.flatMap((need) => need.allocations ?? [])),
]

const adoptedNodes = (db: Queries): Promise<readonly NodeRow[]> =>
  db.selectFrom('nodes').selectAll().where('adopted', '=', true).execute()

async function readKeys(db: Queries, needs: readonly Needs[], rows: Changes): Promise<void> {
  const keys = needs.flatMap((need) => need.idempotency ?? [])
  if (keys.length === 0) return
  const found = await db
    .selectFrom('idempotencyKeys')
    .selectAll()
    .where('key', 'in', [...new Set(keys.map((one) => one.key))])
    .where('clientId', 'in', [...new Set(keys.map((one) => one.clientId))])
    .execute()
  for (const row of found) rows.idempotency.set(idempotencyKey(row), row)
}

export const idempotencyKey = ({ clientId, key }: { readonly clientId: string; readonly key: string }): string =>
  `${clientId}\n${key}`

/** The worker's own columns stay as its claim left them; only who decides moves `next_look_at`. */
const WORKER_COLUMNS = ['claim_token', 'claimed_until', 'ready_seen_at']

/** What nearly every group changes goes in one statement; what is rare follows, each by its own. */
export async function writeChanges(trx: Transaction, changes: Changes, head: Head): Promise<void> {
  const { put, end, drop } = reservationChanges(changes)
  await writeRows(trx, [
    { table: 'approvals', rows: [...changes.approvals.values()], key: ['id'] },
    { table: 'allocations', rows: [...changes.allocations.values()], key: ['id'], keep: WORKER_COLUMNS },
    { table: 'node_groups', rows: [...changes.groups.values()], key: ['name'] },
    { table: 'nodes', rows: [...changes.nodes.values()], key: ['allocation_id', 'ordinal', 'generation'] },
    reservationRows(put),
    { table: 'drains', rows: [...changes.drains.values()], key: ['id'] },
    { table: 'circuits', rows: [...changes.circuits.values()], key: ['provider_id', 'kind'] },
    { table: 'usage_periods', rows: [...changes.periods.values()] },
    { table: 'decisions', rows: changes.decisions },
    { table: 'events', rows: changes.events },
    { table: 'audit', rows: changes.audit },
    { table: 'idempotency_keys', rows: [...changes.idempotency.values()] },
    { table: 'calendar_log', rows: changes.log },
    headRows(head),
  ])
  await endReservations(trx, { end, drop })
  await saveSuspensions(trx, changes.log)
  await saveQuarantines(trx, changes.log)
  await saveStandings(trx, changes.log)
  await saveFrozen(trx, changes.frozen)
  await saveWebhooks(trx, changes.webhooks)
  await saveDeliveries(trx, [...changes.deliveries.values()])
  await saveSweeps(trx, changes)
  await saveLeases(trx, changes)
  for (const { op } of changes.log) if (op.op === 'catalogue') await saveCatalogue(trx, op.clusters)
}

/**
 * What the operations leave of each reservation: the last one counts. A plan that is dropped never held anything; what
 * ran is kept with the time it really held.
 */
export function reservationChanges(changes: Changes): ReservationChanges {
  const put = new Map<string, Reservation>()
  const released = new Map<string, number>()
  for (const { op, at } of changes.log) {
    if (op.op === 'reserve') {
      put.set(op.reservation.allocationId, op.reservation)
      released.delete(op.reservation.allocationId)
    }
    if (op.op === 'release') {
      put.delete(op.allocationId)
      released.set(op.allocationId, at)
    }
  }
  const end: { allocationId: string; at: number }[] = []
  const drop: string[] = []
  for (const [allocationId, at] of released) {
    const ran = changes.allocations.get(allocationId)?.startAt
    if (ran !== null && ran !== undefined && ran <= at) end.push({ allocationId, at })
    else drop.push(allocationId)
  }
  return { put: [...put.values()], end, drop }
}
