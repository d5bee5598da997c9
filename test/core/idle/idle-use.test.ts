import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { HOUR_MS, hourCeil, MINUTE_MS, SECOND_MS, type EpochMs } from '../../../shared/time.ts'
import { applyOp, coverNow, type Calendar } from '../../../broker/core/calendar.ts'
import { cloneCalendar } from '../../../broker/core/calendar-copy.ts'
import type { CalendarOp, Reservation } from '../../../broker/core/calendar-op.ts'
import { clusterAt, factsOf, reservationsOn } from '../../../broker/core/calendar-reads.ts'
import { reclaimMs, type Cluster } from '../../../broker/core/cluster.ts'
import { extension } from '../../../broker/core/extension.ts'
import { isGrant, takenUntil } from '../../../broker/core/idle/charge.ts'
import { nextNoticeAt, noticesDue } from '../../../broker/core/idle/notices.ts'
import { serveIdle } from '../../../broker/core/idle/serve.ts'
import { canBeHad, place } from '../../../broker/core/placement/place.ts'
import { DEFAULT_POLICY, EARLIEST_FIT_1 } from '../../../broker/core/placement/policy.ts'
import { durationOf, askedStartOf, type PlacementRequest } from '../../../broker/core/placement/request.ts'
import {
  aCalendar,
  aCluster,
  anEntry,
  aRequest,
  aReservation,
  changesIn,
  fixed,
  flexible,
  NEXT_HOUR,
  NOW,
  reserve,
} from '../fleet.ts'
import { anyHappenings, live, type Witness, type World } from './idle-world.ts'

const TURNOVER_MS = 20 * MINUTE_MS
const alpha = aCluster({ id: 'alpha', nodes: 10, turnoverMs: TURNOVER_MS })
const beta = aCluster({ id: 'beta', nodes: 6, turnoverMs: TURNOVER_MS, idleNoticeMs: 5 * MINUTE_MS })
const FLEET = [alpha, beta]
const RECLAIM_MS = reclaimMs(alpha)

const aGrant = (facts: Partial<Reservation> = {}): Reservation =>
  aReservation({ start: NOW, end: NOW + 90 * HOUR_MS, nodes: 4, phase: 'running', priority: 'idle', ...facts })
const aDrain = (nodes: number, from: EpochMs): CalendarOp => ({
  op: 'drain',
  drain: { id: 'drn', clusterId: 'alpha', nodes, from, to: from + 100 * HOUR_MS },
})
const ask = (calendar: Calendar, facts: Partial<PlacementRequest>, now = NOW) =>
  place(calendar, aRequest(facts), now, EARLIEST_FIT_1)

/** The same calendar as if nobody were under idle-use. */
function withoutGrants(calendar: Calendar): Calendar {
  const clone = cloneCalendar(calendar)
  for (const { id } of FLEET)
    for (const one of reservationsOn(clone, id))
      if (isGrant(one)) applyOp(clone, { op: 'release', allocationId: one.allocationId })
  return clone
}

/** Instants at which more is taken than there is, counted from the exact intervals. */
function overfull({ calendar, now }: World, cluster: Cluster): EpochMs[] {
  const all = reservationsOn(calendar, cluster.id)
  return changesIn(calendar, cluster, { start: now, end: Number.POSITIVE_INFINITY }).filter((at) => {
    const there = all.filter((one) => one.start <= at && at < takenUntil(cluster, one, now))
    return there.reduce((sum, { nodes }) => sum + nodes, 0) > cluster.nodes
  })
}

const lived = (witness: Partial<Witness>, numRuns = 150, policy = EARLIEST_FIT_1): void =>
  fc.assert(
    fc.property(anyHappenings, (happenings) => {
      const nothing = (): void => undefined
      live({ calendar: aCalendar(FLEET), policy, now: NOW }, happenings, {
        settled: nothing,
        told: nothing,
        asked: nothing,
        ...witness,
      })
    }),
    { numRuns },
  )

describe('idle-use, in any history,', () => {
  it('never makes a cluster hold more than it has, and is gone when a reservation starts (invariant 1)', () => {
    const settled = (world: World): void => {
      for (const cluster of FLEET) expect(overfull(world, cluster), cluster.id).to.deep.equal([])
    }
    lived({ settled })
    // The same where the plan of those who wait is searched for, which takes longer.
    lived({ settled }, 10, DEFAULT_POLICY)
  })

  it('is told exactly its notice ahead, so that nodes are back, turnover and all, when they are needed', () => {
    lived({
      told({ now }, { grant, endsAt, neededAt }) {
        const cluster = FLEET.find(({ id }) => id === grant.clusterId) ?? alpha
        expect(endsAt - now).to.equal(reclaimMs(cluster) - TURNOVER_MS)
        expect(neededAt - now).to.equal(reclaimMs(cluster))
      },
    })
  })

  it('makes no reservation start later than its nodes can be had back', () => {
    lived({
      asked({ calendar, now }, request) {
        if (request.priority === 'idle') return
        const beside = withoutGrants(calendar)
        for (const { clusterId, earliestStart } of ask(calendar, request, now).candidates) {
          const cluster = FLEET.find(({ id }) => id === clusterId) ?? alpha
          const asked = askedStartOf(request.period)
          const backAt = now + reclaimMs(cluster)
          const period = {
            kind: 'flexible' as const,
            durationMs: durationOf(request.period),
            earliestStart: asked >= backAt ? asked : hourCeil(backAt),
            latestStart: null,
          }
          const bound = ask(beside, { ...request, period }, now).candidates.find((one) => one.clusterId === clusterId)
          expect(earliestStart).to.be.at.most(bound?.earliestStart ?? Number.POSITIVE_INFINITY)
        }
      },
    })
  })

  it('is in the way of no extension', () => {
    lived(
      {
        settled({ calendar, now }) {
          const beside = withoutGrants(calendar)
          for (const { id } of FLEET)
            for (const { allocationId, end, phase, priority } of reservationsOn(calendar, id)) {
              if (phase === 'planned' || priority === 'idle') continue
              const fits = (on: Calendar) => extension(on, allocationId, end + 7 * HOUR_MS, now)?.fits
              expect(fits(calendar)).to.equal(fits(beside))
            }
        },
      },
      100,
    )
  })

  it('leaves nobody waiting for it beside nodes that it may have', () => {
    lived({
      settled({ calendar, now }) {
        expect(serveIdle(calendar, now, EARLIEST_FIT_1).filter(({ startsNow }) => startsNow)).to.deep.equal([])
      },
    })
  })

  it('is counted alike however often the clock was looked at, and leaves the facts as they are', () => {
    lived(
      {
        settled({ calendar, now }) {
          const before = factsOf(calendar)
          const often = cloneCalendar(calendar)
          for (const ahead of [HOUR_MS, 3 * HOUR_MS, SECOND_MS]) coverNow(often, now + ahead)
          const answer = (on: Calendar) => ask(on, { demand: { nodes: 5 } }, now)
          expect(answer(often)).to.deep.equal(answer(calendar))
          nextNoticeAt(calendar, now)
          expect(factsOf(calendar)).to.deep.equal(before)
        },
      },
      100,
    )
  })
})

describe('a grant', () => {
  it('is given where nodes are free for long enough to have them back', () => {
    const next = (start: EpochMs): CalendarOp => reserve(aReservation({ start, end: start + HOUR_MS, nodes: 10 }))
    const idle = { priority: 'idle' as const, period: flexible(24) }
    expect(ask(aCalendar([alpha], [next(NOW + RECLAIM_MS)]), idle).startsAsAsked).to.equal(true)
    expect(ask(aCalendar([alpha], [next(NOW + RECLAIM_MS - 1)]), idle).startsAsAsked).to.equal(false)
    const short = { ...idle, period: flexible(1 / 6) }
    expect(ask(aCalendar([alpha], [next(NOW + RECLAIM_MS - 1)]), short).startsAsAsked).to.equal(true)
  })

  it('does not count on the nodes of another grant, which gives way to nobody but reservations', () => {
    const calendar = aCalendar([alpha], [reserve(aGrant({ nodes: 10, end: NEXT_HOUR + 5 * HOUR_MS }))])
    const { best, startsAsAsked, candidates } = ask(calendar, { priority: 'idle' })
    expect([startsAsAsked, best?.start]).to.deep.equal([false, NEXT_HOUR + 6 * HOUR_MS])
    expect(candidates[0]?.reasons.map(({ rule }) => rule)).to.deep.equal(['free-nodes'])
  })

  it('is never given ahead: a later start is an estimate, and cannot be had by who will not wait', () => {
    for (const period of [fixed(NOW + 5 * HOUR_MS, 24), flexible(24, NOW + 5 * HOUR_MS)]) {
      const request = aRequest({ priority: 'idle', period })
      const placement = place(aCalendar([alpha]), request, NOW, EARLIEST_FIT_1)
      expect([placement.best?.start, placement.startsAsAsked]).to.deep.equal([NOW + 5 * HOUR_MS, false])
      expect(placement.candidates[0]?.reasons.map(({ detail }) => detail)).to.deep.equal([
        'Nothing is reserved for idle-use: it starts when 1 node of alpha is free at its time.',
      ])
      expect(canBeHad(placement, request)).to.equal(false)
    }
  })

  it('counts for who reserves until it can be back, and no longer', () => {
    const calendar = aCalendar([alpha], [reserve(aGrant({ nodes: 10 }))])
    expect(ask(calendar, {}).best?.start).to.equal(hourCeil(NOW + RECLAIM_MS))
    expect(ask(calendar, { period: fixed(NOW + RECLAIM_MS, 5) }).startsAsAsked).to.equal(true)
    expect(ask(calendar, { period: fixed(NOW + RECLAIM_MS - 1, 5) }).startsAsAsked).to.equal(false)
    // An hour later the same holds as of then.
    const later = NOW + HOUR_MS
    expect(ask(calendar, { period: fixed(later + RECLAIM_MS - 1, 5) }, later).startsAsAsked).to.equal(false)
    expect(ask(calendar, { period: fixed(later + RECLAIM_MS, 5) }, later).startsAsAsked).to.equal(true)
  })

  it('is told when a drain takes its nodes, before anybody else is in the way, and is no shortfall', () => {
    const grants = [aGrant({ allocationId: 'small', nodes: 2 }), aGrant({ allocationId: 'large', nodes: 5 })]
    const ahead = aCalendar([alpha], [...grants.map(reserve), aDrain(5, NOW + 9 * HOUR_MS)])
    expect(noticesDue(ahead, NOW)).to.deep.equal([])
    expect(nextNoticeAt(ahead, NOW)).to.equal(NOW + 9 * HOUR_MS - RECLAIM_MS)
    const atOnce = aCalendar([alpha], [...grants.map(reserve), aDrain(5, NOW)])
    expect(noticesDue(atOnce, NOW)).to.deep.equal([{ grant: grants[0], endsAt: NOW, neededAt: NOW, neededNodes: 2 }])
    expect(clusterAt(atOnce, 'alpha', NOW).shortfall).to.equal(0)
  })

  it('is told late where the broker was away, and leaves in time all the same while it can', () => {
    const start = NOW + TURNOVER_MS + 7 * MINUTE_MS
    const calendar = aCalendar(
      [alpha],
      [reserve(aGrant()), reserve(aReservation({ start, end: start + 1, nodes: 10 }))],
    )
    expect(noticesDue(calendar, NOW).map(({ endsAt }) => endsAt)).to.deep.equal([NOW + 7 * MINUTE_MS])
    expect(noticesDue(calendar, start).map(({ endsAt }) => endsAt)).to.deep.equal([start])
  })

  it('is told by who needs the nodes first, and once', () => {
    const [soon, then] = [NOW + RECLAIM_MS - 5 * MINUTE_MS, NOW + RECLAIM_MS]
    const needs = [soon, then].map((start) => reserve(aReservation({ start, end: start + 9 * HOUR_MS, nodes: 4 })))
    const grants = [aGrant({ allocationId: 'old', start: NOW - HOUR_MS }), aGrant({ allocationId: 'young' })]
    const due = noticesDue(aCalendar([alpha], [...grants.map(reserve), ...needs]), NOW)
    expect(due.map(({ grant, neededAt }) => [grant.allocationId, neededAt])).to.deep.equal([
      ['young', soon],
      ['old', then],
    ])
  })

  it('goes on without notice where the catalogue no longer names its cluster', () => {
    const calendar = aCalendar(FLEET, [reserve(aGrant()), { op: 'catalogue', clusters: [beta] }])
    expect([noticesDue(calendar, NOW), nextNoticeAt(calendar, NOW)]).to.deep.equal([[], null])
  })
})

describe('who waits for idle-use', () => {
  const wait = (facts: Parameters<typeof anEntry>[0] & { readonly nodes: number }): CalendarOp => {
    const { nodes, ...entry } = facts
    const request = aRequest({ priority: 'idle', demand: { nodes }, ...entry.request })
    return { op: 'wait', entry: anEntry({ priority: 'idle', ...entry, request }) }
  }
  const served = (ops: readonly CalendarOp[]) =>
    serveIdle(aCalendar([alpha], ops), NOW, EARLIEST_FIT_1).map(({ allocationId, placement, startsNow, expired }) => ({
      allocationId,
      start: placement?.start ?? null,
      startsNow,
      expired,
    }))

  it('starts at once where there is room, in serving order, and estimates count those in front', () => {
    const ops = [
      wait({ allocationId: 'second', nodes: 6, since: NOW - 1 }),
      wait({ allocationId: 'first', nodes: 6, since: NOW - 2 }),
      wait({ allocationId: 'third', nodes: 4, since: NOW }),
    ]
    expect(served(ops)).to.deep.equal([
      { allocationId: 'first', start: NOW, startsNow: true, expired: false },
      { allocationId: 'second', start: hourCeil(NOW + 24 * HOUR_MS + TURNOVER_MS), startsNow: false, expired: false },
      { allocationId: 'third', start: NOW, startsNow: true, expired: false },
    ])
  })

  it('is over once no start is left that it allows', () => {
    const gone = aRequest({ priority: 'idle', period: flexible(5, NOW - 9 * HOUR_MS, NOW - 1) })
    const full = reserve(aReservation({ start: NOW - HOUR_MS, end: NOW + HOUR_MS, nodes: 10, phase: 'running' }))
    expect(served([full, wait({ allocationId: 'late', nodes: 1, request: gone })])).to.deep.equal([
      { allocationId: 'late', start: null, startsNow: false, expired: true },
    ])
  })
})
