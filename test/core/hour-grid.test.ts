import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  addToHours,
  earliestRun,
  firstHourBelow,
  freeInHour,
  gridOver,
  leastFree,
} from '../../broker/core/hour-grid.ts'

const HOURS = 192

const untilFull = (hours: readonly number[]): number[] =>
  Array.from({ length: HOURS }, (_, hour) => hours[hour % hours.length] ?? 0)

/** Long stretches of equal hours, so that whole blocks are skipped, and hours that are mostly free, so that runs are cut. */
const anyHours = fc.oneof(
  fc
    .array(fc.tuple(fc.integer({ min: 1, max: 70 }), fc.integer({ min: -2, max: 4 })), { minLength: 1, maxLength: 40 })
    .map((stretches) => untilFull(stretches.flatMap(([length, free]) => Array<number>(length).fill(free)))),
  fc.array(fc.constantFrom(0, 4, 4, 4), { minLength: 1, maxLength: HOURS }).map(untilFull),
)
const hour = fc.integer({ min: 0, max: HOURS - 1 })

describe('the hour grid', () => {
  it('finds the first run that is free for long enough, as trying every hour does', () => {
    const anySearch = fc.record({
      from: hour,
      lastStart: hour,
      length: fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 1, max: 90 })),
      nodes: fc.integer({ min: 1, max: 4 }),
      freeFrom: fc.oneof(fc.constant(HOURS), hour),
    })
    fc.assert(
      fc.property(anyHours, anySearch, (hours, search) => {
        const isFree = (at: number): boolean => at >= search.freeFrom || (hours[at] ?? 0) >= search.nodes
        const runs = (start: number): boolean =>
          start + search.length <= HOURS &&
          (hours[start] ?? 0) >= search.nodes &&
          Array.from({ length: search.length }, (_, at) => start + at).every(isFree)
        let byHand = -1
        for (let start = search.from; start <= search.lastStart && byHand === -1; start += 1)
          if (runs(start)) byHand = start
        expect(earliestRun(gridOver(Int32Array.from(hours)), search)).to.equal(byHand)
      }),
      { numRuns: 1_000 },
    )
  })

  it('keeps the least of every stretch and the first hour below a count through any additions', () => {
    const additions = fc.array(
      fc.tuple(fc.integer({ min: -80, max: HOURS }), fc.integer({ min: 0, max: 250 }), fc.integer({ min: -3, max: 3 })),
    )
    fc.assert(
      fc.property(anyHours, additions, hour, hour, (hours, added, a, b) => {
        const grid = gridOver(Int32Array.from(hours))
        for (const [from, length, nodes] of added) addToHours(grid, from, from + length, nodes)
        const expected = hours.map((free, at) =>
          added.reduce((sum, [from, length, nodes]) => sum + (at >= from && at < from + length ? nodes : 0), free),
        )
        const [from, to] = [Math.min(a, b), Math.max(a, b) + 1]
        const stretch = expected.slice(from, to)
        expect([...grid.free]).to.deep.equal(expected)
        expect(leastFree(grid, from, to)).to.equal(Math.min(...stretch))
        const below = stretch.findIndex((free) => free < 1)
        expect(firstHourBelow(grid, from, to, 1)).to.equal(below === -1 ? -1 : from + below)
      }),
      { numRuns: 300 },
    )
  })

  it('has nothing outside of itself', () => {
    const grid = gridOver(new Int32Array(64).fill(5))
    expect([freeInHour(grid, -1), freeInHour(grid, 0), freeInHour(grid, 64)]).to.deep.equal([0, 5, 0])
  })
})
