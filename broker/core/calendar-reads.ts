/** What others may ask of the calendar. Nothing here changes an answer that another read gives. */
import type { EpochMs } from '../../shared/time.ts'
import { stateOf, type Calendar, type ClusterState } from './calendar.ts'
import type { Drain, Reservation, WaitingEntry } from './calendar-op.ts'
import { phaseAt, type Cluster } from './cluster.ts'
import { servingOrder } from './waitlist.ts'

/** The catalogue, by cluster id. */
export const clustersIn = (calendar: Calendar): Cluster[] => calendar.listed.map((state) => state.cluster)

/** Null for a cluster that the catalogue does not name. */
export function clusterOf(calendar: Calendar, clusterId: string): Cluster | null {
  const state = calendar.clusters.get(clusterId)
  return state?.listed === true ? state.cluster : null
}

export function reservationOf(calendar: Calendar, allocationId: string): Reservation | null {
  const clusterId = calendar.reservedAt.get(allocationId)
  if (clusterId === undefined) return null
  return calendar.clusters.get(clusterId)?.reservations.get(allocationId)?.what ?? null
}

export function drainOf(calendar: Calendar, drainId: string): Drain | null {
  const clusterId = calendar.drainedAt.get(drainId)
  if (clusterId === undefined) return null
  return calendar.clusters.get(clusterId)?.drains.get(drainId)?.what ?? null
}

export const waitingEntryOf = (calendar: Calendar, allocationId: string): WaitingEntry | null =>
  calendar.waiting.get(allocationId) ?? null

/** Where the entry's organisation stands: 0 is served first within a priority. */
export const standingOf = (calendar: Calendar, { organizationId }: Pick<WaitingEntry, 'organizationId'>): number =>
  calendar.standings.get(organizationId) ?? 0

/** All who wait, in serving order. */
export function waiting(calendar: Calendar): readonly WaitingEntry[] {
  calendar.servingOrder ??= servingOrder(calendar.waiting.values(), (entry) => standingOf(calendar, entry))
  return calendar.servingOrder
}

/** By start, then by creation. */
export function reservationsOn(calendar: Calendar, clusterId: string): Reservation[] {
  const reservations = [...stateOf(calendar, clusterId).reservations.values()].map((held) => held.what)
  return reservations.toSorted((a, b) => a.start - b.start || a.order - b.order)
}

/** Allocations whose place was planned to be free by now, and which have not left it; those first that were to leave first. */
export function overstaying(calendar: Calendar, now: EpochMs): string[] {
  const late = [...calendar.clusters.values()].flatMap(({ running, reservations }) =>
    [...running].flatMap((id) => reservations.get(id)?.what ?? []).filter(({ heldUntil }) => heldUntil <= now),
  )
  return late.toSorted((a, b) => a.heldUntil - b.heldUntil || a.order - b.order).map((one) => one.allocationId)
}

/** By start, then by id. */
export function drainsOn(calendar: Calendar, clusterId: string): Drain[] {
  const drains = [...stateOf(calendar, clusterId).drains.values()].map((held) => held.what)
  return drains.toSorted((a, b) => a.from - b.from || (a.id < b.id ? -1 : 1)) // ids are unique
}

export const isSuspended = (calendar: Calendar, cluster: Cluster): boolean =>
  calendar.suspendedClusters.has(cluster.id) || calendar.suspendedProviders.has(cluster.providerId)

/** Until when no node can be made at the provider; null when its create circuit is closed, or has had its pause. */
export function openUntil(calendar: Calendar, providerId: string, now: EpochMs): EpochMs | null {
  const until = calendar.openUntil.get(providerId)
  return until !== undefined && until > now ? until : null
}

/** One cluster at one instant, exactly, in nodes. */
export interface ClusterInstant {
  /** By phase; drains and quarantine are not taken off. */
  readonly capacity: number
  readonly drained: number
  readonly quarantined: number
  /** Turnovers included, running ones included, and what idle-use takes now. */
  readonly reserved: number
  readonly running: number
  /** Neither reserved nor drained nor quarantined. */
  readonly idle: number
  /** Reserved beyond what capacity, drains and quarantine leave; what idle-use takes is given back and never one. */
  readonly shortfall: number
}

/** @throws RangeError for a cluster that the calendar has never heard of */
export function clusterAt(calendar: Calendar, clusterId: string, at: EpochMs): ClusterInstant {
  const { cluster, drains, reservations } = stateOf(calendar, clusterId)
  const capacity = phaseAt(cluster.phases, at)?.nodes ?? 0
  let drained = 0
  let quarantined = 0
  for (const { what } of drains.values()) {
    if (at < what.from || at >= what.to) continue
    if (what.kind === 'quarantine') quarantined += what.nodes
    else drained += what.nodes
  }
  const { reserved, running, underIdleUse } = takenAt(reservations, at)
  const left = Math.max(0, capacity - drained - quarantined)
  return {
    capacity,
    drained,
    quarantined,
    reserved,
    running,
    idle: Math.max(0, left - reserved),
    shortfall: Math.max(0, reserved - underIdleUse - left),
  }
}

type Taken = Pick<ClusterInstant, 'reserved' | 'running'> & { readonly underIdleUse: number }

function takenAt(reservations: ClusterState['reservations'], at: EpochMs): Taken {
  let reserved = 0
  let running = 0
  let underIdleUse = 0
  for (const { what } of reservations.values()) {
    if (at < what.start || at >= what.heldUntil) continue
    reserved += what.nodes
    if (what.phase === 'running') running += what.nodes
    if (what.priority === 'idle') underIdleUse += what.nodes
  }
  return { reserved, running, underIdleUse }
}

/**
 * The calendar's facts as plain data in a fixed order: equal exactly when two calendars will answer alike. For tests, and
 * for comparing a replica's cache with the store.
 */
export function factsOf(calendar: Calendar): unknown {
  const states = [...calendar.clusters.values()].filter(
    (state) => state.listed || state.reservations.size > 0 || state.drains.size > 0,
  )
  return {
    clusters: states.map((state) => state.cluster).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    reservations: states
      .flatMap(({ cluster }) => reservationsOn(calendar, cluster.id))
      .toSorted((a, b) => a.order - b.order),
    drains: states.flatMap(({ cluster }) => drainsOn(calendar, cluster.id)).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    waiting: waiting(calendar),
    suspendedClusters: [...calendar.suspendedClusters].toSorted(),
    suspendedProviders: [...calendar.suspendedProviders].toSorted(),
    standings: [...calendar.standings].toSorted(([a], [b]) => (a < b ? -1 : 1)),
    openUntil: [...calendar.openUntil].toSorted(([a], [b]) => (a < b ? -1 : 1)),
  }
}
