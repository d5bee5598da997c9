/**
 * Nodes whose release the provider has not confirmed in time. Their allocation gives up its place, with its end; the nodes
 * are held on the calendar without one, so that nobody else is ever placed on them, until the provider's own list no
 * longer has them. Whoever was to start on them moves in the same transaction.
 */
import { END_OF_TIME, type EpochMs } from '../../shared/time.ts'
import type { Reservation } from '../core/calendar-op.ts'
import { drainOf, reservationOf } from '../core/calendar-reads.ts'
import type { AllocationRow, NodeRow } from '../store/changes.ts'
import { type Patience, quarantineOp } from '../store/quarantines.ts'
import { transition } from './announce.ts'
import type { Draft } from './draft.ts'
import { settleAfterRun } from './end-allocation.ts'
import type { Member } from './decide-group.ts'
import { isLeaving } from './leaving.ts'
import { relocateOverbooked } from './relocate.ts'

/** The `statusReason` of an allocation that has nodes in quarantine. */
const UNCONFIRMED = 'release-unconfirmed'

/** @returns how many were quarantined: not those whose nodes went, or whose hold was moved, in the meantime */
export function quarantineOverdue(ids: readonly string[], patience: Patience): Member<number> {
  return {
    needs: { allocations: ids, nodes: true, waiting: true, scheduled: true },
    decide(draft) {
      let quarantined = 0
      for (const id of ids) {
        const row = draft.allocation(id)
        const reservation = reservationOf(draft.calendar, id)
        if (row === null || reservation === null || !isOverdue(reservation, patience, draft.now)) continue
        quarantine(draft, isLeaving(row, draft.now) ? row : leave(draft, row), reservation)
        quarantined += 1
      }
      return quarantined
    },
  }
}

/** Whoever has not left the place that is free from now on by the plan: nobody else may be decided on before it is held. */
export const holdWhoStays = (ids: readonly string[]): Member<number> => quarantineOverdue(ids, TO_THE_LAST)

const TO_THE_LAST: Patience = { releaseConfirmMs: END_OF_TIME, marginMs: 0 }

const isOverdue = (reservation: Reservation, patience: Patience, now: EpochMs): boolean =>
  reservation.phase === 'running' && overdueFrom(reservation, patience) <= now

function overdueFrom(reservation: Reservation, { releaseConfirmMs, marginMs }: Patience): EpochMs {
  const { heldUntil, reclaimedAt: end = reservation.end } = reservation
  return Math.min(end + releaseConfirmMs, Math.max(end, heldUntil - marginMs))
}

/** Its end has passed and no look has said so: the broker was away, or its provider keeps every look waiting. */
const leave = (draft: Draft, row: AllocationRow): AllocationRow =>
  transition(draft, row, 'endReached', { releaseReason: row.releaseReason ?? 'finished', nextLookAt: draft.now })

function quarantine(draft: Draft, row: AllocationRow, { clusterId, nodes: placed }: Reservation): void {
  const unconfirmed = draft.nodesOf(row.id).filter(isUnconfirmed)
  for (const node of unconfirmed) {
    const quarantined: NodeRow = { ...node, status: 'quarantined', since: draft.now }
    draft.saveNode(quarantined)
    tellOfNode(draft, row, quarantined)
  }
  if (row.status === 'releasing' || row.status === 'preempting') settleAfterRun(draft, row)
  else draft.apply({ op: 'release', allocationId: row.id })
  // Never more than its place was, and never nothing: what was asked for last may still appear.
  const nodes = Math.max(1, Math.min(placed, unconfirmed.length))
  draft.apply(quarantineOp({ allocationId: row.id, clusterId, nodes, since: draft.now }))
  draft.save({ ...row, statusReason: UNCONFIRMED, readyNodes: 0, failedNodes: 0 })
  relocateOverbooked(draft, clusterId, { cause: 'fault', causeId: row.id })
}

const isUnconfirmed = (node: NodeRow): boolean => node.status !== 'deleted'

/** Of a node's way through quarantine: that it is in, or that it is gone. */
export function tellOfNode(draft: Draft, row: AllocationRow, node: NodeRow): void {
  const { ordinal, generation, name, providerInstanceId } = node
  draft.event({
    type: node.status === 'deleted' ? 'node.gone' : 'node.quarantined',
    subject: `allocations/${row.id}/nodes/${ordinal}`,
    allocation: row,
    data: { ordinal, generation, name, providerInstanceId, clusterId: row.clusterId },
  })
}

/** Some of its nodes were seen gone: as many are free again. All of it is lifted by `liftQuarantine`. */
export function shrinkQuarantine(draft: Draft, row: AllocationRow): void {
  const held = drainOf(draft.calendar, row.id)
  const left = draft.nodesOf(row.id).filter(isUnconfirmed).length
  if (held === null || left === 0 || left >= held.nodes) return
  draft.apply(quarantineOp({ allocationId: row.id, clusterId: held.clusterId, nodes: left, since: held.from }))
}

/** Nothing of it is listed any more. */
export function liftQuarantine(draft: Draft, row: AllocationRow): void {
  if (drainOf(draft.calendar, row.id) !== null) draft.apply({ op: 'lift-drain', drainId: row.id })
}
