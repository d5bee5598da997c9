import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  addCharge,
  cloneTimeline,
  coverFrom,
  earliestFullHour,
  firstShortage,
  freeInHourOf,
  HORIZON_HOURS,
  horizonOf,
  leastFreeIn,
  removeCharge,
  timelineOf,
  type Charge,
} from '../../broker/core/timeline.ts'
import { DAY_MS, HOUR_MS, hourCeil, hourFloor, type EpochMs, type Interval } from '../../shared/time.ts'
import { anyInstant, NEXT_HOUR, NOW } from './fleet.ts'

const FULL = 10

const anyCharge: fc.Arbitrary<Charge> = fc
  .record({ start: anyInstant(6), length: fc.integer({ min: 1, max: 4_000 }), nodes: fc.integer({ min: 1, max: 6 }) })
  .map(({ start, length, nodes }) => ({ start, end: start + length * 60_000, nodes }))
const anyCharges = fc.array(anyCharge, { maxLength: 12 })
const anyInterval: fc.Arbitrary<Interval> = fc
  .tuple(anyInstant(6), fc.integer({ min: 1, max: 4_000 }))
  .map(([start, minutes]) => ({ start, end: start + minutes * 60_000 }))

const freeAt = (charges: readonly Charge[], at: EpochMs): number =>
  FULL - charges.reduce((sum, { start, end, nodes }) => sum + (start <= at && at < end ? nodes : 0), 0)

/** By looking at every instant at which something begins. */
function shortageByHand(charges: readonly Charge[], interval: Interval, nodes: number): EpochMs | null {
  const instants = [interval.start, ...charges.map(({ start }) => start)].toSorted((a, b) => a - b)
  const inside = instants.filter((at) => at >= interval.start && at < interval.end)
  return inside.find((at) => freeAt(charges, at) < nodes) ?? null
}

/** What the grid may promise of one hour: as if every charge that touches it held for all of it. */
const freeInHourByHand = (charges: readonly Charge[], hour: EpochMs): number =>
  FULL - charges.reduce((sum, { start, end, nodes }) => sum + (start < hour + HOUR_MS && hour < end ? nodes : 0), 0)

describe('the timeline', () => {
  it('finds the first exact instant at which nodes are short, as counting by hand does', () => {
    fc.assert(
      fc.property(anyCharges, anyInterval, fc.integer({ min: 1, max: FULL }), (charges, interval, nodes) => {
        const timeline = timelineOf(FULL, charges, NOW)
        expect(firstShortage(timeline, interval, nodes)).to.equal(shortageByHand(charges, interval, nodes))
      }),
      { numRuns: 500 },
    )
  })

  it('leaves out what begins at the very instant at which the interval ends, and counts what ends as it begins', () => {
    const half = NEXT_HOUR + HOUR_MS / 2
    const timeline = timelineOf(FULL, [{ start: half, end: half + 600_000, nodes: FULL }], NOW)
    expect(firstShortage(timeline, { start: NEXT_HOUR, end: half }, FULL)).to.equal(null)
    expect(firstShortage(timeline, { start: NEXT_HOUR, end: half + 1 }, 1)).to.equal(half)
    expect(firstShortage(timeline, { start: half + 600_000, end: half + DAY_MS }, FULL)).to.equal(null)
    expect(firstShortage(timeline, { start: half + 599_999, end: half + DAY_MS }, 1)).to.equal(half + 599_999)
  })

  it('never says of an hour that more is free than at its worst instant', () => {
    fc.assert(
      fc.property(anyCharges, anyInterval, (charges, interval) => {
        const timeline = timelineOf(FULL, charges, NOW)
        const hour = hourFloor(interval.start)
        expect(freeInHourOf(timeline, hour)).to.equal(freeInHourByHand(charges, hour))
        const instants = charges
          .flatMap(({ start, end }) => [start, end])
          .filter((at) => at >= interval.start && at < interval.end)
        const exact = Math.min(...[interval.start, ...instants].map((at) => freeAt(charges, at)))
        expect(leastFreeIn(timeline, interval)).to.be.at.most(exact)
      }),
    )
  })

  it('finds the first full hour from which nodes are free long enough, as trying every hour does', () => {
    const anySearch = fc.record({
      from: anyInstant(5),
      hours: fc.integer({ min: 1, max: 70 }),
      reach: fc.integer({ min: 0, max: 300 }),
      nodes: fc.integer({ min: 1, max: FULL }),
    })
    fc.assert(
      fc.property(anyCharges, anySearch, (charges, { from, hours, reach, nodes }) => {
        const timeline = timelineOf(FULL, charges, NOW)
        const lastStart = from + reach * HOUR_MS
        const found = earliestFullHour(timeline, { from, lastStart, lengthMs: hours * HOUR_MS, nodes })
        const free = (hour: EpochMs): boolean => freeInHourByHand(charges, hour) >= nodes
        let byHand: EpochMs | null = null
        for (let start = hourCeil(from); start <= lastStart && byHand === null; start += HOUR_MS)
          if (Array.from({ length: hours }, (_, hour) => start + hour * HOUR_MS).every(free)) byHand = start
        expect(found).to.equal(byHand)
      }),
      { numRuns: 500 },
    )
  })

  it('is the same whether charges were there from the start or came and went', () => {
    fc.assert(
      fc.property(anyCharges, anyCharges, (staying, passing) => {
        const changed = timelineOf(FULL, [], NOW)
        for (const charge of passing) addCharge(changed, charge)
        for (const charge of staying) addCharge(changed, charge)
        for (const charge of passing) removeCharge(changed, charge)
        const fresh = timelineOf(FULL, staying, NOW)
        expect(changed.grid).to.deep.equal(fresh.grid)
        expect([...changed.edges.keys()]).to.have.members([...fresh.edges.keys()])
      }),
    )
  })

  it('answers alike wherever its grid begins', () => {
    fc.assert(
      fc.property(anyCharges, anyInterval, fc.integer({ min: 0, max: 80 }), (charges, interval, daysBefore) => {
        const moved = timelineOf(FULL, charges, NOW - daysBefore * DAY_MS)
        coverFrom(moved, NOW)
        const fresh = timelineOf(FULL, charges, NOW)
        for (const nodes of [1, 5, 10]) {
          expect(firstShortage(moved, interval, nodes)).to.equal(firstShortage(fresh, interval, nodes))
          const search = { from: interval.start, lastStart: horizonOf(NOW) - DAY_MS, lengthMs: DAY_MS, nodes }
          expect(earliestFullHour(moved, search)).to.equal(earliestFullHour(fresh, search))
        }
      }),
    )
  })

  it('covers the horizon from now on after any jump of the clock, back or forth', () => {
    for (const days of [-400, -1, 0, 30, 40, 41, 5_000]) {
      const timeline = timelineOf(FULL, [], NOW)
      coverFrom(timeline, NOW + days * DAY_MS)
      const whole = { start: NOW + days * DAY_MS, end: horizonOf(NOW + days * DAY_MS) }
      expect(firstShortage(timeline, whole, FULL), `${days} days`).to.equal(null)
    }
  })

  it('promises nothing past its end', () => {
    const timeline = timelineOf(FULL, [], NOW)
    const far = { start: NOW, end: horizonOf(NOW) + 100 * DAY_MS }
    expect(firstShortage(timeline, far, 1)).to.be.within(horizonOf(NOW), far.end)
    expect(leastFreeIn(timeline, far)).to.equal(0)
    const lengthMs = (HORIZON_HOURS + 2_000) * HOUR_MS
    expect(earliestFullHour(timeline, { from: NOW, lastStart: far.end, lengthMs, nodes: 1 })).to.equal(null)
  })

  it('keeps a copy apart from its original', () => {
    const charge = { start: NOW, end: NOW + 90 * 60_000, nodes: 4 }
    const original = timelineOf(FULL, [charge], NOW)
    const copy = cloneTimeline(original)
    removeCharge(copy, charge)
    addCharge(copy, { start: NEXT_HOUR, end: NEXT_HOUR + DAY_MS, nodes: 9 })
    expect(original.grid).to.deep.equal(timelineOf(FULL, [charge], NOW).grid)
    expect(firstShortage(original, { start: NOW, end: NEXT_HOUR }, 7)).to.equal(NOW)
  })
})
