/** The present state of the calendar, as rows: what a replica's calendar is rebuilt from, and what SQL checks. */
import { type Selectable, sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { Reservation, ReservationPhase } from '../core/calendar-op.ts'
import type { Cluster } from '../core/cluster.ts'
import type { Queries, Transaction } from './database.ts'
import { PREPARED } from './prepared.ts'
import type { TableRows } from './rows.ts'
import type { ReservationTable } from './schema.ts'

/** All that still hold, in the order in which their allocations were made. */
export async function liveReservations(db: Queries): Promise<readonly Reservation[]> {
  const rows = await db
    .selectFrom('reservations')
    .innerJoin('allocations', 'allocations.id', 'reservations.allocationId')
    .selectAll('reservations')
    .select('allocations.sequence as order')
    .where('reservations.phase', '!=', 'ended')
    .orderBy('allocations.sequence')
    .execute()
  return rows.map((row) => ({ ...fromRow(row), order: row.order }))
}

function fromRow(row: Selectable<ReservationTable>): Omit<Reservation, 'order'> {
  const { startAt, endAt, phase, reclaimedAt, ...same } = row
  return {
    ...same,
    start: startAt,
    end: endAt,
    phase: phase as ReservationPhase, // ended ones are not asked for
    ...(reclaimedAt === null ? {} : { reclaimedAt }),
  }
}

export interface HeldInterval {
  readonly nodes: number
  readonly start: EpochMs
  readonly heldUntil: EpochMs
}

export interface ShownInterval extends HeldInterval {
  /** Runs under idle-use and has not been told: it gives way to whoever reserves. */
  readonly givesWay: boolean
}

/** What a cluster's calendar shows in `[from, to)`, ended ones with the time that they really held. */
export async function reservationsBetween(
  db: Queries,
  { clusterId, from, to }: { readonly clusterId: string; readonly from: EpochMs; readonly to: EpochMs },
): Promise<readonly ShownInterval[]> {
  return db
    .selectFrom('reservations')
    .select(['nodes', 'startAt as start', 'heldUntil'])
    .select(sql<boolean>`priority = 'idle' and phase <> 'ended' and reclaimed_at is null`.as('givesWay'))
    .where('clusterId', '=', clusterId)
    .where('startAt', '<', to)
    .where('heldUntil', '>', from)
    .execute()
}

/** What a group of operations leaves: `put` takes the place of what its allocation had; `end` closes those that held, `drop` forgets plans. */
export interface ReservationChanges {
  readonly put: readonly Reservation[]
  readonly end: readonly { readonly allocationId: string; readonly at: EpochMs }[]
  readonly drop: readonly string[]
}

export const reservationRows = (put: ReservationChanges['put']): TableRows => ({
  table: 'reservations',
  rows: put.map(toRow),
  key: ['allocation_id'],
})

export async function endReservations(trx: Transaction, { end, drop }: Omit<ReservationChanges, 'put'>): Promise<void> {
  for (const { allocationId, at } of end) {
    await trx
      .updateTable('reservations')
      .set({ phase: 'ended', heldUntil: at, endAt: sql`least(end_at, ${at}::bigint)` })
      .where('allocationId', '=', allocationId)
      .execute()
  }
  if (drop.length > 0) {
    await trx.deleteFrom('reservations').where('allocationId', 'in', drop).execute()
  }
}

const toRow = (reservation: Reservation): Selectable<ReservationTable> => ({
  allocationId: reservation.allocationId,
  approvalId: reservation.approvalId,
  organizationId: reservation.organizationId,
  clusterId: reservation.clusterId,
  nodes: reservation.nodes,
  startAt: reservation.start,
  endAt: reservation.end,
  heldUntil: reservation.heldUntil,
  phase: reservation.phase,
  priority: reservation.priority,
  reclaimedAt: reservation.reclaimedAt ?? null,
})

/** A commit would have exceeded a cluster's capacity: a bug in the core, stopped here. */
export class OverCapacity extends Error {
  override readonly name = 'OverCapacity'
}

/**
 * Invariant 1, checked a second time, in SQL, by code that shares nothing with the calendar: at every instant at which
 * one of these reservations holds nodes, the cluster's reservations are within its capacity less drains.
 *
 * @param grantsUntil idle-use that has not been told counts until then: by that instant its nodes can be had back
 * @throws OverCapacity
 */
export async function assertWithinCapacity(
  trx: Transaction,
  cluster: Cluster,
  drains: readonly { readonly nodes: number; readonly from: EpochMs; readonly to: EpochMs }[],
  placed: readonly HeldInterval[],
  grantsUntil: EpochMs,
): Promise<void> {
  const windows = boundariesOf(placed)
  const [from = 0] = windows
  const to = windows.at(-1) ?? 0
  const steps = capacitySteps(cluster, drains)
  const { rows } = await sql<{ at: number; used: number; capacity: number }>`${sql.raw(PREPARED)}
    with capacity as (select * from jsonb_to_recordset(${JSON.stringify(steps)}::jsonb) as c (at bigint, delta bigint)),
    windows as (select ${windows}::bigint[] as boundaries),
    held as (
      select nodes, start_at,
        case when priority = 'idle' and phase <> 'planned' and reclaimed_at is null
          then greatest(start_at, least(held_until, ${grantsUntil}::bigint)) else held_until end as held_until
      from reservations, windows
      where cluster_id = ${cluster.id} and phase <> 'ended' and held_until > ${from} and start_at < ${to}
        and (width_bucket(start_at, boundaries) % 2 = 1
          or width_bucket(held_until - 1, boundaries) > width_bucket(start_at, boundaries))
    ),
    edges as (
      select start_at as at, nodes as used, 0 as capacity from held
      union all
      select held_until, -nodes, 0 from held
      union all
      select at, 0, delta from capacity
      union all
      select at, 0, 0 from windows, unnest(boundaries) as at
    ),
    profile as (
      select at, sum(sum(used)) over (order by at) as used, sum(sum(capacity)) over (order by at) as capacity
      from edges group by at
    )
    select at, used::int, capacity::int from profile, windows
    where used > capacity and width_bucket(at, boundaries) % 2 = 1
    limit 1`.execute(trx)
  const broken = rows[0]
  if (broken === undefined) return
  throw new OverCapacity(`${cluster.id} would hold ${broken.used} of ${broken.capacity} nodes at ${broken.at}`)
}

/**
 * Where the windows in which any of them holds nodes begin and end, in turn and ascending. So an odd number of these lies at
 * or before an instant within, an even one without: which is found in steps, however many they are.
 */
function boundariesOf(placed: readonly HeldInterval[]): readonly EpochMs[] {
  const boundaries: EpochMs[] = []
  for (const { start, heldUntil } of placed.toSorted((a, b) => a.start - b.start)) {
    const last = boundaries.at(-1)
    if (heldUntil <= start) continue
    if (last === undefined || start > last) boundaries.push(start, heldUntil)
    else boundaries[boundaries.length - 1] = Math.max(last, heldUntil)
  }
  return boundaries
}

/** Capacity less drains as changes: phases are absolute, so each adds the difference to the one before. */
function capacitySteps(
  cluster: Cluster,
  drains: readonly { readonly nodes: number; readonly from: EpochMs; readonly to: EpochMs }[],
): readonly { readonly at: EpochMs; readonly delta: number }[] {
  const phases = cluster.phases.map((phase, index) => ({
    at: phase.from,
    delta: phase.nodes - (cluster.phases[index - 1]?.nodes ?? 0),
  }))
  const drained = drains.flatMap((drain) => [
    { at: drain.from, delta: -drain.nodes },
    { at: drain.to, delta: drain.nodes },
  ])
  return [...phases, ...drained]
}
