import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { usedBy } from '../../broker/core/approval-limits.ts'
import { applyOp } from '../../broker/core/calendar.ts'
import { cloneCalendar } from '../../broker/core/calendar-copy.ts'
import type { CalendarOp } from '../../broker/core/calendar-op.ts'
import { commitmentsOf, usedOn } from '../../broker/core/commitments.ts'
import { HOUR_MS } from '../../shared/time.ts'
import { aCalendar, aCluster, anEntry, aReservation, NOW, reserve } from './fleet.ts'

const CLUSTERS = [aCluster({ id: 'alpha', nodes: 1_000 }), aCluster({ id: 'beta', nodes: 1_000, gpusPerNode: 4 })]
const APPROVAL = 'apr-1'

const allocationId = fc.integer({ min: 0, max: 120 }).map((nth) => `alc-${nth}`)
const anyOp: fc.Arbitrary<CalendarOp> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record({
        allocationId,
        clusterId: fc.constantFrom('alpha', 'beta'),
        nodes: fc.integer({ min: 1, max: 9 }),
        minute: fc.integer({ min: 0, max: 6_000 }),
        minutes: fc.integer({ min: 1, max: 3_000 }),
      })
      .map(({ minute, minutes, ...facts }) => {
        const start = NOW + minute * 60_000
        return reserve(aReservation({ ...facts, approvalId: APPROVAL, start, end: start + minutes * 60_000 }))
      }),
  },
  { weight: 2, arbitrary: allocationId.map((id): CalendarOp => ({ op: 'release', allocationId: id })) },
  {
    weight: 1,
    arbitrary: allocationId.map(
      (id): CalendarOp => ({ op: 'wait', entry: anEntry({ allocationId: id, approvalId: APPROVAL }) }),
    ),
  },
  { weight: 1, arbitrary: allocationId.map((id): CalendarOp => ({ op: 'unwait', allocationId: id })) },
  { weight: 1, arbitrary: fc.constant<CalendarOp>({ op: 'catalogue', clusters: CLUSTERS.toReversed() }) },
)
const anyQuestion = fc.record({
  start: fc.integer({ min: 0, max: 6_000 }).map((minute) => NOW + minute * 60_000),
  hours: fc.integer({ min: 1, max: 60 }),
  bound: fc.integer({ min: -1, max: 600 }),
})

describe('what an approval has committed', () => {
  it('is the same whether it is kept up to date or added up anew, however many allocations it has', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.array(anyOp, { maxLength: 60 }), anyQuestion), { maxLength: 6 }), (rounds) => {
        const calendar = aCalendar(CLUSTERS)
        for (const [ops, { start, hours, bound }] of rounds) {
          for (const op of ops) applyOp(calendar, op)
          const interval = { start, end: start + hours * HOUR_MS }
          const anew = usedBy(commitmentsOf(calendar, APPROVAL), 7)
          const exact = anew.peakAbove(interval, bound)
          for (const kept of [usedOn(calendar, APPROVAL, 7), usedOn(cloneCalendar(calendar), APPROVAL, 7)]) {
            expect([kept.committedGpuMs, kept.endedGpuMs]).to.deep.equal([anew.committedGpuMs, anew.endedGpuMs])
            const peak = kept.peakAbove(interval, bound)
            if (exact > bound) expect(peak).to.equal(exact)
            else expect(peak).to.be.at.most(bound)
          }
        }
      }),
      { numRuns: 150 },
    )
  })
})
