import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import type { CalendarOp, Reservation } from '../../broker/core/calendar-op.ts'
import { clustersIn, drainsOn, factsOf, reservationsOn } from '../../broker/core/calendar-reads.ts'
import { nodesFor, phaseAt, type Cluster } from '../../broker/core/cluster.ts'
import { overbooked } from '../../broker/core/overbooked.ts'
import { canBeHad, place, placeAgain } from '../../broker/core/placement/place.ts'
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
  flexible,
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

describe('the start', () => {
  const one = aCluster({ nodes: 4 })
  const bestOf = (calendar: Calendar, request: PlacementRequest, now = NOW) =>
    place(calendar, request, now, DEFAULT_POLICY)
  const taken = (start: EpochMs, end: EpochMs, nodes = 4): CalendarOp => reserve(aReservation({ start, end, nodes }))

  it('is this very instant where the nodes are free now', () => {
    const { best, startsAsAsked } = bestOf(aCalendar([one]), aRequest({ period: flexible(24) }))
    expect(best).to.deep.include({ start: NOW, end: NOW + DAY_MS, heldUntil: NOW + DAY_MS + HOUR_MS })
    expect(startsAsAsked).to.equal(true)
  })

  it('is now, with the end kept, where a fixed period was asked for up to an hour ago', () => {
    const period = fixed(NOW - 40 * MINUTE_MS, 24)
    const { best, startsAsAsked } = bestOf(aCalendar([one]), aRequest({ period }))
    expect(best).to.include({ start: NOW, end: NOW - 40 * MINUTE_MS + DAY_MS })
    expect(startsAsAsked).to.equal(true)
  })

  it('is the asked instant to the second, though it lies inside an hour', () => {
    const at = NEXT_HOUR + 13 * MINUTE_MS + 7_000
    const calendar = aCalendar([one], [taken(NOW, at - HOUR_MS)])
    expect(bestOf(calendar, aRequest({ demand: { nodes: 4 }, period: fixed(at, 5) })).best?.start).to.equal(at)
    expect(bestOf(calendar, aRequest({ demand: { nodes: 4 }, period: fixed(at - 1, 5) })).best?.start).to.equal(
      NEXT_HOUR + HOUR_MS,
    )
  })

  it('waits for the turnover of whoever leaves, and leaves room for its own before whoever comes', () => {
    const calendar = aCalendar(
      [one],
      [taken(NOW - DAY_MS, NEXT_HOUR), taken(NEXT_HOUR + 10 * HOUR_MS, NEXT_HOUR + 20 * HOUR_MS)],
    )
    const startOf = (hours: number) => bestOf(calendar, aRequest({ period: flexible(hours) })).best?.start
    expect(startOf(8)).to.equal(NEXT_HOUR + HOUR_MS)
    expect(startOf(9)).to.equal(NEXT_HOUR + 21 * HOUR_MS)
  })

  it('slides to a full hour with the same length where a fixed period has no room', () => {
    const calendar = aCalendar([one], [taken(NOW - DAY_MS, NOW + 2 * DAY_MS)])
    const { best, startsAsAsked, candidates } = bestOf(calendar, aRequest({ period: fixed(NOW - 30 * MINUTE_MS, 24) }))
    const start = hourCeil(NOW + 2 * DAY_MS + HOUR_MS)
    expect(best).to.include({ start, end: start + DAY_MS })
    expect(startsAsAsked).to.equal(false)
    expect(candidates[0]?.reasons).to.deep.equal([
      { rule: 'free-nodes', wanted: 1, found: 0, detail: '1 node of alpha is not free before 2027-01-06T12:00:00Z.' },
    ])
  })

  it('waits for the phase that brings enough nodes', () => {
    const { best } = bestOf(aCalendar([growing]), aRequest({ demand: { nodes: 6 } }))
    expect(best?.start).to.equal(hourFloor(NOW) + 4 * DAY_MS)
  })

  it('lies inside the approval, and is none where its end would not', () => {
    const from = NEXT_HOUR + 5 * HOUR_MS
    const asking = (hours: number) =>
      bestOf(
        aCalendar([one]),
        aRequest({ period: flexible(hours), approval: anApproval({ validFrom: from, validTo: from + DAY_MS }) }),
      )
    expect(asking(24).best).to.include({ start: from, end: from + DAY_MS })
    expect(asking(24).candidates[0]?.reasons.map(({ rule }) => rule)).to.deep.equal(['approval-window'])
    expect(asking(25).best).to.equal(null)
    expect(asking(25).candidates[0]?.reasons.map(({ rule }) => rule)).to.deep.equal(['approval-window'])
  })

  it('waits until the approval has few enough nodes in use, wherever they are', () => {
    const calendar = aCalendar([one, { ...one, id: 'beta' }], [taken(NOW, NEXT_HOUR + DAY_MS, 3)])
    const { candidates } = bestOf(calendar, aRequest({ demand: { nodes: 2 }, approval: anApproval({ maxNodes: 4 }) }))
    const beta = candidates.find(({ clusterId }) => clusterId === 'beta')
    expect(beta?.earliestStart).to.equal(NEXT_HOUR + DAY_MS)
    expect(beta?.reasons.map(({ rule }) => rule)).to.deep.equal(['approval-window'])
  })

  it('leaves room for the turnover before the horizon, three years ahead', () => {
    const hours = 3 * 365 * 24
    expect(
      bestOf(aCalendar([one]), aRequest({ period: flexible(hours - 1, hourFloor(NOW)) }), hourFloor(NOW)).best,
    ).to.not.equal(null)
    const { best, candidates } = bestOf(aCalendar([one]), aRequest({ period: flexible(hours) }), hourFloor(NOW))
    expect(best).to.equal(null)
    expect(candidates[0]?.reasons.map(({ rule }) => rule)).to.deep.equal(['horizon'])
  })

  it('is not before an open circuit could recover, and such a cluster ranks behind all others', () => {
    const circuit: CalendarOp = { op: 'circuit', providerId: 'nhn', createOpenUntil: NOW + 30_000 }
    const { best, candidates } = bestOf(aCalendar([one], [circuit]), aRequest())
    expect(best?.start).to.equal(NEXT_HOUR)
    expect(candidates[0]?.reasons.map(({ rule }) => rule)).to.deep.equal(['circuit-open'])

    const other = { ...one, id: 'other', providerId: 'kakao', cooling: 'undisclosed' as const }
    const busy = aReservation({ clusterId: 'other', start: NOW, end: NOW + 40 * DAY_MS, nodes: 4 })
    expect(bestOf(aCalendar([one, other], [circuit, reserve(busy)]), aRequest()).best?.clusterId).to.equal('other')
  })

  it('of one that waits is counted from what was asked, and keeps the whole length', () => {
    const period = fixed(NOW - 40 * MINUTE_MS, 24)
    const again = placeAgain(aCalendar([one]), aRequest({ period }), NOW, DEFAULT_POLICY)
    expect(again.best).to.include({ start: NOW, end: NOW + DAY_MS })
    expect(again.startsAsAsked).to.equal(false)
  })
})

describe('the choice', () => {
  const liquid = aCluster({ id: 'liquid', nodes: 8 })
  const plain = aCluster({ id: 'plain', nodes: 8, providerId: 'kakao', cooling: 'undisclosed' })
  const chosen = (clusters: readonly Cluster[], request: PlacementRequest, ops: readonly CalendarOp[] = []) =>
    place(aCalendar(clusters, ops), request, NOW, DEFAULT_POLICY).best?.clusterId

  it('puts liquid cooling before others, and what is preferred before that', () => {
    expect(chosen([liquid, plain], aRequest())).to.equal('liquid')
    expect(chosen([liquid, plain], aRequest({ prefers: { provider: 'kakao' } }))).to.equal('plain')
    expect(chosen([liquid, plain], aRequest({ prefers: { cooling: 'undisclosed' } }))).to.equal('plain')
  })

  it('keeps the large cluster free for those who need it', () => {
    const large = aCluster({ id: 'large', nodes: 80 })
    expect(chosen([large, liquid], aRequest())).to.equal('liquid')
    expect(chosen([large, liquid], aRequest({ demand: { nodes: 9 } }))).to.equal('large')
  })

  it('takes the smallest gap that holds it', () => {
    const twin = { ...liquid, id: 'twin' }
    const filled = reserve(aReservation({ clusterId: 'twin', start: NOW, end: NOW + 40 * DAY_MS, nodes: 6 }))
    expect(chosen([liquid, twin], aRequest({ demand: { nodes: 2 } }), [filled])).to.equal('twin')
  })

  it('takes the less used operator where all else is equal, and then the first by id', () => {
    const [a, b, c] = ['a', 'b', 'c'].map((id) => aCluster({ id, providerId: id === 'c' ? 'other' : 'same', nodes: 8 }))
    const fleet = [c, b, a].filter((cluster) => cluster !== undefined)
    expect(chosen(fleet, aRequest())).to.equal('a')
    const load = ['a', 'b'].map((clusterId) =>
      reserve(aReservation({ clusterId, start: NOW - 1, end: NOW + 1, heldUntil: NOW + 2, nodes: 8 })),
    )
    expect(chosen(fleet, aRequest({ period: flexible(24, NEXT_HOUR) }), load)).to.equal('a')
    const used = reserve(aReservation({ clusterId: 'b', start: NOW, end: NOW + 40 * DAY_MS, nodes: 8 }))
    expect(chosen(fleet, aRequest(), [used])).to.equal('c')
  })

  it('prefers a day less of delay to every other virtue', () => {
    const busy = reserve(aReservation({ clusterId: 'liquid', start: NOW, end: NOW + 3 * DAY_MS, nodes: 8 }))
    const later = reserve(aReservation({ clusterId: 'plain', start: NOW, end: NOW + DAY_MS, nodes: 8 }))
    expect(chosen([liquid, plain], aRequest({ prefers: { cooling: 'liquid' } }), [busy, later])).to.equal('plain')
  })

  it('forgets hours of delay within one day, but never calls a later start as asked', () => {
    const busy = reserve(aReservation({ clusterId: 'liquid', start: NOW, end: NOW + 3 * HOUR_MS, nodes: 8 }))
    const soon = reserve(aReservation({ clusterId: 'plain', start: NOW, end: NOW + HOUR_MS, nodes: 8 }))
    expect(chosen([liquid, plain], aRequest(), [busy, soon])).to.equal('liquid')
    expect(chosen([liquid, plain], aRequest(), [busy])).to.equal('plain')
  })
})

describe('one who will not wait', () => {
  const full = (until: EpochMs) =>
    aCalendar([aCluster({ nodes: 1 })], [reserve(aReservation({ start: NOW, end: until }))])
  const had = (period: PlacementRequest['period'], until = NOW + DAY_MS): boolean => {
    const request = aRequest({ period })
    return canBeHad(place(full(until), request, NOW, DEFAULT_POLICY), request)
  }

  it('is served by the asked start only, where no latest start was given', () => {
    expect(had(flexible(24))).to.equal(false)
    expect(had(fixed(NEXT_HOUR, 24))).to.equal(false)
    expect(had(fixed(NEXT_HOUR + 3 * DAY_MS, 24))).to.equal(true)
    expect(had(flexible(24, NEXT_HOUR + 3 * DAY_MS))).to.equal(true)
  })

  it('is served by any start up to the latest that was given', () => {
    expect(had(flexible(24, NOW, NOW + 2 * DAY_MS))).to.equal(true)
    expect(had(flexible(24, NOW, NOW + DAY_MS))).to.equal(false)
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
