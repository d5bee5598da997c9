import { expect } from 'chai'
import { describe, it } from 'mocha'
import { fairnessByPolicy } from '../../broker/simulate/fairness.ts'
import { figuresOf, p95Of, useIn } from '../../broker/simulate/figures.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { Run } from '../../broker/simulate/machine.ts'
import { useOverTime, waitsBySize } from '../../broker/simulate/series.ts'
import { schedulersWith, simulate } from '../../broker/simulate/simulate.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { aCluster } from '../core/fleet.ts'
import { aFleet, finished, replayed, requestsOf, T0 } from './small-world.ts'

const LARGE = aCluster({ id: 'large', nodes: 510, turnoverMs: HOUR_MS })
const MEDIUM = aCluster({ id: 'medium', nodes: 255, turnoverMs: HOUR_MS })
const HOPPER = aCluster({ id: 'other', nodes: 600, architecture: 'hopper' })
const FLEET = aFleet([LARGE, MEDIUM, HOPPER])

/** Instants in hours from the beginning. */
type Ran = readonly [submitted: number, nodes: number, hours: number, started: number]

const runsOf = (list: readonly Ran[], promisedStart: number | null = null): Run[] =>
  list.map(([at, nodes, hours, started], order) => {
    const [request] = requestsOf([[at, nodes, hours]])
    if (request === undefined) throw new Error('one is asked for')
    const startedAt = T0 + started * HOUR_MS
    const endedAt = startedAt + request.usedMs
    return {
      request: { ...request, order },
      cluster: nodes > 255 ? LARGE : MEDIUM,
      startedAt,
      endedAt,
      heldUntil: endedAt + HOUR_MS,
      promisedStart: promisedStart === null ? null : T0 + promisedStart * HOUR_MS,
    }
  })

describe('the figures of a replay', () => {
  it('are waits in hours, those of big requests apart', () => {
    const figures = figuresOf(
      'easy',
      runsOf([
        [0, 1, 1, 0],
        [0, 119, 1, 2],
        [0, 120, 1, 10],
        [10, 255, 1, 30],
      ]),
      FLEET,
    )
    expect(figures).to.deep.include({ name: 'easy', meanWaitHours: 8, p95WaitHours: 20 })
    expect(figures).to.deep.include({ bigMeanWaitHours: 15, bigP95WaitHours: 20 })
  })

  it('say nothing of big requests where there are none', () => {
    const figures = figuresOf('easy', runsOf([[0, 119, 1, 0]]), FLEET)
    expect([figures.bigMeanWaitHours, figures.bigP95WaitHours]).to.deep.equal([null, null])
  })

  it('take as p95 the least value that 95 of 100 do not exceed', () => {
    expect(p95Of(Array.from({ length: 100 }, (_, at) => 100 - at))).to.equal(95)
    expect(p95Of([3, 1, 2])).to.equal(3)
  })

  it('count a slowdown by the day where the use is shorter, and never below 1', () => {
    // 12 h of wait before 1 h: (12 + 1) ÷ 24, so 1; 24 h before 48 h: 1.5; 71 h before 1 h: 3.
    const { boundedSlowdown } = figuresOf(
      'easy',
      runsOf([
        [0, 1, 1, 12],
        [0, 1, 48, 24],
        [0, 1, 1, 71],
      ]),
      FLEET,
    )
    expect(boundedSlowdown).to.be.closeTo((1 + 1.5 + 3) / 3, 1e-12)
  })

  it('count use from the first submission to the last', () => {
    const fleet = aFleet([aCluster({ nodes: 10 })])
    // 5 nodes for 4 h and 10 nodes from hour 8 on, of 10 nodes for 10 h.
    const runs = runsOf([
      [0, 5, 4, 0],
      [0, 10, 50, 8],
      [10, 1, 1, 60],
    ])
    expect(figuresOf('easy', runs, fleet).use).to.be.closeTo((20 + 20) / 100, 1e-12)
    expect(useIn(runs, fleet, { start: T0, end: T0 + 4 * HOUR_MS })).to.equal(0.5)
    expect(useOverTime(runs, fleet)).to.have.length(120).and.to.include.members([0.5, 0, 1])
  })

  it('count the time in which a Blackwell cluster has room, turnovers taken off', () => {
    // medium is held in [0, 6), large in [4, 9), of 20 hours: 255 fit except in [4, 6), 510 except in [4, 9).
    const runs = runsOf([
      [0, 1, 5, 0],
      [0, 256, 4, 4],
      [20, 1, 1, 20],
    ])
    const { fits255, fits510 } = figuresOf('easy', runs, FLEET)
    expect(fits255).to.be.closeTo(18 / 20, 1e-12)
    expect(fits510).to.be.closeTo(15 / 20, 1e-12)
  })

  it('count a promise as slipped by a start after it, and none where none was made', () => {
    const starts: readonly Ran[] = [
      [0, 1, 1, 4],
      [0, 1, 1, 5],
      [0, 1, 1, 6],
    ]
    expect(figuresOf('conservative', runsOf(starts, 5), FLEET).promisesSlipped).to.equal(1)
    expect(figuresOf('easy', runsOf(starts), FLEET).promisesSlipped).to.equal(0)
  })

  it('show waits by size', () => {
    expect(
      waitsBySize(
        runsOf([
          [0, 1, 1, 1],
          [0, 7, 1, 3],
          [0, 255, 1, 9],
          [0, 400, 1, 11],
        ]),
      ),
    ).to.deep.equal([
      { size: '1–7', requests: 2, meanHours: 2, p95Hours: 3 },
      { size: '255 and more', requests: 2, meanHours: 10, p95Hours: 11 },
    ])
  })

  it('are those of each policy’s own replay', () => {
    const requests = requestsOf([
      [0, 6, 10],
      [1, 8, 10],
      [2, 4, 9],
      [3, 2, 20],
    ])
    const results = finished(simulate(requests, aFleet(), DEFAULT_POLICY))
    for (const { figures, runs } of results) {
      expect(runs).to.deep.equal(replayed(figures.name, requests))
      expect(figures).to.deep.equal(figuresOf(figures.name, runs, aFleet()))
    }
    // Waits of 0, 9, 18, 0, strictly in order of 0, 9, 18, 17, and by the least sum of 0, 10, 0, 7 hours.
    const meanOf = Object.fromEntries(results.map(({ figures }) => [figures.name, figures.meanWaitHours]))
    expect(meanOf).to.deep.equal({ broker: 4.25, fcfs: 11, 'any-fit': 4.25, easy: 6.75, conservative: 6.75 })
  })

  it('show what an organisation pays for the others', () => {
    // org-0 has 10 nodes for 10 h at once; org-1 waits 9 h for its 3, and would not have alone.
    const requests = requestsOf([
      [0, 10, 10],
      [1, 10, 3],
    ])
    const results = finished(simulate(requests, aFleet(), DEFAULT_POLICY))
    const fairness = finished(fairnessByPolicy(results, aFleet(), schedulersWith(DEFAULT_POLICY)))
    for (const own of Object.values(fairness))
      expect(own).to.deep.equal([
        { organizationId: 'org-0', requests: 1, sharedOverAlone: 1 },
        { organizationId: 'org-1', requests: 1, sharedOverAlone: 4 },
      ])
  })
})
