import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import { reservationOf, reservationsOn, waiting } from '../../broker/core/calendar-reads.ts'
import { phaseAt } from '../../broker/core/cluster.ts'
import { extension } from '../../broker/core/extension.ts'
import { place } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../broker/core/placement/request.ts'
import { unsatisfiable } from '../../broker/core/placement/unsatisfiable.ts'
import { opsOfChange, reservationFor } from '../../broker/core/plan-change.ts'
import { replan } from '../../broker/core/replan.ts'
import { DAY_MS, HOUR_MS, type EpochMs } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anApproval,
  anEntry,
  anyPeriod,
  aRequest,
  aReservation,
  flexible,
  NEXT_HOUR,
  NOW,
  reserve,
} from './fleet.ts'

const SHARE = 50
const LATER = NEXT_HOUR + 3 * DAY_MS
const limited = { maxSharePerOrganization: SHARE }
/** Blackwell has 10 nodes, and 16 from `LATER` on. */
const FLEET = [
  aCluster({ ...limited, id: 'a', nodes: 6 }),
  aCluster({
    ...limited,
    id: 'b',
    phases: [
      { from: NOW - DAY_MS, nodes: 4, stage: 'general', basis: 'announced' },
      { from: LATER, nodes: 10, stage: 'general', basis: 'announced' },
    ],
  }),
  aCluster({ ...limited, id: 'h', nodes: 3, architecture: 'hopper' }),
  aCluster({ ...limited, id: 'not-mapped', nodes: 90, mapped: false }),
]

const requestOf = (organizationId: string, facts: Partial<PlacementRequest>): PlacementRequest =>
  aRequest({ ...facts, approval: anApproval({ organizationId, approvalId: organizationId }) })

const blackwell = (organizationId: string, nodes: number, facts: Partial<PlacementRequest> = {}): PlacementRequest =>
  requestOf(organizationId, {
    demand: { nodes },
    requires: { shares: ['government'], architectures: ['blackwell'] },
    ...facts,
  })

const held = (organizationId: string, nodes: number, end: EpochMs) =>
  aReservation({ clusterId: 'a', organizationId, nodes, start: NOW, end })

/** Counted instant by instant: who holds more of what than the share allows. */
function aboveTheirShare(calendar: Calendar): string[] {
  const all = FLEET.flatMap(({ id, architecture }) =>
    reservationsOn(calendar, id).map((one) => ({ ...one, architecture })),
  )
  const found: string[] = []
  for (const architecture of ['blackwell', 'hopper']) {
    const clusters = FLEET.filter((one) => one.architecture === architecture && one.mapped)
    const instants = [
      ...all.map(({ start }) => start),
      ...clusters.flatMap(({ phases }) => phases.map(({ from }) => from)),
    ]
    for (const at of instants.filter((instant) => instant >= NOW)) {
      const capacity = clusters.reduce((sum, { phases }) => sum + (phaseAt(phases, at)?.nodes ?? 0), 0)
      const holders = Map.groupBy(
        all.filter(
          (one) => one.architecture === architecture && one.start <= at && at < one.end && one.priority !== 'idle',
        ),
        (one) => one.organizationId,
      )
      for (const [organizationId, theirs] of holders) {
        const nodes = theirs.reduce((sum, one) => sum + one.nodes, 0)
        if (nodes * 100 > capacity * SHARE)
          found.push(`${organizationId} has ${nodes} of ${capacity} ${architecture} at ${at}`)
      }
    }
  }
  return found
}

describe('the share of one architecture that one organisation may hold', () => {
  it('lets it start beside what it has only once enough of that has ended, and others at once', () => {
    const calendar = aCalendar(FLEET, [reserve(held('kaist', 3, NEXT_HOUR + DAY_MS))])
    const request = { period: flexible(24) }
    expect(place(calendar, blackwell('kaist', 2, request), NOW, DEFAULT_POLICY).best?.start).to.equal(NOW)
    expect(place(calendar, blackwell('kaist', 3, request), NOW, DEFAULT_POLICY).best?.start).to.equal(
      NEXT_HOUR + DAY_MS,
    )
    expect(place(calendar, blackwell('postech', 3, request), NOW, DEFAULT_POLICY).best?.start).to.equal(NOW)
  })

  it('is one of what there is then: more can be held once a phase has brought more', () => {
    const { best, candidates } = place(aCalendar(FLEET), blackwell('kaist', 6), NOW, DEFAULT_POLICY)
    expect(best?.start).to.equal(LATER)
    const [reason] = candidates.find(({ clusterId }) => clusterId === 'a')?.reasons ?? []
    expect(reason).to.deep.include({ rule: 'approval-window', wanted: 6, found: 5 })
    expect(reason?.detail).to.match(/^One organisation may hold 50 % of blackwell at once: with what kaist has until /)
  })

  it('makes a request unsatisfiable that is larger than the share will ever be', () => {
    expect(unsatisfiable(FLEET, blackwell('kaist', 8), NOW)).to.equal(null)
    const never = unsatisfiable(FLEET, blackwell('kaist', 9), NOW) ?? []
    expect(never.find(({ clusterId }) => clusterId === 'b')?.reasons).to.deep.equal([
      {
        rule: 'approval-window',
        wanted: 9,
        found: 8,
        detail: '9 nodes would be more than the 8 of blackwell that one organisation may ever hold at once.',
      },
    ])
  })

  it('is none where none is set, and does not bind idle-use', () => {
    const free = aCalendar([aCluster({ id: 'a', nodes: 6 })])
    expect(place(free, blackwell('kaist', 6), NOW, DEFAULT_POLICY).best?.start).to.equal(NOW)
    expect(
      place(aCalendar(FLEET), blackwell('kaist', 6, { priority: 'idle' }), NOW, DEFAULT_POLICY).best?.start,
    ).to.equal(NOW)
  })

  it('ends an extension where more of its own is planned', () => {
    const own = held('kaist', 3, NEXT_HOUR)
    const next = aReservation({
      clusterId: 'b',
      organizationId: 'kaist',
      nodes: 3,
      start: NEXT_HOUR + 5 * HOUR_MS,
      end: NEXT_HOUR + DAY_MS,
      phase: 'planned',
    })
    const calendar = aCalendar(FLEET, [reserve(own), reserve(next)])
    const until = NEXT_HOUR + 5 * HOUR_MS
    expect(extension(calendar, own.allocationId, until, NOW)?.fits).to.equal(true)
    expect(extension(calendar, own.allocationId, until + 1, NOW)).to.deep.include({ fits: false, latestEnd: until })
  })

  it('is never exceeded by a decision: placements, plans and extensions in any order', () => {
    const asked = fc.record({
      organizationId: fc.constantFrom('kaist', 'postech'),
      nodes: fc.integer({ min: 1, max: 5 }),
      architecture: fc.constantFrom('blackwell', 'hopper'),
      period: anyPeriod,
    })
    const step = fc.record({ asked, releases: fc.nat(20), extendsBy: fc.nat(40) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
        const calendar = aCalendar(FLEET)
        for (const {
          asked: { organizationId, nodes, architecture, period },
          releases,
          extendsBy,
        } of steps) {
          const request = blackwell(organizationId, nodes, {
            requires: { shares: ['government'], architectures: [architecture] },
            period,
          })
          const { best, startsAsAsked } = place(calendar, request, NOW, DEFAULT_POLICY)
          const entry = anEntry({ organizationId, approvalId: organizationId, request })
          if (!startsAsAsked) applyOp(calendar, { op: 'wait', entry })
          const phase = startsAsAsked ? 'scheduled' : 'planned'
          if (best !== null) applyOp(calendar, reserve(reservationFor(entry, best, phase)))
          const ids = [...calendar.reservedAt.keys()]
          const extended = ids[extendsBy % Math.max(1, ids.length)]
          const present = extended === undefined ? null : reservationOf(calendar, extended)
          if (present !== null && present.phase === 'scheduled') {
            const longer = extension(calendar, present.allocationId, present.end + extendsBy * HOUR_MS + 1, NOW)
            if (longer?.fits === true) applyOp(calendar, reserve(longer.reservation))
          }
          const released = ids[releases]
          if (released !== undefined) applyOp(calendar, { op: 'release', allocationId: released })
          const { changes } = replan(calendar, { now: NOW, policy: DEFAULT_POLICY, seed: releases })
          for (const change of changes) {
            const waits = waiting(calendar).find(({ allocationId }) => allocationId === change.allocationId)
            if (waits !== undefined) for (const op of opsOfChange(waits, change)) applyOp(calendar, op)
          }
          expect(aboveTheirShare(calendar)).to.deep.equal([])
        }
      }),
      { numRuns: 200 },
    )
  })
})
