/**
 * The calendar: per cluster its capacity, reservations and drains, and who waits. It is a cache, changed only by
 * `applyOp`: the fold of the operations' log, the same on every replica and in every replay. Other files read it through
 * `calendar-reads.ts`; nothing here depends on the order in which a map happens to be walked.
 */
import { END_OF_TIME, type EpochMs } from '../../shared/time.ts'
import type { CalendarOp, Drain, Reservation, WaitingEntry } from './calendar-op.ts'
import type { Cluster, Phase } from './cluster.ts'
import { chargeGrants, chargeOf, isGrant } from './idle/charge.ts'
import { addCharge, coverFrom, removeCharge, timelineOf, type Charge, type Timeline } from './timeline.ts'

export interface Held<T> {
  readonly what: T
  readonly charge: Charge
}

export interface ClusterState {
  readonly cluster: Cluster
  /** False once the catalogue no longer names it: it keeps what is reserved there and takes no more. */
  readonly listed: boolean
  readonly reservations: Map<string, Held<Reservation>>
  readonly drains: Map<string, Held<Drain>>
  /** Allocation ids of the idle-use grants among the reservations (idle/charge.ts). */
  readonly grants: Set<string>
  /** Allocation ids of the reservations that run: never more than there are nodes. */
  readonly running: Set<string>
  readonly timeline: Timeline
}

/** What an approval has on the calendar: which allocations are reserved and which wait, and the sum of the reserved nodes. */
export interface ApprovalIndex {
  readonly reserved: Set<string>
  readonly waiting: Set<string>
  reservedNodes: number
  /** Sums that commitments.ts keeps; null until somebody asks for them, and after what makes all of them untrue. */
  tally: Tally | null
}

/** Derived from the reservations and waiting entries of one approval; what has `changed` is counted anew when asked for. */
export interface Tally {
  readonly gpuMsOf: Map<string, number>
  gpuMs: number
  readonly changed: Set<string>
  /** Minus the nodes at once over time; null for an approval with so few that adding them up is quicker. */
  atOnce: { readonly timeline: Timeline; readonly charges: Map<string, Charge> } | null
}

export interface Calendar {
  readonly clusters: Map<string, ClusterState>
  /** Allocation id → where its reservation lies. */
  readonly reservedAt: Map<string, string>
  /** Drain id → cluster id. */
  readonly drainedAt: Map<string, string>
  readonly approvals: Map<string, ApprovalIndex>
  /** Organisation → the allocations of which it has a reservation. */
  readonly heldBy: Map<string, Set<string>>
  readonly waiting: Map<string, WaitingEntry>
  readonly suspendedClusters: Set<string>
  readonly suspendedProviders: Set<string>
  /** Provider id → until when its create circuit is open. */
  readonly openUntil: Map<string, EpochMs>
  /** Organisation → where it stands; who is not named stands at 0. */
  standings: ReadonlyMap<string, number>
  /** The clusters of the catalogue by id, and the size of the largest: what placement walks. */
  listed: readonly ClusterState[]
  largestNodes: number
  /** Where the grids begin, and as of when idle-use counts as taken. */
  gridFrom: EpochMs
  /** `waiting` in serving order, once asked for; null after a change. */
  servingOrder: readonly WaitingEntry[] | null
}

/** @param gridFrom any instant near the first `now` that is asked about; changes speed, never an answer */
export function emptyCalendar(clusters: readonly Cluster[], gridFrom: EpochMs): Calendar {
  const calendar: Calendar = {
    clusters: new Map(),
    reservedAt: new Map(),
    drainedAt: new Map(),
    approvals: new Map(),
    heldBy: new Map(),
    waiting: new Map(),
    suspendedClusters: new Set(),
    suspendedProviders: new Set(),
    openUntil: new Map(),
    standings: new Map(),
    listed: [],
    largestNodes: 0,
    gridFrom,
    servingOrder: null,
  }
  replaceCatalogue(calendar, clusters)
  return calendar
}

/** Makes the calendar quick around `now`. Every question that takes a `now` does this first; it changes no answer. */
export function coverNow(calendar: Calendar, now: EpochMs): void {
  for (const state of calendar.clusters.values()) {
    coverFrom(state.timeline, now)
    if (now !== calendar.gridFrom) chargeGrants(state, (grant) => chargeOf(state.cluster, grant, now))
  }
  calendar.gridFrom = now
}

/**
 * Applies one operation. Total: releasing what is not there changes nothing.
 *
 * @throws RangeError when the operation names a cluster that the calendar has never heard of; then nothing has changed
 */
export function applyOp(calendar: Calendar, op: CalendarOp): void {
  switch (op.op) {
    case 'reserve':
      return reserve(calendar, op.reservation)
    case 'release':
      return release(calendar, op.allocationId)
    case 'wait':
      unwait(calendar, op.entry.allocationId)
      calendar.waiting.set(op.entry.allocationId, op.entry)
      return joinApproval(calendar, op.entry, 'waiting', 0)
    case 'unwait':
      return unwait(calendar, op.allocationId)
    case 'drain':
      return drain(calendar, op.drain)
    case 'lift-drain':
      return liftDrain(calendar, op.drainId)
    case 'suspend-cluster':
      calendar.suspendedClusters.add(stateOf(calendar, op.clusterId).cluster.id)
      return
    case 'resume-cluster':
      calendar.suspendedClusters.delete(stateOf(calendar, op.clusterId).cluster.id)
      return
    case 'suspend-provider':
      calendar.suspendedProviders.add(op.providerId)
      return
    case 'resume-provider':
      calendar.suspendedProviders.delete(op.providerId)
      return
    case 'circuit':
      if (op.createOpenUntil === null) calendar.openUntil.delete(op.providerId)
      else calendar.openUntil.set(op.providerId, op.createOpenUntil)
      return
    case 'standings':
      calendar.standings = new Map(op.standings.map(({ organizationId, rank }) => [organizationId, rank]))
      calendar.servingOrder = null
      return
    case 'catalogue':
      return replaceCatalogue(calendar, op.clusters)
  }
}

/** @throws RangeError when the calendar has never heard of the cluster */
export function stateOf(calendar: Calendar, clusterId: string): ClusterState {
  const state = calendar.clusters.get(clusterId)
  if (state === undefined) throw new RangeError(`the calendar has no cluster ${clusterId}`)
  return state
}

function reserve(calendar: Calendar, reservation: Reservation): void {
  const { allocationId, clusterId, nodes } = reservation
  const state = stateOf(calendar, clusterId)
  release(calendar, allocationId)
  const charge = chargeOf(state.cluster, reservation, calendar.gridFrom)
  state.reservations.set(allocationId, { what: reservation, charge })
  if (isGrant(reservation)) state.grants.add(allocationId)
  if (reservation.phase === 'running') state.running.add(allocationId)
  addCharge(state.timeline, charge)
  calendar.reservedAt.set(allocationId, clusterId)
  joinApproval(calendar, reservation, 'reserved', nodes)
  const held = calendar.heldBy.get(reservation.organizationId)
  if (held === undefined) calendar.heldBy.set(reservation.organizationId, new Set([allocationId]))
  else held.add(allocationId)
}

function release(calendar: Calendar, allocationId: string): void {
  const clusterId = calendar.reservedAt.get(allocationId)
  if (clusterId === undefined) return
  const { reservations, grants, running, timeline } = stateOf(calendar, clusterId)
  const held = reservations.get(allocationId)
  if (held === undefined) return
  reservations.delete(allocationId)
  grants.delete(allocationId)
  running.delete(allocationId)
  removeCharge(timeline, held.charge)
  calendar.reservedAt.delete(allocationId)
  leaveApproval(calendar, held.what, 'reserved', held.what.nodes)
  const ofOrganization = calendar.heldBy.get(held.what.organizationId)
  ofOrganization?.delete(allocationId)
  if (ofOrganization?.size === 0) calendar.heldBy.delete(held.what.organizationId)
}

function unwait(calendar: Calendar, allocationId: string): void {
  calendar.servingOrder = null
  const entry = calendar.waiting.get(allocationId)
  if (entry === undefined) return
  calendar.waiting.delete(allocationId)
  leaveApproval(calendar, entry, 'waiting', 0)
}

type OfApproval = Pick<Reservation, 'approvalId' | 'allocationId'>

function joinApproval(calendar: Calendar, of: OfApproval, as: 'reserved' | 'waiting', nodes: number): void {
  let index = calendar.approvals.get(of.approvalId)
  if (index === undefined) {
    index = { reserved: new Set(), waiting: new Set(), reservedNodes: 0, tally: null }
    calendar.approvals.set(of.approvalId, index)
  }
  index[as].add(of.allocationId)
  index.reservedNodes += nodes
  index.tally?.changed.add(of.allocationId)
}

function leaveApproval(calendar: Calendar, of: OfApproval, as: 'reserved' | 'waiting', nodes: number): void {
  const index = calendar.approvals.get(of.approvalId)
  if (index === undefined) return
  index[as].delete(of.allocationId)
  index.reservedNodes -= nodes
  index.tally?.changed.add(of.allocationId)
  if (index.reserved.size + index.waiting.size === 0) calendar.approvals.delete(of.approvalId)
}

function drain(calendar: Calendar, wanted: Drain): void {
  const { drains, timeline } = stateOf(calendar, wanted.clusterId)
  liftDrain(calendar, wanted.id)
  const charge = { start: wanted.from, end: wanted.to, nodes: wanted.nodes }
  drains.set(wanted.id, { what: wanted, charge })
  addCharge(timeline, charge)
  calendar.drainedAt.set(wanted.id, wanted.clusterId)
}

function liftDrain(calendar: Calendar, drainId: string): void {
  const clusterId = calendar.drainedAt.get(drainId)
  if (clusterId === undefined) return
  const { drains, timeline } = stateOf(calendar, clusterId)
  const held = drains.get(drainId)
  if (held === undefined) return
  drains.delete(drainId)
  removeCharge(timeline, held.charge)
  calendar.drainedAt.delete(drainId)
}

function replaceCatalogue(calendar: Calendar, clusters: readonly Cluster[]): void {
  const named = new Map(clusters.map((cluster) => [cluster.id, cluster]))
  for (const { cluster } of [...calendar.clusters.values()])
    if (!named.has(cluster.id)) setFacts(calendar, { ...cluster, nodes: 0, phases: [], mapped: false }, false)
  for (const cluster of named.values()) setFacts(calendar, cluster, true)
  calendar.listed = listedOf(calendar.clusters)
  for (const index of calendar.approvals.values()) index.tally = null
  calendar.largestNodes = calendar.listed.reduce((most, { cluster }) => Math.max(most, cluster.nodes), 0)
}

function setFacts(calendar: Calendar, cluster: Cluster, listed: boolean): void {
  const before = calendar.clusters.get(cluster.id)
  const reservations = before?.reservations ?? new Map<string, Held<Reservation>>()
  const drains = before?.drains ?? new Map<string, Held<Drain>>()
  const grants = before?.grants ?? new Set<string>()
  const running = before?.running ?? new Set<string>()
  const fullNodes = cluster.phases.reduce((most, phase) => Math.max(most, phase.nodes), 0)
  const charges = [
    ...phaseCharges(cluster.phases, fullNodes),
    ...[...reservations.values()].map(({ charge }) => charge),
    ...[...drains.values()].map(({ charge }) => charge),
  ]
  const timeline = timelineOf(fullNodes, charges, calendar.gridFrom)
  const state = { cluster, listed, reservations, drains, grants, running, timeline }
  // Its notice may be another now.
  chargeGrants(state, (grant) => chargeOf(cluster, grant, calendar.gridFrom))
  calendar.clusters.set(cluster.id, state)
}

const BEGINNING_OF_TIME: EpochMs = 0

/** What each phase has not brought yet (or no longer has), as charges on the full size. */
function phaseCharges(phases: readonly Phase[], fullNodes: number): Charge[] {
  const steps = [{ from: BEGINNING_OF_TIME, nodes: 0 }, ...phases]
  return steps
    .map(({ from, nodes }, at) => ({ start: from, end: steps[at + 1]?.from ?? END_OF_TIME, nodes: fullNodes - nodes }))
    .filter((charge) => charge.nodes > 0 && charge.start < charge.end)
}

/** Those of the catalogue, by id. */
export const listedOf = (clusters: ReadonlyMap<string, ClusterState>): ClusterState[] =>
  [...clusters.values()].filter((state) => state.listed).toSorted((a, b) => (a.cluster.id < b.cluster.id ? -1 : 1)) // ids are unique
