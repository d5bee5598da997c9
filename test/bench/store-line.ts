/** A calendar with a long waitlist, written down as a broker would have it in its store. */
import type { Calendar } from '../../broker/core/calendar.ts'
import type { Reservation } from '../../broker/core/calendar-op.ts'
import { reservationOf, reservationsOn, waiting } from '../../broker/core/calendar-reads.ts'
import { durationOf, type PlacementRequest } from '../../broker/core/placement/request.ts'
import type { AllocationRow, ApprovalRow } from '../../broker/store/changes.ts'
import type { Database } from '../../broker/store/database.ts'
import { insertRows } from '../../broker/store/rows.ts'
import { DAY_MS, HOUR_MS, type EpochMs } from '../../shared/time.ts'
import { approvalRow, waitingRow } from './full-store.ts'

const BATCH = 1_000

interface Written {
  readonly allocations: AllocationRow[]
  readonly reservations: object[]
}

export async function storeLine(database: Database, calendar: Calendar, now: EpochMs): Promise<void> {
  const written: Written = { allocations: [], reservations: [] }
  const approvals = new Map<string, ApprovalRow>()
  for (const { cluster } of calendar.listed)
    for (const reservation of reservationsOn(calendar, cluster.id)) {
      if (reservation.phase !== 'planned') writePlaced(written, reservation, cluster.providerId, now)
      approvals.set(reservation.approvalId, approvalOf(reservation.approvalId, now))
    }
  for (const { allocationId, approvalId, order, since, request, promisedStart } of waiting(calendar)) {
    const place = reservationOf(calendar, allocationId)
    written.allocations.push({
      ...rowOf({ allocationId, approvalId, order, request, now }),
      waitingSince: since,
      promisedStartAt: promisedStart,
      estimatedStartAt: place?.start ?? null,
      estimatedClusterId: place?.clusterId ?? null,
      waitingReason: 'others are served first',
      desiredNodes: nodesOf(request),
    })
    if (place !== null) written.reservations.push(reservationRow(place))
  }
  await database.transaction(async (trx) => {
    await insertRows(trx, 'approvals', [...approvals.values()])
    for (const [table, rows] of Object.entries(written))
      for (let at = 0; at < rows.length; at += BATCH) await insertRows(trx, table, rows.slice(at, at + BATCH))
    await trx
      .updateTable('calendarHead')
      .set({ allocationSequence: written.allocations.length + 1 })
      .execute()
  })
}

function writePlaced(written: Written, reservation: Reservation, providerId: string, now: EpochMs): void {
  const { allocationId, approvalId, order, clusterId, nodes, start, end } = reservation
  const request = { demand: { nodes }, period: { kind: 'fixed', start, end } } as PlacementRequest
  written.allocations.push({
    ...rowOf({ allocationId, approvalId, order, request, now }),
    ...{ providerId, clusterId, nodes, startAt: start, endAt: end, waitingSince: null },
    status: start <= now ? 'active' : 'scheduled',
    nextLookAt: start <= now ? null : start,
    activeAt: start <= now ? start : null,
  })
  written.reservations.push(reservationRow(start <= now ? { ...reservation, phase: 'running' } : reservation))
}

const nodesOf = ({ demand }: PlacementRequest): number => ('nodes' in demand ? demand.nodes : 0)

interface Of {
  readonly allocationId: string
  readonly approvalId: string
  readonly order: number
  readonly request: PlacementRequest
  readonly now: EpochMs
}

const rowOf = ({ allocationId, approvalId, order, request, now }: Of): AllocationRow => ({
  ...waitingRow(order, now),
  id: allocationId,
  sequence: order,
  approvalId,
  organizationId: 'org',
  demand: { nodes: nodesOf(request) },
  requires: (request.requires ?? {}) as AllocationRow['requires'], // read only
  period: { durationHours: durationOf(request.period) / HOUR_MS },
  askedStartAt: request.period.kind === 'fixed' ? request.period.start : request.period.earliestStart,
  durationMs: durationOf(request.period),
})

function reservationRow(reservation: Reservation): object {
  const { order: _, start, end, ...rest } = reservation
  return { ...rest, startAt: start, endAt: end, reclaimedAt: null }
}

const approvalOf = (id: string, now: EpochMs): ApprovalRow => ({
  ...approvalRow(now),
  id,
  sequence: Number(id.replace('apr-', '')) + 1,
  organizationId: 'org',
  createdAt: now - DAY_MS,
})
