/** Trying things on the calendar and taking them back, so that a refused request leaves no trace. */
import { applyOp, type Calendar } from './calendar.ts'
import type { CalendarOp } from './calendar-op.ts'

/**
 * Applies the operations, asks, and takes them back, whatever happens in between. `ask` only reads.
 *
 * @throws RangeError for an unknown cluster; then too nothing has changed
 */
export function withOps<T>(calendar: Calendar, ops: readonly CalendarOp[], ask: () => T): T {
  const inverses: CalendarOp[] = []
  try {
    for (const op of ops) {
      const inverse = inverseOf(calendar, op)
      applyOp(calendar, op)
      inverses.push(inverse)
    }
    return ask()
  } finally {
    for (const inverse of inverses.toReversed()) applyOp(calendar, inverse)
  }
}

/** The operation that leads back from `op` to the calendar as it is now. */
export function inverseOf(calendar: Calendar, op: CalendarOp): CalendarOp {
  switch (op.op) {
    case 'reserve':
      return reservedAgain(calendar, op.reservation.allocationId)
    case 'release':
      return reservedAgain(calendar, op.allocationId)
    case 'wait':
      return waitingAgain(calendar, op.entry.allocationId)
    case 'unwait':
      return waitingAgain(calendar, op.allocationId)
    case 'drain':
      return drainedAgain(calendar, op.drain.id)
    case 'lift-drain':
      return drainedAgain(calendar, op.drainId)
    case 'suspend-cluster':
    case 'resume-cluster': {
      const suspended = calendar.suspendedClusters.has(op.clusterId)
      return { op: suspended ? 'suspend-cluster' : 'resume-cluster', clusterId: op.clusterId }
    }
    case 'suspend-provider':
    case 'resume-provider': {
      const suspended = calendar.suspendedProviders.has(op.providerId)
      return { op: suspended ? 'suspend-provider' : 'resume-provider', providerId: op.providerId }
    }
    case 'circuit':
      return { ...op, createOpenUntil: calendar.openUntil.get(op.providerId) ?? null }
    case 'standings': {
      const standings = [...calendar.standings].map(([organizationId, rank]) => ({ organizationId, rank }))
      return { op: 'standings', standings }
    }
    case 'catalogue':
      break
  }
  return { op: 'catalogue', clusters: calendar.listed.map((state) => state.cluster) }
}

function reservedAgain(calendar: Calendar, allocationId: string): CalendarOp {
  const clusterId = calendar.reservedAt.get(allocationId)
  const held = clusterId === undefined ? undefined : calendar.clusters.get(clusterId)?.reservations.get(allocationId)
  return held === undefined ? { op: 'release', allocationId } : { op: 'reserve', reservation: held.what }
}

function waitingAgain(calendar: Calendar, allocationId: string): CalendarOp {
  const entry = calendar.waiting.get(allocationId)
  return entry === undefined ? { op: 'unwait', allocationId } : { op: 'wait', entry }
}

function drainedAgain(calendar: Calendar, drainId: string): CalendarOp {
  const clusterId = calendar.drainedAt.get(drainId)
  const held = clusterId === undefined ? undefined : calendar.clusters.get(clusterId)?.drains.get(drainId)
  return held === undefined ? { op: 'lift-drain', drainId } : { op: 'drain', drain: held.what }
}
