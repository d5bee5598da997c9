/** Sweeps: whose turn it is, what the store believes of a provider, what was found there, and what was asked to go. */
import { type Selectable, sql } from 'kysely'
import { END_OF_TIME, type EpochMs, HOUR_MS } from '../../shared/time.ts'
import type { CalendarOp, Drain } from '../core/calendar-op.ts'
import type { BelievedNode, KnownAllocation } from '../core/sweep.ts'
import type { Changes, FindingRow, SweepRow } from './changes.ts'
import type { Queries, Transaction } from './database.ts'
import { upsertRows } from './rows.ts'
import type { AllocationTable } from './schema.ts'

export interface SweepClaim {
  readonly providerId: string
  readonly token: string
}

/**
 * Takes the provider's next sweep, unless another replica has it.
 *
 * @param early also if it is not due yet
 * @returns whether it was taken
 */
export async function claimSweep(
  db: Queries,
  { providerId, token, now, leaseMs, early }: SweepClaim & { now: EpochMs; leaseMs: number; early: boolean },
): Promise<boolean> {
  const isFree = sql`(sweeps.claimed_until is null or sweeps.claimed_until <= ${now}) and (${early} or sweeps.next_at <= ${now})`
  // Asked after each wake-up, and mostly in vain: a row that is only locked would still be a write, which the disk waits for.
  const { rows } = await sql<object>`
    insert into sweeps (provider_id, next_at, claim_token, claimed_until)
    select ${providerId}::text, ${now}::bigint, ${token}::text, ${now + leaseMs}::bigint
    where not exists (select from sweeps where provider_id = ${providerId} and not (${isFree}))
    on conflict (provider_id) do update set claim_token = ${token}, claimed_until = ${now + leaseMs}
    where ${isFree}
    returning provider_id`.execute(db)
  return rows.length > 0
}

/** @returns whether the claim still held */
export async function renewSweep(
  db: Queries,
  { providerId, token, until }: SweepClaim & { readonly until: EpochMs },
): Promise<boolean> {
  const result = await db
    .updateTable('sweeps')
    .set({ claimedUntil: until })
    .where('providerId', '=', providerId)
    .where('claimToken', '=', token)
    .executeTakeFirst()
  return result.numUpdatedRows > 0n
}

/** Gives the claim back. @param nextAt when the next one is due; an earlier one that somebody has asked for meanwhile stands */
export async function releaseSweep(
  db: Queries,
  { providerId, token, startedAt, nextAt }: SweepClaim & { readonly startedAt: EpochMs; readonly nextAt: EpochMs },
): Promise<void> {
  await db
    .updateTable('sweeps')
    .set({
      claimToken: null,
      claimedUntil: null,
      nextAt: sql<EpochMs>`case when next_at > ${startedAt} then least(next_at, ${nextAt}) else ${nextAt} end`,
    })
    .where('providerId', '=', providerId)
    .where('claimToken', '=', token)
    .execute()
}

/** Only where one process owns the database: whoever held these claims is dead. */
export async function dropSweepClaims(db: Queries): Promise<void> {
  await db.updateTable('sweeps').set({ claimToken: null, claimedUntil: null }).execute()
}

export async function findSweep(db: Queries, providerId: string): Promise<SweepRow | null> {
  return (await db.selectFrom('sweeps').selectAll().where('providerId', '=', providerId).executeTakeFirst()) ?? null
}

/** More than a provider of the programme has nodes; the oldest come first. */
const MAX_FINDINGS = 1_000

export const findingsAt = (db: Queries, providerId: string): Promise<FindingRow[]> =>
  db
    .selectFrom('sweepFindings')
    .selectAll()
    .where('providerId', '=', providerId)
    .orderBy('since')
    .orderBy('providerInstanceId')
    .limit(MAX_FINDINGS)
    .execute()

export interface Belief {
  readonly allocations: ReadonlyMap<string, KnownAllocation>
  readonly believed: readonly BelievedNode[]
}

type Stored = Pick<Selectable<AllocationTable>, 'id' | 'status' | 'providerId' | 'clusterId' | 'undoing'>

/**
 * What the store believes of these allocations, and of all that want nodes at the provider. To be read after the
 * provider's list was: then all that the list shows was written down before.
 */
export async function readBelief(db: Queries, providerId: string, listed: readonly string[]): Promise<Belief> {
  const rows = await db
    .selectFrom('allocations')
    .select(['id', 'status', 'providerId', 'clusterId', 'undoing'])
    .where((where) =>
      where.or([
        ...(listed.length > 0 ? [where('id', 'in', listed)] : []),
        where.and([where('providerId', '=', providerId), where('status', 'in', ['provisioning', 'active'])]),
      ]),
    )
    .execute()
  const allocations = new Map(
    rows.map((row) => [row.id, { intent: intentOf(row, providerId), clusterId: row.clusterId }]),
  )
  const holding = rows.filter((row) => intentOf(row, providerId) === 'hold').map((row) => row.id)
  return { allocations, believed: await newestNodes(db, holding) }
}

function intentOf({ status, undoing, ...at }: Stored, providerId: string): KnownAllocation['intent'] {
  if (at.providerId !== providerId) return 'none'
  if (status === 'releasing' || status === 'preempting' || undoing !== null) return 'leave'
  return status === 'provisioning' || status === 'active' ? 'hold' : 'none'
}

/** Those on their way out are among them: the looks see to them. */
async function newestNodes(db: Queries, allocationIds: readonly string[]): Promise<BelievedNode[]> {
  if (allocationIds.length === 0) return []
  const rows = await db
    .selectFrom('nodes')
    .select(['allocationId', 'name', 'providerInstanceId', 'status'])
    .distinctOn(['allocationId', 'ordinal'])
    .where('allocationId', 'in', allocationIds)
    .orderBy('allocationId')
    .orderBy('ordinal')
    .orderBy('generation', 'desc')
    .execute()
  return rows
    .filter((row) => row.status !== 'deleted')
    .map(({ status, ...node }) => ({ ...node, ready: status === 'ready' }))
}

/** Provider instance ids that sweeps began to ask for within the last hour. */
export async function askedWithinHour(db: Queries, providerId: string, now: EpochMs): Promise<ReadonlySet<string>> {
  const rows = await db
    .selectFrom('sweepDeletions')
    .select('providerInstanceId')
    .where('providerId', '=', providerId)
    .where('at', '>', now - HOUR_MS)
    .execute()
  return new Set(rows.map((row) => row.providerInstanceId))
}

/** Claims and the next turn belong to the workers. */
const WORKER_COLUMNS = ['claim_token', 'claimed_until']

export async function saveSweeps(trx: Transaction, changes: Changes): Promise<void> {
  await upsertRows(trx, 'sweeps', [...changes.sweeps.values()], { key: ['provider_id'], keep: WORKER_COLUMNS })
  for (const held of changes.holds.values()) await trx.updateTable('installation').set({ deletesHeld: held }).execute()
  const findings = [...changes.findings.values()]
  const rows = findings.filter(({ isFound }) => isFound).map(({ row }) => row)
  await upsertRows(trx, 'sweep_findings', rows, { key: ['provider_id', 'kind', 'provider_instance_id'] })
  for (const { row, isFound } of findings) if (!isFound) await forget(trx, row)
  await upsertRows(trx, 'sweep_deletions', [...changes.sweepDeletions.values()], {
    key: ['provider_id', 'provider_instance_id'],
  })
}

async function forget(trx: Transaction, { providerId, kind, providerInstanceId }: FindingRow): Promise<void> {
  await trx
    .deleteFrom('sweepFindings')
    .where('providerId', '=', providerId)
    .where('kind', '=', kind)
    .where('providerInstanceId', '=', providerInstanceId)
    .execute()
}

/** Whether deletions wait for a person since a restore. */
export async function deletesHeld(db: Queries): Promise<boolean> {
  const row = await db.selectFrom('installation').select('deletesHeld').executeTakeFirst()
  return row?.deletesHeld === true
}

/** What stands in a cluster and belongs to no allocation there, as drains: one per kind. */
export function drainsOfFindings(rows: readonly FindingRow[]): Drain[] {
  const counted = rows.filter((row) => row.clusterId !== null && takesRoom(row))
  const groups = Map.groupBy(counted, (row) => foundDrainId(row.clusterId ?? '', drainKind(row)))
  return [...groups].map(([id, group]) => ({
    id,
    clusterId: group[0]?.clusterId ?? '',
    kind: drainKind(group[0]),
    nodes: group.length,
    from: Math.min(...group.map((row) => row.since)),
    to: END_OF_TIME,
  }))
}

const takesRoom = ({ kind, what, approved }: FindingRow): boolean =>
  kind === 'unknown' || (kind === 'leftover' && what === 'node' && !approved)

const drainKind = (row: FindingRow | undefined): 'unknown' | 'foreign' =>
  row?.kind === 'unknown' ? 'unknown' : 'foreign'

const foundDrainId = (clusterId: string, kind: 'unknown' | 'foreign'): string => `found-${kind}-${clusterId}`

/** As operations, for a calendar that is built from rows. */
export async function findingsInForce(db: Queries): Promise<readonly Extract<CalendarOp, { op: 'drain' }>[]> {
  const rows = await db.selectFrom('sweepFindings').selectAll().where('clusterId', 'is not', null).execute()
  return drainsOfFindings(rows).map((drain) => ({ op: 'drain', drain }))
}
