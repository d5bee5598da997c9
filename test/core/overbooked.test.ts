import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import type { CalendarOp, Reservation } from '../../broker/core/calendar-op.ts'
import { overbooked, shortfall } from '../../broker/core/overbooked.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, type EpochMs } from '../../shared/time.ts'
import { aCalendar, aCluster, anyDrain, anyInstant, aReservation, NEXT_HOUR, NOW, reserve } from './fleet.ts'

const alpha = aCluster({ nodes: 10 })
const drainOf = (nodes: number, from = NOW, hours = 100): CalendarOp => ({
  op: 'drain',
  drain: { id: `drn-${nodes}-${from}`, clusterId: 'alpha', nodes, from, to: from + hours * HOUR_MS },
})
const day = (facts: Partial<Reservation>): Reservation =>
  aReservation({ start: NEXT_HOUR, end: NEXT_HOUR + DAY_MS, ...facts })
const moving = (reservations: readonly Reservation[], drains: readonly CalendarOp[], now = NOW): string[] =>
  overbooked(aCalendar([alpha], [...reservations.map(reserve), ...drains]), 'alpha', now).map(
    ({ allocationId }) => allocationId,
  )

const anyReservation = fc
  .record({
    nodes: fc.integer({ min: 1, max: 6 }),
    start: anyInstant(4),
    minutes: fc.integer({ min: 1, max: 4_000 }),
    phase: fc.constantFrom('planned' as const, 'scheduled' as const, 'running' as const),
    priority: fc.constantFrom('national' as const, 'standard' as const, 'idle' as const),
  })
  .map(({ minutes, ...facts }) => aReservation({ ...facts, end: facts.start + minutes * MINUTE_MS }))

describe('who must move', () => {
  it('is enough that no more is reserved than there is or than runs, and none of those who run', () => {
    const drains = fc.array(anyDrain(['alpha']), { maxLength: 3 })
    fc.assert(
      fc.property(fc.array(anyReservation, { maxLength: 12 }), drains, (reservations, drained) => {
        const ops = drained.map((drain): CalendarOp => ({ op: 'drain', drain }))
        const moved = new Set(moving(reservations, ops))
        // Idle-use gives way by itself, and moves nobody.
        const reserved = reservations.filter(({ priority, phase }) => priority !== 'idle' || phase === 'planned')
        const staying = reserved.filter(({ allocationId }) => !moved.has(allocationId))
        // As the calendar keeps them: a later drain of one id replaces the earlier.
        const kept = [...new Map(drained.map((drain) => [drain.id, drain])).values()]
        const sound = (all: readonly Reservation[], at: EpochMs): boolean => {
          const active = all.filter(({ start, heldUntil }) => start <= at && at < heldUntil)
          const sum = (some: readonly Reservation[]): number => some.reduce((nodes, one) => nodes + one.nodes, 0)
          const out = kept.reduce(
            (nodes, { from, to, ...drain }) => nodes + (from <= at && at < to ? drain.nodes : 0),
            0,
          )
          return sum(active) <= Math.max(0, 10 - out, sum(active.filter(({ phase }) => phase === 'running')))
        }
        const instants = [
          NOW,
          ...reservations.flatMap(({ start, heldUntil }) => [start, heldUntil]),
          ...kept.map(({ from }) => from),
        ]
        const later = instants.filter((at) => at >= NOW)
        for (const at of later) expect(sound(staying, at), `${at}`).to.equal(true)
        for (const one of reservations.filter(({ allocationId }) => moved.has(allocationId))) {
          expect(one.phase).to.not.equal('running')
          const needless = later.every((at) => sound([...staying, one], at))
          expect(needless, `${one.allocationId} could have stayed`).to.equal(false)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('is nobody while there is room', () => {
    expect(moving([day({ nodes: 6 })], [drainOf(4)])).to.deep.equal([])
  })

  it('is the lowest priority first, then the latest start, then the youngest', () => {
    const national = day({ allocationId: 'national', priority: 'national', nodes: 3, start: NEXT_HOUR + 9 * HOUR_MS })
    const early = day({ allocationId: 'early', nodes: 3, start: NEXT_HOUR })
    const late = day({ allocationId: 'late', nodes: 2, start: NEXT_HOUR + 5 * HOUR_MS })
    const young = day({ allocationId: 'young', nodes: 2, start: NEXT_HOUR + 5 * HOUR_MS })
    const all = [young, national, late, early]
    expect(moving(all, [drainOf(2)])).to.deep.equal(['young'])
    expect(moving(all, [drainOf(4)])).to.deep.equal(['young', 'late'])
    expect(moving(all, [drainOf(7)])).to.deep.equal(['young', 'late', 'early'])
  })

  it('is one large rather than it and all the small ones that would not do', () => {
    const small = [1, 2].map((nodes) =>
      day({ allocationId: `small-${nodes}`, nodes, priority: 'idle', phase: 'planned' }),
    )
    const large = day({ allocationId: 'large', nodes: 7 })
    expect(moving([...small, large], [drainOf(6)])).to.deep.equal(['large'])
  })

  it('is never one who runs: what runs beyond the capacity is the shortfall', () => {
    const running = day({ allocationId: 'running', nodes: 8, phase: 'running', start: NOW })
    const next = day({ allocationId: 'next', nodes: 2, start: NOW + HOUR_MS })
    const calendar = aCalendar([alpha], [reserve(running), reserve(next), drainOf(5)])
    expect(overbooked(calendar, 'alpha', NOW).map(({ allocationId }) => allocationId)).to.deep.equal(['next'])
    expect(shortfall(calendar, 'alpha', NOW)).to.equal(3)
    expect(shortfall(calendar, 'alpha', NOW + 2 * HOUR_MS)).to.equal(5)
    expect(shortfall(calendar, 'alpha', NOW - 1)).to.equal(0)
  })

  it('is whoever comes next where a release is late', () => {
    const late = day({
      start: NOW - DAY_MS,
      end: NOW - 2 * HOUR_MS,
      heldUntil: NEXT_HOUR + HOUR_MS,
      nodes: 10,
      phase: 'running',
    })
    expect(moving([late, day({ allocationId: 'next', nodes: 1 })], [])).to.deep.equal(['next'])
  })

  it('is nobody for what lies in the past', () => {
    const past = [1, 2].map((n) =>
      aReservation({ allocationId: `p${n}`, start: NOW - DAY_MS, end: NOW - DAY_MS / 2, nodes: 9 }),
    )
    expect(moving(past, [])).to.deep.equal([])
    expect(moving(past, [], NOW - DAY_MS)).to.deep.equal(['p2'])
  })
})
