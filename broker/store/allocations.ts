/** Reading allocations: one, a page, those that wait, and those that the reconciler must look at. */
import type { ExpressionBuilder, Selectable } from 'kysely'
import { sql } from 'kysely'
import type { AllocationStatus } from '../../shared/allocation.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { Queries } from './database.ts'
import type { AllocationTable, ApprovalTable, DecisionTable, NodeTable, Tables } from './schema.ts'

export type AllocationRow = Selectable<AllocationTable>

/** Rows that a caller may see: of one organisation, at one provider, or all. */
export interface Sight {
  readonly organizationId: string | null
  readonly providerId: string | null
}

export interface AllocationFilter {
  readonly status?: AllocationStatus
  readonly organizationId?: string
  readonly providerId?: string
  readonly clusterId?: string
  readonly approvalId?: string
  readonly program?: string
  readonly label?: { readonly key: string; readonly value: string }
}

const visible =
  ({ organizationId, providerId }: Sight) =>
  (where: ExpressionBuilder<Tables, 'allocations'>) =>
    where.and([
      ...(organizationId === null ? [] : [where('organizationId', '=', organizationId)]),
      ...(providerId === null ? [] : [where('providerId', '=', providerId)]),
    ])

/** The same for a row that was read. */
export const isVisible = (row: ShownAllocation, { organizationId, providerId }: Sight): boolean =>
  (organizationId === null || row.organizationId === organizationId) &&
  (providerId === null || row.providerId === providerId)

/** By id; those that do not exist are left out. */
export async function findAllocations(
  db: Queries,
  ids: readonly string[],
): Promise<ReadonlyMap<string, ShownAllocation>> {
  if (ids.length === 0) return new Map()
  const rows = await db.selectFrom('allocations').select(SHOWN).where('id', 'in', ids).execute()
  return new Map(rows.map((row) => [row.id, row]))
}

/** What is shown of one, and what its page is turned by: half of what there is, and lists are asked for often. */
const SHOWN = [
  'id',
  'sequence',
  'approvalId',
  'organizationId',
  'program',
  'name',
  'priority',
  'status',
  'statusReason',
  'demand',
  'requires',
  'prefers',
  'period',
  'labels',
  'providerId',
  'clusterId',
  'nodes',
  'startAt',
  'endAt',
  'decisionId',
  'waitingSince',
  'estimatedStartAt',
  'estimatedClusterId',
  'promisedStartAt',
  'waitingReason',
  'desiredNodes',
  'readyNodes',
  'failedNodes',
  'version',
  'createdAt',
  'updatedAt',
  'activeAt',
  'releasedAt',
] as const satisfies readonly (keyof AllocationRow)[]

export type ShownAllocation = Pick<AllocationRow, (typeof SHOWN)[number]>

/** Newest first. @param after the sequence of the last one seen; null for the first page */
export async function pageOfAllocations(
  db: Queries,
  { filter, sight, after, limit }: { filter: AllocationFilter; sight: Sight; after: number | null; limit: number },
): Promise<readonly ShownAllocation[]> {
  const { label, ...columns } = filter
  let query = db.selectFrom('allocations').select(SHOWN).where(visible(sight)).orderBy('sequence', 'desc').limit(limit)
  for (const [column, value] of Object.entries(columns)) {
    query = query.where(column as keyof typeof columns, '=', value as never)
  }
  if (label !== undefined) {
    const wanted = JSON.stringify({ [label.key]: label.value })
    query = query.where(sql<boolean>`labels::jsonb @> ${wanted}::jsonb`)
  }
  if (after !== null) query = query.where('sequence', '<', after)
  return query.execute()
}

export async function waitingRows(
  db: Queries,
): Promise<readonly (AllocationRow & { readonly approval: Selectable<ApprovalTable> })[]> {
  const rows = await db
    .selectFrom('allocations')
    .selectAll()
    .where('status', '=', 'waitlisted')
    .orderBy('sequence')
    .execute()
  const approvalIds = [...new Set(rows.map((row) => row.approvalId))]
  if (approvalIds.length === 0) return []
  const approvals = await db.selectFrom('approvals').selectAll().where('id', 'in', approvalIds).execute()
  const byId = new Map(approvals.map((approval) => [approval.id, approval]))
  return rows.flatMap((row) => {
    const approval = byId.get(row.approvalId)
    return approval === undefined ? [] : [{ ...row, approval }]
  })
}

/** Of those who wait, the first behind `after` whose place was taken by something that nobody has answered for yet. */
export const displacedRows = (
  db: Queries,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly AllocationRow[]> =>
  db
    .selectFrom('allocations')
    .selectAll()
    .where('status', '=', 'waitlisted')
    .where('displacedBy', 'is not', null)
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(limit)
    .execute()

export const nodesOf = (db: Queries, allocationId: string): Promise<readonly Selectable<NodeTable>[]> =>
  db
    .selectFrom('nodes')
    .selectAll()
    .where('allocationId', '=', allocationId)
    .orderBy('ordinal')
    .orderBy('generation')
    .execute()

/** Nodes at a provider that were taken over and have not been seen gone. */
export const adoptedAt = (db: Queries, providerId: string): Promise<readonly Selectable<NodeTable>[]> =>
  db
    .selectFrom('nodes')
    .innerJoin('allocations', 'allocations.id', 'nodes.allocationId')
    .selectAll('nodes')
    .where('nodes.adopted', '=', true)
    .where('nodes.status', '!=', 'deleted')
    .where('allocations.providerId', '=', providerId)
    .execute()

export const decisionsOf = (db: Queries, allocationId: string): Promise<readonly Selectable<DecisionTable>[]> =>
  db.selectFrom('decisions').selectAll().where('allocationId', '=', allocationId).orderBy('sequence').execute()

/** The allocations at one provider, or those at none of these. */
export type Lane = { readonly providerId: string } | { readonly notAt: readonly string[] }

const inLane = (lane: Lane) =>
  'providerId' in lane
    ? sql`provider_id = ${lane.providerId}`
    : sql`(provider_id is null or provider_id <> all(${[...lane.notAt]}::text[]))`

export interface TakenClaim {
  readonly id: string
  /** Somebody had it, and has let its lease end. */
  readonly stolen: boolean
}

/**
 * Takes up to `limit` allocations that are due and not in another worker's hands. The token says whose they are: what a
 * worker brings back counts only while it still holds.
 */
export async function claimDue(
  db: Queries,
  {
    lane,
    now,
    token,
    leaseMs,
    limit,
  }: {
    readonly lane: Lane
    readonly now: EpochMs
    readonly token: string
    readonly leaseMs: number
    readonly limit: number
  },
): Promise<readonly TakenClaim[]> {
  const { rows } = await sql<TakenClaim>`
    with due as (
      select id, claim_token is not null as stolen from allocations
      where ${inLane(lane)} and next_look_at <= ${now} and (claimed_until is null or claimed_until <= ${now})
      order by next_look_at limit ${limit} for update skip locked
    )
    update allocations set claim_token = ${token}, claimed_until = ${now + leaseMs}
    from due where allocations.id = due.id returning allocations.id, due.stolen`.execute(db)
  return rows
}

/** @returns whether the claim still held */
export async function renewClaim(
  db: Queries,
  { id, token, until }: { id: string; token: string; until: EpochMs },
): Promise<boolean> {
  const result = await db
    .updateTable('allocations')
    .set({ claimedUntil: until })
    .where('id', '=', id)
    .where('claimToken', '=', token)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Gives the claim back. @param notBefore nobody takes it again before this instant */
export async function releaseClaim(
  db: Queries,
  { id, token, notBefore }: { readonly id: string; readonly token: string; readonly notBefore?: EpochMs },
): Promise<void> {
  await db
    .updateTable('allocations')
    .set({ claimToken: null, claimedUntil: notBefore ?? null })
    .where('id', '=', id)
    .where('claimToken', '=', token)
    .execute()
}

/** Only where one process owns the database: whoever held these claims is dead. */
export async function dropClaims(db: Queries): Promise<void> {
  await db
    .updateTable('allocations')
    .set({ claimToken: null, claimedUntil: null })
    .where('claimToken', 'is not', null)
    .execute()
}

/** When the reconciler is needed next; null when nothing is due ever. */
export async function nextDue(db: Queries, lane: Lane): Promise<EpochMs | null> {
  const row = await db
    .selectFrom('allocations')
    .select(sql<number | null>`min(greatest(next_look_at, coalesce(claimed_until, 0)))`.as('at'))
    .where('nextLookAt', 'is not', null)
    .where(sql<boolean>`${inLane(lane)}`)
    .executeTakeFirst()
  return row?.at ?? null
}

export async function waitingByIds(db: Queries, ids: readonly string[]): Promise<ReadonlyMap<string, ShownAllocation>> {
  if (ids.length === 0) return new Map()
  const rows = await db
    .selectFrom('allocations')
    .selectAll()
    .where('id', 'in', ids)
    .where('status', '=', 'waitlisted')
    .execute()
  return new Map(rows.map((row) => [row.id, row]))
}

export interface ClusterCounts {
  readonly clusterId: string
  readonly ready: number
  readonly active: number
}

/** What stands and what works, per cluster, now. */
export async function nodeCounts(db: Queries): Promise<ReadonlyMap<string, ClusterCounts>> {
  const { rows } = await sql<ClusterCounts>`
    select cluster_id as "clusterId", sum(ready_nodes)::int as ready,
      sum(case when status = 'active' then nodes else 0 end)::int as active
    from allocations where status in ('provisioning', 'active', 'preempting') and cluster_id is not null
    group by cluster_id`.execute(db)
  return new Map(rows.map((row) => [row.clusterId, row]))
}

/** Id of the allocation that has this node of the provider; null: none has. */
export async function allocationBuiltAs(
  db: Queries,
  { providerId, providerInstanceId }: { readonly providerId: string; readonly providerInstanceId: string },
): Promise<string | null> {
  const row = await db
    .selectFrom('nodes')
    .innerJoin('allocations', 'allocations.id', 'nodes.allocationId')
    .select('allocations.id')
    .where('nodes.providerInstanceId', '=', providerInstanceId)
    .where('allocations.providerId', '=', providerId)
    .executeTakeFirst()
  return row?.id ?? null
}

/** Those that run, and end before `at`. */
export function endingBefore(
  db: Queries,
  at: EpochMs,
): Promise<readonly Pick<AllocationRow, 'id' | 'status' | 'startAt' | 'endAt' | 'endingToldAt'>[]> {
  return db
    .selectFrom('allocations')
    .select(['id', 'status', 'startAt', 'endAt', 'endingToldAt'])
    .where('status', 'in', ['provisioning', 'active'])
    .where('endAt', '<', at)
    .execute()
}
