import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import type { Cluster } from '../../broker/core/cluster.ts'
import { phaseAt } from '../../broker/core/cluster.ts'
import type { Run } from '../../broker/simulate/machine.ts'
import { replay } from '../../broker/simulate/replay.ts'
import { POLICY_NAMES, type SchedulerFactory } from '../../broker/simulate/scheduler.ts'
import type { SimRequest } from '../../broker/simulate/workload.ts'
import { HOUR_MS, MINUTE_MS, type EpochMs } from '../../shared/time.ts'
import { aCluster } from '../core/fleet.ts'
import { aFleet, finished, replayed, requestsOf, T0 } from './small-world.ts'

const PHASE = { stage: 'general', basis: 'announced' } as const
const FLEET = aFleet([
  aCluster({ id: 'alpha', turnoverMs: HOUR_MS, nodes: 10 }),
  aCluster({
    id: 'beta',
    turnoverMs: 30 * MINUTE_MS,
    phases: [
      { ...PHASE, from: T0 - HOUR_MS, nodes: 3 },
      { ...PHASE, from: T0 + 48 * HOUR_MS, nodes: 6 },
    ],
  }),
  aCluster({ id: 'gamma', architecture: 'hopper', turnoverMs: 0, nodes: 5 }),
])

/** Off the hours as well as on them, with uses shorter than what was asked for. */
const anyRequests: fc.Arbitrary<SimRequest[]> = fc
  .array(
    fc.record({
      gapMinutes: fc.constantFrom(0, 7, 60, 240),
      nodes: fc.integer({ min: 1, max: 10 }),
      architecture: fc.constantFrom('blackwell', 'hopper'),
      grantedMinutes: fc.integer({ min: 1, max: 3_000 }),
      used: fc.constantFrom(0.1, 0.5, 1),
    }),
    { minLength: 1, maxLength: 25 },
  )
  .map((drafts) => {
    let submittedAt = T0
    return drafts.map(({ gapMinutes, nodes, architecture, grantedMinutes, used }, order) => {
      submittedAt += gapMinutes * MINUTE_MS
      const grantedMs = grantedMinutes * MINUTE_MS
      return {
        id: `r${order}`,
        order,
        submittedAt,
        nodes: architecture === 'hopper' ? Math.min(5, nodes) : nodes,
        architecture,
        organizationId: 'org',
        grantedMs,
        usedMs: Math.max(1, Math.round(grantedMs * used)),
      }
    })
  })

function heldAt(runs: readonly Run[], cluster: Cluster, at: EpochMs): number {
  const held = runs.filter((run) => run.cluster.id === cluster.id && run.startedAt <= at && at < run.heldUntil)
  return held.reduce((sum, { request }) => sum + request.nodes, 0)
}

describe('a replay', () => {
  for (const name of POLICY_NAMES) {
    it(`of ${name} starts everybody once, not before they came, where they may lie, and never over capacity`, () => {
      fc.assert(
        fc.property(anyRequests, (requests) => {
          const runs = replayed(name, requests, FLEET)
          expect(runs.map(({ request }) => request.order).toSorted((a, b) => a - b)).to.deep.equal(
            requests.map(({ order }) => order),
          )
          for (const { request, cluster, startedAt, endedAt } of runs) {
            expect(startedAt).to.be.at.least(request.submittedAt)
            expect(endedAt - startedAt).to.equal(request.usedMs)
            expect(cluster.architecture).to.equal(request.architecture)
            const capacity = phaseAt(cluster.phases, startedAt)?.nodes ?? 0
            expect(heldAt(runs, cluster, startedAt)).to.be.at.most(capacity)
          }
        }),
        { numRuns: 150 },
      )
    })

    it(`of ${name} comes out the same each time`, () => {
      fc.assert(
        fc.property(anyRequests, (requests) => {
          expect(replayed(name, requests, FLEET)).to.deep.equal(replayed(name, requests, FLEET))
        }),
        { numRuns: 30 },
      )
    })
  }

  for (const name of ['conservative', 'broker'] as const)
    it(`of ${name} starts nobody after the promised start`, () => {
      fc.assert(
        fc.property(anyRequests, (requests) => {
          for (const { startedAt, promisedStart } of replayed(name, requests, FLEET))
            expect(startedAt).to.be.at.most(promisedStart ?? Number.NEGATIVE_INFINITY)
        }),
        { numRuns: 150 },
      )
    })

  it('of fcfs never lets anybody start before one who came earlier', () => {
    fc.assert(
      fc.property(anyRequests, (requests) => {
        const starts = replayed('fcfs', requests, FLEET).map(({ request }) => request.order)
        expect(starts).to.deep.equal(starts.toSorted((a, b) => a - b))
      }),
      { numRuns: 100 },
    )
  })

  it('of nothing is nothing', () => {
    expect(replayed('easy', [])).to.deep.equal([])
  })

  describe('fails a policy', () => {
    /** Starts each request as often as told, on a cluster of ten nodes. */
    const careless =
      (clusterId: string, times = 1): SchedulerFactory =>
      () => {
        const queue: SimRequest[] = []
        return {
          submitted: (request) => void queue.push(request),
          ended: () => {},
          givenBack: () => {},
          turn: () =>
            queue
              .splice(0)
              .flatMap((request) => Array.from({ length: times }, () => ({ request, clusterId, promisedStart: null }))),
          nextTurnAt: () => null,
          waitingCount: () => queue.length,
        }
      }
    /** Starts at its first turn what only comes later. */
    const hasty =
      (later: SimRequest): SchedulerFactory =>
      () => ({
        submitted: () => {},
        ended: () => {},
        givenBack: () => {},
        turn: () => [{ request: later, clusterId: 'alpha', promisedStart: null }],
        nextTurnAt: () => null,
        waitingCount: () => 0,
      })
    const two = requestsOf([
      [0, 6, 10],
      [1, 6, 10],
    ])

    for (const [says, scheduler, message] of [
      ['that starts more nodes than there are', careless('alpha'), /12 nodes would be held, and it has 10/],
      ['that starts one twice', careless('alpha', 2), /has started before/],
      ['that invents a cluster', careless('omega'), /no such cluster/],
      ['that takes the wrong architecture', careless('gamma'), /it asks for blackwell/],
      ['that knows who will come', hasty(two[1] as SimRequest), /has not been submitted yet/], // there are two
      ['that forgets somebody', careless('alpha', 0), /2 of 2 requests never started/],
    ] as const)
      it(says, () => {
        const fleet = aFleet([aCluster({ turnoverMs: 0 }), aCluster({ id: 'gamma', architecture: 'hopper' })])
        expect(() => finished(replay(two, fleet, scheduler))).to.throw(RangeError, message)
      })
  })
})
