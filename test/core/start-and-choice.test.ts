import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Calendar } from '../../broker/core/calendar.ts'
import type { CalendarOp } from '../../broker/core/calendar-op.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import { canBeHad, place, placeAgain } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../broker/core/placement/request.ts'
import { DAY_MS, HOUR_MS, hourCeil, hourFloor, MINUTE_MS, type EpochMs } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anApproval,
  aRequest,
  aReservation,
  fixed,
  flexible,
  NEXT_HOUR,
  NOW,
  reserve,
} from './fleet.ts'

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
    const growing = aCluster({
      phases: [
        { from: NOW - DAY_MS, nodes: 5, stage: 'beta', basis: 'announced' },
        { from: hourFloor(NOW) + 4 * DAY_MS, nodes: 12, stage: 'general', basis: 'announced' },
      ],
    })
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

  it('is served by the asked start only, where the period is fixed', () => {
    expect(had(fixed(NEXT_HOUR, 24))).to.equal(false)
    expect(had(fixed(NEXT_HOUR + 3 * DAY_MS, 24))).to.equal(true)
  })

  it('is served by any start that a flexible period allows', () => {
    expect(had(flexible(24))).to.equal(true)
    expect(had(flexible(24, NEXT_HOUR + 3 * DAY_MS))).to.equal(true)
    expect(had(flexible(24, NOW, NOW + 2 * DAY_MS))).to.equal(true)
    expect(had(flexible(24, NOW, NOW + DAY_MS))).to.equal(false)
  })
})
