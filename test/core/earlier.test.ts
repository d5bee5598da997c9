import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { type EarlierStart, earlierStarts } from '../../broker/core/earlier.ts'
import type { CalendarOp, WaitingEntry } from '../../broker/core/calendar-op.ts'
import { factsOf } from '../../broker/core/calendar-reads.ts'
import { withOps } from '../../broker/core/calendar-undo.ts'
import type { Calendar } from '../../broker/core/calendar.ts'
import { placeAgain } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../broker/core/placement/request.ts'
import { DAY_MS, HOUR_MS, type EpochMs } from '../../shared/time.ts'
import {
  aCalendar,
  aCluster,
  anApproval,
  anEntry,
  anyDrain,
  anyInstant,
  aRequest,
  aReservation,
  flexible,
  NEXT_HOUR,
  NOW,
  reserve,
} from './fleet.ts'

const MOST_NODES = 8
const HOURS = 30
const blackwell = aCluster({ id: 'b', nodes: MOST_NODES })
const hopper = aCluster({ id: 'h', nodes: 6, architecture: 'hopper', gpuModel: 'H200', fp8H200PerGpu: 1 })
const period = flexible(HOURS)
const asked = aRequest({
  demand: { nodes: MOST_NODES },
  requires: { shares: ['government'], architectures: ['blackwell'], gpuModels: ['B200'] },
  period,
})

/** Taken in whole, turnover included. */
const taken = (clusterId: string, nodes: number, until: EpochMs): CalendarOp =>
  reserve(aReservation({ clusterId, nodes, start: NOW, end: until - HOUR_MS, heldUntil: until }))

/** What placement itself says of the changed request: the earliest start that any cluster gives. */
function startOf(calendar: Calendar, { allocationId }: WaitingEntry, request: PlacementRequest): number {
  const { candidates } = withOps(calendar, [{ op: 'release', allocationId }], () =>
    placeAgain(calendar, request, NOW, DEFAULT_POLICY),
  )
  return Math.min(...candidates.map(({ earliestStart }) => earliestStart ?? Number.POSITIVE_INFINITY))
}

/** Every amount is tried, one after the other. */
function bruteForce(
  calendar: Calendar,
  entry: WaitingEntry,
  { most, of }: { most: number; of: (amount: number) => PlacementRequest },
): { to: number; start: number }[] {
  const start = startOf(calendar, entry, entry.request)
  const starts = Array.from({ length: most }, (_, index) => startOf(calendar, entry, of(index + 1)))
  const reached = starts[0] ?? Number.POSITIVE_INFINITY
  if (start <= NOW || reached >= start) return []
  const halfOfWait = Number.isFinite(start) ? NOW + (start - NOW) / 2 : start
  const mostBy = (fits: (at: number) => boolean): number => starts.findLastIndex(fits) + 1
  const kept = [mostBy((at) => at <= reached), mostBy((at) => at < halfOfWait)].filter((to) => to > 0)
  return [...new Set(kept)].map((to) => ({ to, start: starts[to - 1] ?? reached }))
}

const only = (found: readonly EarlierStart[], change: EarlierStart['change']) =>
  found.filter((one) => one.change === change).map(({ to, start }) => ({ to, start }))

describe('what would make it earlier', () => {
  it('is the most nodes that start at once, and the most that save half of the wait', () => {
    const calendar = aCalendar([blackwell], [taken('b', 3, NEXT_HOUR + 10 * DAY_MS), taken('b', 2, NEXT_HOUR + DAY_MS)])
    const found = earlierStarts(calendar, anEntry({ request: asked }), NOW)
    expect(only(found, 'nodes')).to.deep.equal([
      { to: 3, start: NOW },
      { to: 5, start: NEXT_HOUR + DAY_MS },
    ])
  })

  it('is another architecture, whose model of GPU is then not asked for', () => {
    const calendar = aCalendar([blackwell, hopper], [taken('b', 1, NEXT_HOUR + DAY_MS)])
    const request = { ...asked, demand: { nodes: 6 } }
    const entry = anEntry({ request: { ...request, demand: { nodes: 8 } } })
    expect(only(earlierStarts(calendar, entry, NOW), 'architecture')).to.deep.equal([])
    const free = aCalendar([blackwell, hopper], [taken('b', 3, NEXT_HOUR + DAY_MS)])
    expect(only(earlierStarts(free, anEntry({ request }), NOW), 'architecture')).to.deep.equal([
      { to: 'hopper', start: NOW },
    ])
  })

  it('is never an architecture that its approval does not cover, or would not pay for', () => {
    const calendar = aCalendar([blackwell, hopper], [taken('b', 8, NEXT_HOUR + DAY_MS)])
    const request = { ...asked, demand: { fp8H200Equivalent: 36 } }
    const covered = anApproval({ architectures: ['blackwell'] })
    for (const approval of [covered, anApproval()])
      expect(
        only(earlierStarts(calendar, anEntry({ request: { ...request, approval } }), NOW), 'architecture'),
      ).to.deep.equal([])
    const unbound = earlierStarts(
      calendar,
      anEntry({ request: { ...asked, demand: { nodes: 6 }, approval: anApproval() } }),
      NOW,
    )
    expect(only(unbound, 'architecture')).to.deep.equal([{ to: 'hopper', start: NOW }])
  })

  it('is the longest period that ends before whoever comes next', () => {
    const next = aReservation({ clusterId: 'b', nodes: 1, start: NEXT_HOUR + 12 * HOUR_MS, end: NEXT_HOUR + DAY_MS })
    const found = earlierStarts(aCalendar([blackwell], [reserve(next)]), anEntry({ request: asked }), NOW)
    expect(only(found, 'duration')).to.deep.equal([{ to: 11, start: NOW }])
  })

  it('is nothing for one that can start when it asked to', () => {
    expect(earlierStarts(aCalendar([blackwell]), anEntry({ request: asked }), NOW)).to.deep.equal([])
  })

  it('is what a plan that tries every amount finds, and leaves the calendar as it was', () => {
    const reservation = fc.record({
      clusterId: fc.constantFrom('b', 'h'),
      nodes: fc.integer({ min: 1, max: MOST_NODES }),
      start: anyInstant(6),
      hours: fc.integer({ min: 1, max: 72 }),
      approvalId: fc.constantFrom('apr', 'other'),
    })
    const approval = fc.option(
      fc.record({ maxNodes: fc.integer({ min: 1, max: 12 }), validTo: fc.integer({ min: 2, max: 12 }) }),
    )
    fc.assert(
      fc.property(
        fc.array(reservation, { maxLength: 8 }),
        fc.array(anyDrain(['b', 'h']), { maxLength: 2 }),
        approval,
        (reservations, drains, bounds) => {
          const calendar = aCalendar(
            [blackwell, hopper],
            [
              ...reservations.map(({ hours, start, ...facts }) =>
                reserve(aReservation({ ...facts, start, end: start + hours * HOUR_MS })),
              ),
              ...drains.map((drain): CalendarOp => ({ op: 'drain', drain })),
            ],
          )
          const request = {
            ...asked,
            approval:
              bounds === null
                ? null
                : anApproval({ maxNodes: bounds.maxNodes, validTo: NOW + bounds.validTo * DAY_MS }),
          }
          const entry = anEntry({ request })
          const before = factsOf(calendar)
          const found = earlierStarts(calendar, entry, NOW)
          expect(factsOf(calendar)).to.deep.equal(before)
          const byNodes = { most: MOST_NODES - 1, of: (nodes: number) => ({ ...request, demand: { nodes } }) }
          const byHours = {
            most: HOURS - 1,
            of: (hours: number) => ({ ...request, period: { ...period, durationMs: hours * HOUR_MS } }),
          }
          expect(only(found, 'nodes')).to.deep.equal(bruteForce(calendar, entry, byNodes))
          expect(only(found, 'duration')).to.deep.equal(bruteForce(calendar, entry, byHours))
        },
      ),
      { numRuns: 300 },
    )
  })
})
