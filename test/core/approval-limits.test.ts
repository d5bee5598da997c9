import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  exceededBy,
  gpuMsLeft,
  usedBy,
  limitBelowCommitted,
  type Asked,
  type Limits,
} from '../../broker/core/approval-limits.ts'
import { peakNodes, type Commitment } from '../../broker/core/commitments.ts'
import { DAY_MS, HOUR_MS, type Interval } from '../../shared/time.ts'
import { anyInstant, NOW } from './fleet.ts'

const LIMITS: Limits = {
  maxNodes: 10,
  gpuHours: 8_000,
  architectures: ['blackwell'],
  validFrom: NOW,
  validTo: NOW + 100 * DAY_MS,
}

const committed = (nodes: number, fromDay: number, days: number): Commitment => {
  const interval = { start: NOW + fromDay * DAY_MS, end: NOW + (fromDay + days) * DAY_MS }
  return { allocationId: 'alc', nodes, interval, gpuMs: nodes * 8 * days * DAY_MS, waiting: false }
}

const asking = (facts: {
  nodes?: number
  fromDay?: number
  days?: number
  architecture?: string
  latestDay?: number | null
}): Asked => {
  const { nodes = 1, fromDay = 0, days = 1, architecture = 'blackwell', latestDay = fromDay } = facts
  return {
    variants: [{ architecture, nodes, gpusPerNode: 8 }],
    period: { start: NOW + fromDay * DAY_MS, end: NOW + (fromDay + days) * DAY_MS },
    latestStart: latestDay === null ? null : NOW + latestDay * DAY_MS,
  }
}

describe('an approval', () => {
  for (const [name, asked, commitments, limit, askedFigure, left] of [
    ['more nodes than it has at once', asking({ nodes: 11 }), [], 'maxNodes', 11, 10],
    [
      'more nodes than are left in that period',
      asking({ nodes: 5, fromDay: 2, days: 3 }),
      [committed(6, 4, 1)],
      'maxNodes',
      5,
      4,
    ],
    [
      'more nodes than two that overlap leave',
      asking({ nodes: 3, days: 9 }),
      [committed(4, 1, 4), committed(4, 3, 4)],
      'maxNodes',
      3,
      2,
    ],
    ['more GPU-hours than it has', asking({ nodes: 10, days: 5 }), [], 'gpuHours', 9_600, 8_000],
    [
      'more GPU-hours than those committed elsewhere leave',
      asking({ nodes: 5, days: 5 }),
      [committed(5, 50, 5)],
      'gpuHours',
      4_800,
      3_200,
    ],
    [
      'an architecture that it does not cover',
      asking({ architecture: 'hopper' }),
      [],
      'architectures',
      ['hopper'],
      ['blackwell'],
    ],
    [
      'a period that begins before it',
      asking({ fromDay: -1 }),
      [],
      'validFrom',
      '2027-01-03T10:17:23Z',
      '2027-01-04T10:17:23Z',
    ],
    [
      'a period that ends after it',
      asking({ fromDay: 99, days: 2 }),
      [],
      'validTo',
      '2027-04-15T10:17:23Z',
      '2027-04-14T10:17:23Z',
    ],
  ] as const)
    it(`refuses ${name}, naming what was asked and what is left`, () => {
      const exceeded = exceededBy(LIMITS, usedBy(commitments, 0), asked)
      expect(exceeded).to.deep.include({ limit, asked: askedFigure, left })
      expect(exceeded?.detail).to.match(/^[A-Z0-9].*\.$/)
    })

  it('counts what has been used by allocations that ended', () => {
    const used = (endedHours: number) => usedBy([], endedHours * HOUR_MS)
    expect(exceededBy(LIMITS, used(7_808), asking({}))).to.equal(null)
    expect(exceededBy(LIMITS, used(7_809), asking({}))).to.include({ limit: 'gpuHours', left: 191 })
    expect(gpuMsLeft(LIMITS, used(9_000))).to.equal(-1_000 * HOUR_MS)
    expect(exceededBy(LIMITS, used(9_000), asking({}))).to.include({ left: 0 })
  })

  it('grants what begins when another ends, to the last node and hour', () => {
    const commitments = [committed(10, 0, 2)]
    expect(exceededBy(LIMITS, usedBy(commitments, 0), asking({ nodes: 10, fromDay: 2, days: 2 }))).to.equal(null)
  })

  it('lets what may start later wait until it is valid', () => {
    const nothing = usedBy([], 0)
    expect(exceededBy(LIMITS, nothing, asking({ fromDay: -5, days: 3, latestDay: null }))).to.equal(null)
    expect(exceededBy(LIMITS, nothing, asking({ fromDay: -5, days: 3, latestDay: 1 }))).to.equal(null)
    expect(exceededBy(LIMITS, nothing, asking({ fromDay: -5, days: 3, latestDay: -1 }))).to.include({
      limit: 'validFrom',
    })
    expect(exceededBy(LIMITS, nothing, asking({ fromDay: -5, days: 101, latestDay: null }))).to.include({
      limit: 'validTo',
    })
  })

  it('has enough if it has enough for one of the ways to serve a demand in compute', () => {
    const variants = [
      { architecture: 'hopper', nodes: 9, gpusPerNode: 8 },
      { architecture: 'blackwell', nodes: 4, gpusPerNode: 8 },
    ]
    const both = { ...LIMITS, architectures: ['hopper', 'blackwell'] }
    const used = usedBy([committed(6, 0, 1)], 0)
    expect(exceededBy(both, used, { ...asking({}), variants })).to.equal(null)
    expect(exceededBy({ ...both, maxNodes: 9 }, used, { ...asking({}), variants })).to.include({
      limit: 'maxNodes',
      asked: 9,
    })
    expect(exceededBy(LIMITS, used, { ...asking({}), variants })).to.equal(null)
  })

  for (const [limit, lowered] of [
    ['maxNodes', { maxNodes: 7 }],
    ['gpuHours', { gpuHours: 2_303 }],
    ['architectures', { architectures: ['hopper'] }],
    ['validFrom', { validFrom: NOW + 2 * DAY_MS }],
    ['validTo', { validTo: NOW + 4 * DAY_MS }],
  ] as const)
    it(`cannot have its ${limit} lowered below what is committed`, () => {
      const commitments = [committed(4, 1, 2), committed(4, 2, 3)]
      const ended = 8 * 4 * 3 * HOUR_MS * 14
      const inUse = { ...usedBy(commitments, ended), commitments, architectures: ['blackwell'] }
      expect(limitBelowCommitted({ ...LIMITS, ...lowered }, inUse)).to.include({ limit })
      expect(limitBelowCommitted(LIMITS, inUse)).to.equal(null)
    })
})

describe('the peak of commitments', () => {
  const anyCommitment = fc
    .record({ start: anyInstant(3), hours: fc.integer({ min: 1, max: 60 }), nodes: fc.integer({ min: 1, max: 9 }) })
    .map(({ start, hours, nodes }) => ({
      ...committed(nodes, 0, 0),
      interval: { start, end: start + hours * HOUR_MS },
    }))
  const anyInterval: fc.Arbitrary<Interval> = fc
    .tuple(anyInstant(3), fc.integer({ min: 1, max: 60 }))
    .map(([start, hours]) => ({ start, end: start + hours * HOUR_MS }))

  it('is the most nodes at any one instant of the interval', () => {
    fc.assert(
      fc.property(fc.array(anyCommitment, { maxLength: 8 }), anyInterval, (commitments, interval) => {
        const at = (instant: number): number =>
          commitments.reduce(
            (sum, one) => sum + (one.interval.start <= instant && instant < one.interval.end ? one.nodes : 0),
            0,
          )
        const instants = [interval.start, ...commitments.map((one) => one.interval.start)]
        const inside = instants.filter((instant) => instant >= interval.start && instant < interval.end)
        expect(peakNodes(commitments, interval)).to.equal(Math.max(...inside.map(at)))
      }),
    )
  })
})
