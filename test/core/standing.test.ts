import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { applyOp } from '../../broker/core/calendar.ts'
import { waiting } from '../../broker/core/calendar-reads.ts'
import { type Consumed, HALF_LIFE_MS, HALVINGS, standingsOf } from '../../broker/core/standing.ts'
import { rankOf } from '../../broker/core/waitlist.ts'
import { PRIORITIES } from '../../shared/approval.ts'
import { DAY_MS, HOUR_MS } from '../../shared/time.ts'
import { aCalendar, aCluster, anEntry, aReservation, NOW, reserve } from './fleet.ts'

const used = (organizationId: string, nodeMs: number, halfLivesAgo = 0): Consumed => ({
  organizationId,
  nodeMs,
  halfLivesAgo,
})
const ranked = (ended: readonly Consumed[], entitled: Readonly<Record<string, number>>) =>
  standingsOf(aCalendar([]), { ended, entitledGpuHours: new Map(Object.entries(entitled)) }, NOW)

describe('the standing of an organisation', () => {
  it('is better the less it has consumed per GPU-hour that it is entitled to', () => {
    const ended = [used('a', 100), used('b', 300), used('c', 200), used('d', 400)]
    expect(ranked(ended, { a: 100, b: 600, c: 100, d: 400 })).to.deep.equal([
      { organizationId: 'a', rank: 2 },
      { organizationId: 'b', rank: 1 },
      { organizationId: 'c', rank: 3 },
      { organizationId: 'd', rank: 2 },
    ])
  })

  it('halves what it consumed with every half-life, and forgets it in the end', () => {
    for (const ago of [1, 2, 7])
      expect(ranked([used('new', 100), used('old', 100 * 2 ** ago, ago)], { new: 1, old: 1 })).to.deep.equal([
        { organizationId: 'new', rank: 1 },
        { organizationId: 'old', rank: 1 },
      ])
    expect(ranked([used('old', 1e12, HALVINGS.length)], { old: 1 })).to.deep.equal([])
  })

  it('is the last where its approvals grant nothing any more', () => {
    expect(ranked([used('a', 1), used('b', 1e12)], { b: 1 })).to.deep.equal([
      { organizationId: 'a', rank: 2 },
      { organizationId: 'b', rank: 1 },
    ])
  })

  it('counts what runs, from its first hour on and as far back as it goes', () => {
    const running = (organizationId: string, nodes: number, hours: number) =>
      reserve(
        aReservation({ organizationId, nodes, start: NOW - hours * HOUR_MS, end: NOW + DAY_MS, phase: 'running' }),
      )
    const long = (3 * HALF_LIFE_MS) / HOUR_MS
    const calendar = aCalendar([aCluster()], [running('now', 1, 0), running('long', 1, long - 1)])
    const entitledGpuHours = new Map(['now', 'long', 'same'].map((id) => [id, 1]))
    // What the long one used in its three half-lives, 128 + 64 + 32 each, as if all had been in the first.
    const ended = [used('same', (HALF_LIFE_MS * (128 + 64 + 32)) / 128)]
    expect(standingsOf(calendar, { ended, entitledGpuHours }, NOW)).to.deep.equal([
      { organizationId: 'long', rank: 2 },
      { organizationId: 'now', rank: 1 },
      { organizationId: 'same', rank: 2 },
    ])
  })

  it('never inverts a priority, and comes before age (invariant 5: from the log alone)', () => {
    const anyEntries = fc.array(
      fc.record({
        priority: fc.constantFrom(...PRIORITIES),
        organizationId: fc.constantFrom('a', 'b', 'c'),
        since: fc.integer({ min: 0, max: 3 }),
      }),
      { maxLength: 12 },
    )
    const anyRanks = fc.record({ a: fc.nat(3), b: fc.nat(3), c: fc.nat(3) })
    fc.assert(
      fc.property(anyEntries, anyRanks, (all, ranks) => {
        const calendar = aCalendar([])
        for (const facts of all) applyOp(calendar, { op: 'wait', entry: anEntry(facts) })
        const standings = Object.entries(ranks).map(([organizationId, rank]) => ({ organizationId, rank }))
        applyOp(calendar, { op: 'standings', standings })
        const keys = waiting(calendar).map((one) => [
          rankOf(one.priority),
          ranks[one.organizationId as keyof typeof ranks],
          one.since,
          one.order,
        ])
        expect(keys).to.deep.equal(keys.toSorted((x, y) => x.map((v, i) => v - (y[i] ?? 0)).find((d) => d !== 0) ?? 0))
      }),
    )
  })
})
