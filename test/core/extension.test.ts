import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import type { CalendarOp, Reservation } from '../../broker/core/calendar-op.ts'
import { factsOf } from '../../broker/core/calendar-reads.ts'
import { withOps } from '../../broker/core/calendar-undo.ts'
import { extension } from '../../broker/core/extension.ts'
import { horizonOf } from '../../broker/core/timeline.ts'
import { DAY_MS, HOUR_MS } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anyDrain,
  anyInstant,
  aReservation,
  leastFreeExactly,
  NEXT_HOUR,
  NOW,
  reserve,
} from './fleet.ts'

const own = aReservation({ allocationId: 'own', start: NOW, end: NEXT_HOUR + DAY_MS, nodes: 6, phase: 'running' })
const next = (facts: Partial<Reservation>): CalendarOp =>
  reserve(aReservation({ allocationId: 'next', start: NEXT_HOUR + 3 * DAY_MS, end: NEXT_HOUR + 5 * DAY_MS, ...facts }))
const extended = (end: number, ops: readonly CalendarOp[] = []) =>
  extension(aCalendar([aCluster({ nodes: 10 })], [reserve(own), ...ops]), 'own', end, NOW)

describe('an extension', () => {
  it('fits where the nodes stay free, turnover and all', () => {
    const end = NEXT_HOUR + 3 * DAY_MS - HOUR_MS
    expect(extended(end, [next({ nodes: 5 })])).to.deep.equal({
      fits: true,
      reservation: { ...own, end, heldUntil: end + HOUR_MS },
    })
    expect(extended(NEXT_HOUR + 9 * DAY_MS, [next({ nodes: 4 })])?.fits).to.equal(true)
  })

  it('names the first conflict and the latest end that would fit, promised room included', () => {
    for (const phase of ['scheduled', 'planned'] as const)
      expect(extended(NEXT_HOUR + 3 * DAY_MS, [next({ nodes: 5, phase })])).to.deep.equal({
        fits: false,
        conflictAt: NEXT_HOUR + 3 * DAY_MS,
        conflictWith: 'next',
        latestEnd: NEXT_HOUR + 3 * DAY_MS - HOUR_MS,
        detail:
          '6 nodes of alpha can stay with it only until 2027-01-07T11:00:00Z, when next begins; the latest end that fits is 2027-01-07T10:00:00Z.',
      })
  })

  it('names a drain, and never an end before the present one', () => {
    const drain = {
      id: 'drn',
      clusterId: 'alpha',
      nodes: 5,
      from: NEXT_HOUR + DAY_MS + 60_000,
      to: NEXT_HOUR + 9 * DAY_MS,
    }
    expect(extended(NEXT_HOUR + 2 * DAY_MS, [{ op: 'drain', drain }])).to.include({
      conflictWith: 'drn',
      conflictAt: drain.from,
      latestEnd: own.end,
    })
  })

  it('ends at the horizon', () => {
    expect(extended(horizonOf(NOW))).to.include({
      fits: false,
      conflictWith: null,
      latestEnd: horizonOf(NOW) - HOUR_MS,
    })
    expect(extended(horizonOf(NOW) - HOUR_MS)?.fits).to.equal(true)
  })

  it('is none for an allocation without a place, and leaves the calendar as it was', () => {
    const calendar = aCalendar([aCluster({ nodes: 10 })], [reserve(own)])
    const before = factsOf(calendar)
    expect(extension(calendar, 'nobody', NOW + DAY_MS, NOW)).to.equal(null)
    extension(calendar, 'own', NOW + 9 * DAY_MS, NOW)
    expect(factsOf(calendar)).to.deep.equal(before)
  })

  it('is granted exactly where every instant of it has room, and the end that it names is the latest that does', () => {
    const held = fc.record({
      nodes: fc.integer({ min: 1, max: 6 }),
      start: anyInstant(6),
      hours: fc.integer({ min: 1, max: 72 }),
      phase: fc.constantFrom('planned' as const, 'scheduled' as const),
    })
    const everything = fc.record({
      others: fc.array(held, { maxLength: 6 }),
      drains: fc.array(anyDrain(['alpha']), { maxLength: 2 }),
      longerByMs: fc.integer({ min: 1, max: 9 * DAY_MS }),
    })
    fc.assert(
      fc.property(everything, ({ others, drains, longerByMs }) => {
        const cluster = aCluster({ nodes: 10 })
        const calendar = aCalendar(
          [cluster],
          [
            reserve(own),
            ...others.map(({ hours, ...one }) => reserve(aReservation({ ...one, end: one.start + hours * HOUR_MS }))),
            ...drains.map((drain): CalendarOp => ({ op: 'drain', drain })),
          ],
        )
        const fits = (end: number): boolean =>
          withOps(calendar, [{ op: 'release', allocationId: 'own' }], () => {
            const needed = { start: NOW, end: end + cluster.turnoverMs }
            return leastFreeExactly(calendar, cluster, needed) >= own.nodes
          })
        const end = own.end + longerByMs
        const found = extension(calendar, 'own', end, NOW)
        expect(found?.fits).to.equal(fits(end))
        if (found === null || found.fits) return
        expect(fits(found.latestEnd + 1)).to.equal(false)
        // What is short already cannot be helped: then it is the present end, whether that has room or not.
        if (found.latestEnd > own.end) expect(fits(found.latestEnd)).to.equal(true)
      }),
      { numRuns: 500 },
    )
  })
})
