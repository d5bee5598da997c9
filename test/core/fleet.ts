/** Small fleets, requests and reservations for the tests of the core, and a slow oracle that counts instant by instant. */
import fc from 'fast-check'
import { applyOp, emptyCalendar, type Calendar } from '../../broker/core/calendar.ts'
import type { CalendarOp, Drain, Reservation, WaitingEntry } from '../../broker/core/calendar-op.ts'
import { clustersIn, drainsOn, reservationsOn } from '../../broker/core/calendar-reads.ts'
import { phaseAt, type Cluster } from '../../broker/core/cluster.ts'
import type { PlacementRequest, RequestedPeriod } from '../../broker/core/placement/request.ts'
import type { Priority } from '../../shared/approval.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type EpochMs, type Interval } from '../../shared/time.ts'

export const NOW: EpochMs = Date.parse('2027-01-04T10:17:23Z')
/** The first full hour after `NOW`. */
export const NEXT_HOUR: EpochMs = Date.parse('2027-01-04T11:00:00Z')

export function aCluster(facts: Partial<Cluster> = {}): Cluster {
  const nodes = facts.nodes ?? facts.phases?.at(-1)?.nodes ?? 10
  return {
    id: 'alpha',
    providerId: 'nhn',
    gpuModel: 'B200',
    architecture: 'blackwell',
    cooling: 'liquid',
    interconnect: 'joined',
    share: 'government',
    gpusPerNode: 8,
    fp8H200PerGpu: 2.25,
    nodes,
    phases: [{ from: Date.parse('2026-01-01T00:00:00Z'), nodes, stage: 'general', basis: 'announced' }],
    turnoverMs: HOUR_MS,
    images: ['ubuntu'],
    mapped: true,
    ...facts,
  }
}

export const flexible = (hours: number, from: EpochMs = NOW, latestStart: EpochMs | null = null): RequestedPeriod => ({
  kind: 'flexible',
  durationMs: hours * HOUR_MS,
  earliestStart: from,
  latestStart,
})

export const fixed = (start: EpochMs, hours: number): RequestedPeriod => ({
  kind: 'fixed',
  start,
  end: start + hours * HOUR_MS,
})

export const aRequest = (facts: Partial<PlacementRequest> = {}): PlacementRequest => ({
  demand: { nodes: 1 },
  requires: { shares: ['government'] },
  prefers: {},
  period: flexible(24),
  image: null,
  priority: 'standard',
  approval: null,
  ...facts,
})

/** An approval that allows everything that a test does not set. */
export const anApproval = (facts: Partial<NonNullable<PlacementRequest['approval']>> = {}) => ({
  approvalId: 'apr',
  validFrom: NOW - 30 * DAY_MS,
  validTo: NOW + 1_000 * DAY_MS,
  architectures: ['blackwell', 'hopper'],
  maxNodes: 10_000,
  gpuMsLeft: Number.MAX_SAFE_INTEGER,
  ...facts,
})

let order = 0

export function aReservation(facts: Partial<Reservation> & Interval): Reservation {
  order += 1
  return {
    allocationId: `alc-${order}`,
    approvalId: 'apr',
    organizationId: 'org',
    clusterId: 'alpha',
    nodes: 1,
    heldUntil: facts.end + HOUR_MS,
    phase: 'scheduled',
    priority: 'standard',
    order,
    ...facts,
  }
}

export function anEntry(facts: Partial<WaitingEntry> = {}): WaitingEntry {
  order += 1
  return {
    allocationId: `alc-${order}`,
    approvalId: 'apr',
    organizationId: 'org',
    priority: 'standard',
    since: NOW,
    order,
    request: aRequest(),
    promisedStart: null,
    ...facts,
  }
}

export function aCalendar(clusters: readonly Cluster[], ops: readonly CalendarOp[] = [], gridFrom = NOW): Calendar {
  const calendar = emptyCalendar(clusters, gridFrom)
  for (const op of ops) applyOp(calendar, op)
  return calendar
}

export const reserve = (reservation: Reservation): CalendarOp => ({ op: 'reserve', reservation })

// The oracle: nothing but the exact intervals, no grid.

/** Capacity less drains and reservations at one instant; below zero where too much is reserved. */
export function freeExactly(calendar: Calendar, cluster: Cluster, at: EpochMs): number {
  let free = phaseAt(cluster.phases, at)?.nodes ?? 0
  for (const { from, to, nodes } of drainsOn(calendar, cluster.id)) if (from <= at && at < to) free -= nodes
  for (const { start, heldUntil, nodes } of reservationsOn(calendar, cluster.id))
    if (start <= at && at < heldUntil) free -= nodes
  return free
}

/** Every instant of the interval at which the free nodes may change, its start among them. */
export function changesIn(calendar: Calendar, cluster: Cluster, { start, end }: Interval): EpochMs[] {
  const all = [
    start,
    ...cluster.phases.map((phase) => phase.from),
    ...drainsOn(calendar, cluster.id).flatMap(({ from, to }) => [from, to]),
    ...reservationsOn(calendar, cluster.id).flatMap((reservation) => [reservation.start, reservation.heldUntil]),
  ]
  return [...new Set(all)].filter((at) => at >= start && at < end).toSorted((a, b) => a - b)
}

export const leastFreeExactly = (calendar: Calendar, cluster: Cluster, interval: Interval): number =>
  Math.min(...changesIn(calendar, cluster, interval).map((at) => freeExactly(calendar, cluster, at)))

/** The instants of all overbooked steps from `from` on, over every cluster. */
export function overbookedInstants(calendar: Calendar, from: EpochMs): string[] {
  return clustersIn(calendar).flatMap((cluster) =>
    changesIn(calendar, cluster, { start: from, end: Number.POSITIVE_INFINITY })
      .filter((at) => freeExactly(calendar, cluster, at) < 0)
      .map((at) => `${cluster.id} ${at}`),
  )
}

// Generators. Times lie within some weeks of NOW, on full hours and off them, so that they meet often.

export const anyInstant = (days: number): fc.Arbitrary<EpochMs> =>
  fc.oneof(
    fc.integer({ min: 0, max: days * 24 }).map((hours) => NEXT_HOUR + hours * HOUR_MS),
    fc.integer({ min: 0, max: days * 24 * 60 }).map((minutes) => NEXT_HOUR + minutes * MINUTE_MS),
  )

export const anyPeriod: fc.Arbitrary<RequestedPeriod> = fc.oneof(
  fc.tuple(anyInstant(10), fc.integer({ min: 1, max: 200 })).map(([start, hours]) => fixed(start, hours)),
  fc.tuple(anyInstant(10), fc.integer({ min: 1, max: 400 })).map(([start, halves]) => flexible(halves / 2, start)),
  fc.integer({ min: 1, max: 200 }).map((hours) => flexible(hours, NOW)),
  fc
    .tuple(anyInstant(5), fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 300 }))
    .map(([start, hours, slack]) => flexible(hours, start, start + slack * HOUR_MS)),
)

export const anyDrain = (clusterIds: readonly string[]): fc.Arbitrary<Drain> =>
  fc
    .record({
      id: fc.constantFrom('drn-1', 'drn-2', 'drn-3'),
      clusterId: fc.constantFrom(...clusterIds),
      nodes: fc.integer({ min: 1, max: 8 }),
      from: anyInstant(8),
      minutes: fc.integer({ min: 1, max: 6_000 }),
    })
    .map(({ minutes, ...drain }) => ({ ...drain, to: drain.from + minutes * MINUTE_MS }))

/** What somebody who waits asks for, on a fleet of some ten nodes. */
export const anyEntry = (
  priorities: readonly Priority[] = ['national', 'standard'],
): fc.Arbitrary<Pick<WaitingEntry, 'priority' | 'request'>> =>
  fc
    .record({
      nodes: fc.integer({ min: 1, max: 6 }),
      period: anyPeriod,
      priority: fc.constantFrom(...priorities),
      maxNodes: fc.option(fc.integer({ min: 6, max: 9 })),
    })
    .map(({ nodes, period, priority, maxNodes }) => ({
      priority,
      request: aRequest({
        demand: { nodes },
        period,
        priority,
        approval: maxNodes === null ? null : anApproval({ maxNodes }),
      }),
    }))
