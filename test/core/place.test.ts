import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import type { CalendarOp, Reservation } from '../../broker/core/calendar-op.ts'
import { clustersIn, drainsOn, factsOf, reservationsOn } from '../../broker/core/calendar-reads.ts'
import { nodesFor, phaseAt, type Cluster } from '../../broker/core/cluster.ts'
import { overbooked } from '../../broker/core/overbooked.ts'
import { place } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../broker/core/placement/request.ts'
import { horizonOf } from '../../broker/core/timeline.ts'
import { DAY_MS, HOUR_MS, hourCeil, hourFloor, MINUTE_MS, type EpochMs } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anApproval,
  anyDrain,
  anyInstant,
  anyPeriod,
  aRequest,
  aReservation,
  changesIn,
  fixed,
  freeExactly,
  leastFreeExactly,
  NEXT_HOUR,
  NOW,
  reserve,
} from './fleet.ts'

const growing = aCluster({
  id: 'growing',
  nodes: 12,
  phases: [
    { from: NEXT_HOUR - 90 * DAY_MS, nodes: 5, stage: 'beta', basis: 'announced' },
    { from: hourFloor(NOW) + 4 * DAY_MS, nodes: 12, stage: 'general', basis: 'announced' },
  ],
})
const small = aCluster({ id: 'small', nodes: 4, providerId: 'kakao', cooling: 'undisclosed' })
const quick = aCluster({
  id: 'quick',
  nodes: 8,
  providerId: 'naver',
  architecture: 'hopper',
  fp8H200PerGpu: 1,
  turnoverMs: 5_000,
})
const FLEET = [growing, small, quick]
const IDS = FLEET.map(({ id }) => id)

const anyRequest: fc.Arbitrary<PlacementRequest> = fc
  .record({
    demand: fc.oneof(
      fc.integer({ min: 1, max: 12 }).map((nodes) => ({ nodes })),
      fc.integer({ min: 1, max: 150 }).map((fp8H200Equivalent) => ({ fp8H200Equivalent })),
    ),
    period: anyPeriod,
    approval: fc.option(
      fc.record({
        maxNodes: fc.integer({ min: 4, max: 14 }),
        days: fc.integer({ min: 3, max: 40 }),
        after: fc.integer({ min: 0, max: 3 }),
      }),
    ),
    openStage: fc.boolean(),
  })
  .map(({ approval, openStage, ...facts }) =>
    aRequest({
      ...facts,
      requires: { shares: ['government'], ...(openStage ? {} : { stages: ['general'] }) },
      approval:
        approval === null
          ? null
          : anApproval({
              maxNodes: approval.maxNodes,
              validFrom: NOW + approval.after * DAY_MS,
              validTo: NOW + approval.days * DAY_MS,
            }),
    }),
  )

type Step =
  | { readonly ask: PlacementRequest; readonly running: boolean }
  | { readonly end: number }
  | { readonly op: CalendarOp }

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ ask: anyRequest, running: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ end: fc.nat() }) },
  { weight: 1, arbitrary: anyDrain(IDS).map((drain) => ({ op: { op: 'drain' as const, drain } })) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom('drn-1', 'drn-2', 'drn-3')
      .map((drainId) => ({ op: { op: 'lift-drain' as const, drainId } })),
  },
)

/** A history as the broker would make it: what does not fit any more after a drain gives up its place. */
function live(steps: readonly Step[], look: (calendar: Calendar) => void = () => undefined): Calendar {
  const calendar = aCalendar(FLEET)
  const ids: string[] = []
  for (const step of steps) {
    if ('ask' in step) {
      const { best } = place(calendar, step.ask, NOW, DEFAULT_POLICY)
      if (best !== null) {
        const phase = step.running && best.start === NOW ? 'running' : 'scheduled'
        const reservation = aReservation({ ...best, phase })
        ids.push(reservation.allocationId)
        applyOp(calendar, reserve(reservation))
      }
    } else if ('end' in step) {
      applyOp(calendar, { op: 'release', allocationId: ids[step.end % Math.max(1, ids.length)] ?? 'none' })
    } else {
      applyOp(calendar, step.op)
      for (const id of IDS)
        for (const { allocationId } of overbooked(calendar, id, NOW)) applyOp(calendar, { op: 'release', allocationId })
    }
    look(calendar)
  }
  return calendar
}

const isRunning = ({ start, heldUntil, phase }: Reservation, at: EpochMs): boolean =>
  phase === 'running' && start <= at && at < heldUntil

/** Instants at which more is reserved than the larger of what there is and what runs. */
function breaches(calendar: Calendar): string[] {
  return FLEET.flatMap((cluster) =>
    changesIn(calendar, cluster, { start: NOW, end: Number.POSITIVE_INFINITY })
      .filter((at) => {
        const reservations = reservationsOn(calendar, cluster.id).filter(
          ({ start, heldUntil }) => start <= at && at < heldUntil,
        )
        const reserved = reservations.reduce((sum, { nodes }) => sum + nodes, 0)
        const running = reservations.filter((one) => isRunning(one, at)).reduce((sum, { nodes }) => sum + nodes, 0)
        const capacity = freeExactly(calendar, cluster, at) + reserved
        return reserved > Math.max(capacity, running, 0)
      })
      .map((at) => `${cluster.id} ${new Date(at).toISOString()}`),
  )
}

/** As if everything that touches an hour held for all of it. */
function freeInHourByHand(calendar: Calendar, cluster: Cluster, hour: EpochMs): number {
  const touches = (start: EpochMs, end: EpochMs): boolean => start < hour + HOUR_MS && hour < end
  let free = phaseAt(cluster.phases, hour)?.nodes ?? 0
  for (const { from, to, nodes } of drainsOn(calendar, cluster.id)) if (touches(from, to)) free -= nodes
  for (const { start, heldUntil, nodes } of reservationsOn(calendar, cluster.id))
    if (touches(start, heldUntil)) free -= nodes
  return free
}

function approvalAllows(
  calendar: Calendar,
  request: PlacementRequest,
  nodes: number,
  start: EpochMs,
  end: EpochMs,
): boolean {
  const { approval } = request
  if (approval === null) return true
  if (start < approval.validFrom || end > approval.validTo || nodes > approval.maxNodes) return false
  const own = FLEET.flatMap(({ id }) => reservationsOn(calendar, id)).filter(
    ({ approvalId }) => approvalId === approval.approvalId,
  )
  return [start, ...own.map((one) => one.start)]
    .filter((at) => at >= start && at < end)
    .every(
      (at) =>
        own.reduce((sum, one) => sum + (one.start <= at && at < one.end ? one.nodes : 0), nodes) <= approval.maxNodes,
    )
}

/** The earliest start at one cluster, by trying the asked instant and then hour after hour. */
function earliestByHand(calendar: Calendar, cluster: Cluster, request: PlacementRequest): EpochMs | null {
  const { period, requires } = request
  const nodes = nodesFor(cluster, request.demand)
  const durationMs = period.kind === 'fixed' ? period.end - period.start : period.durationMs
  const from = Math.max(NOW, period.kind === 'fixed' ? period.start : period.earliestStart)
  const latest = (period.kind === 'flexible' ? period.latestStart : null) ?? horizonOf(NOW)
  const allowed = (start: EpochMs): boolean =>
    start <= latest &&
    (requires.stages?.includes(phaseAt(cluster.phases, start)?.stage ?? 'undisclosed') ?? true) &&
    approvalAllows(calendar, request, nodes, start, start + durationMs)
  const asked = { start: from, end: from + durationMs + cluster.turnoverMs }
  if (allowed(from) && leastFreeExactly(calendar, cluster, asked) >= nodes) return from
  for (let start = hourCeil(from + 1); start < from + 60 * DAY_MS; start += HOUR_MS) {
    const hours = Math.ceil((durationMs + cluster.turnoverMs) / HOUR_MS)
    const free = (_: unknown, hour: number): boolean =>
      freeInHourByHand(calendar, cluster, start + hour * HOUR_MS) >= nodes
    if (allowed(start) && Array.from({ length: hours }).every(free)) return start
  }
  return null
}

describe('placing', () => {
  it('never reserves more than there is, at any instant of any history with drains and growing clusters', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 20 }), (steps) => {
        live(steps, (calendar) => expect(breaches(calendar)).to.deep.equal([]))
      }),
    )
  })

  it('finds the earliest start of every cluster, as trying every hour does', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), anyRequest, (steps, request) => {
        const calendar = live(steps)
        const { candidates } = place(calendar, request, NOW, DEFAULT_POLICY)
        const found = candidates.map(({ clusterId, earliestStart }) => [clusterId, earliestStart])
        const byHand = clustersIn(calendar).map((cluster) => {
          const suits = nodesFor(cluster, request.demand) <= cluster.nodes
          return [cluster.id, suits ? earliestByHand(calendar, cluster, request) : null]
        })
        expect(found).to.deep.equal(byHand)
      }),
      { numRuns: 60 },
    )
  })

  it('makes the same decision of the same calendar, request, time and policy, and changes nothing', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), anyRequest, (steps, request) => {
        const calendar = live(steps)
        const before = factsOf(calendar)
        const first = place(calendar, request, NOW, DEFAULT_POLICY)
        expect(JSON.stringify(place(calendar, request, NOW, DEFAULT_POLICY))).to.equal(JSON.stringify(first))
        expect(factsOf(calendar)).to.deep.equal(before)
      }),
    )
  })

  it('gives reasons exactly where a cluster does not start as asked', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), anyRequest, (steps, request) => {
        const asked = request.period.kind === 'fixed' ? request.period.start : request.period.earliestStart
        for (const candidate of place(live(steps), request, NOW, DEFAULT_POLICY).candidates) {
          expect(candidate.reasons.length === 0, JSON.stringify(candidate)).to.equal(
            candidate.earliestStart === Math.max(asked, NOW),
          )
          expect(candidate.feasible).to.equal(candidate.earliestStart !== null)
          expect(candidate.score === null).to.equal(!candidate.feasible)
          for (const part of Object.values(candidate.scoreParts ?? {})) expect(part).to.be.within(0, 1)
        }
      }),
    )
  })

  it('chooses among feasible candidates only, and none starts as asked while it chooses a later one', () => {
    fc.assert(
      fc.property(fc.array(anyStep, { maxLength: 12 }), anyRequest, (steps, request) => {
        const { best, startsAsAsked, candidates } = place(live(steps), request, NOW, DEFAULT_POLICY)
        const feasible = candidates.filter((candidate) => candidate.feasible)
        expect(best === null).to.equal(feasible.length === 0)
        if (best !== null) expect(feasible.map(({ clusterId }) => clusterId)).to.include(best.clusterId)
        expect(startsAsAsked).to.equal(candidates.some(({ reasons }) => reasons.length === 0))
      }),
    )
  })
})

describe('an instant off the hour', () => {
  it('is found free exactly, however reservations begin and end inside hours', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(anyInstant(1), fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 4 })), {
          maxLength: 8,
        }),
        anyInstant(1),
        (held, at) => {
          const cluster = aCluster({ nodes: 20, turnoverMs: 5_000 })
          const ops = held.map(([start, minutes, nodes]) =>
            reserve(
              aReservation({
                start,
                end: start + minutes * MINUTE_MS,
                heldUntil: start + minutes * MINUTE_MS + 5_000,
                nodes,
              }),
            ),
          )
          const calendar = aCalendar([cluster], ops)
          const free = leastFreeExactly(calendar, cluster, { start: at, end: at + HOUR_MS + 5_000 })
          const startsAt = (nodes: number) =>
            place(calendar, aRequest({ demand: { nodes }, period: fixed(at, 1) }), NOW, DEFAULT_POLICY).startsAsAsked
          expect(free < 1 || startsAt(free)).to.equal(true)
          expect(free >= 20 || startsAt(free + 1)).to.equal(free >= 20)
        },
      ),
    )
  })
})
