import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import {
  book,
  type Metered,
  type MeterChange,
  meterChanges,
  type MeterSpan,
  type OpenMeter,
} from '../../broker/core/usage.ts'

const anAllocation = (changes: Partial<Metered> = {}): Metered => ({
  status: 'scheduled',
  nodes: 4,
  desiredNodes: 4,
  readyNodes: 0,
  startAt: 1_000,
  endAt: 9_000,
  activeAt: null,
  readySeenAt: null,
  ...changes,
})
const provisioning = anAllocation({ status: 'provisioning' })
const active = anAllocation({ status: 'active', readyNodes: 4, activeAt: 2_000, readySeenAt: 4_000 })
const NOT_GIVEN_BACK = { givenBackFrom: null }

describe('what a change of an allocation means for its meters', () => {
  it('reserves from its start, although that was noticed later', () => {
    expect(meterChanges(anAllocation(), provisioning, 1_500)).to.deep.equal([
      { kind: 'reserved', at: 1_000, nodes: 4, ...NOT_GIVEN_BACK },
    ])
  })

  it('counts nodes as active from the instant at which all were seen ready', () => {
    expect(meterChanges({ ...provisioning, readyNodes: 3 }, active, 2_000)).to.deep.equal([
      { kind: 'active', at: 2_000, nodes: 4, ...NOT_GIVEN_BACK },
    ])
  })

  it('ends both meters when it is given back', () => {
    const released = { ...active, status: 'releasing' as const, endAt: 5_000 }
    expect(meterChanges(active, released, 5_000)).to.deep.equal([
      { kind: 'reserved', at: 5_000, nodes: 0, ...NOT_GIVEN_BACK },
      { kind: 'active', at: 5_000, nodes: 0, ...NOT_GIVEN_BACK },
    ])
  })

  it('ends both at the planned end, however late that is noticed', () => {
    const late = meterChanges(active, { ...active, status: 'releasing' }, 20_000)
    expect(late.map(({ kind, at, nodes }) => [kind, at, nodes])).to.deep.equal([
      ['reserved', 9_000, 0],
      ['active', 9_000, 0],
    ])
  })

  it('counts a lost node until it was last seen, and its successor from when that is ready', () => {
    const degraded = { ...active, readyNodes: 3 }
    expect(meterChanges(active, degraded, 5_000)).to.deep.equal([
      { kind: 'active', at: 4_000, nodes: 3, ...NOT_GIVEN_BACK },
    ])
    expect(meterChanges(degraded, active, 6_000)).to.deep.equal([
      { kind: 'active', at: 6_000, nodes: 4, ...NOT_GIVEN_BACK },
    ])
  })

  it('counts nodes that are to leave as reserved until they are gone, and not as active', () => {
    const leaving = { ...active, desiredNodes: 1 }
    expect(meterChanges(active, leaving, 5_000)).to.deep.equal([
      { kind: 'active', at: 5_000, nodes: 1, ...NOT_GIVEN_BACK },
    ])
    expect(meterChanges(leaving, { ...leaving, nodes: 1, readyNodes: 1 }, 6_000)).to.deep.equal([
      { kind: 'reserved', at: 6_000, nodes: 1, ...NOT_GIVEN_BACK },
    ])
  })

  for (const status of ['scheduled', 'waitlisted', 'failed'] as const) {
    it(`gives back what was reserved in vain when it is ${status} after it could not be built`, () => {
      expect(meterChanges(provisioning, { ...provisioning, status }, 3_000)).to.deep.equal([
        { kind: 'reserved', at: 3_000, nodes: 0, givenBackFrom: 1_000 },
      ])
    })
  }

  it('counts what is taken over while it runs from the beginning of its period', () => {
    expect(meterChanges(null, { ...active, activeAt: 1_000 }, 5_000)).to.deep.equal([
      { kind: 'reserved', at: 1_000, nodes: 4, ...NOT_GIVEN_BACK },
      { kind: 'active', at: 1_000, nodes: 4, ...NOT_GIVEN_BACK },
    ])
  })

  it('changes nothing while nothing is held', () => {
    expect(meterChanges(null, anAllocation({ status: 'waitlisted' }), 5_000)).to.deep.equal([])
    expect(
      meterChanges(anAllocation({ status: 'releasing' }), anAllocation({ status: 'released' }), 5_000),
    ).to.deep.equal([])
  })
})

const change = (changes: Partial<MeterChange>): MeterChange => ({
  kind: 'active',
  at: 0,
  nodes: 0,
  givenBackFrom: null,
  ...changes,
})

describe('booking a change of a meter', () => {
  it('ends what ran and begins what runs at the same instant', () => {
    const booking = book({ nodes: 4, fromAt: 100 }, change({ at: 300, nodes: 3 }), 0)
    expect(booking).to.deep.equal({ closedAt: 300, opened: { nodes: 3, fromAt: 300 }, corrections: [] })
  })

  it('writes nothing into a closed month: what was too much there is taken back by a correction', () => {
    const booking = book({ nodes: 4, fromAt: 100 }, change({ at: 300, nodes: 0 }), 1_000)
    expect(booking).to.deep.equal({
      closedAt: 1_000,
      opened: null,
      corrections: [{ nodes: -4, fromAt: 300, toAt: 1_000 }],
    })
  })

  it('books the part of what was taken over late that lies in a closed month as a correction', () => {
    const booking = book(null, change({ at: 300, nodes: 2 }), 1_000)
    expect(booking).to.deep.equal({
      closedAt: null,
      opened: { nodes: 2, fromAt: 1_000 },
      corrections: [{ nodes: 2, fromAt: 300, toAt: 1_000 }],
    })
  })

  it('gives back what was reserved in vain as a correction, wherever it lies', () => {
    const booking = book({ nodes: 4, fromAt: 100 }, change({ at: 300, nodes: 0, givenBackFrom: 100 }), 0)
    expect(booking.corrections).to.deep.equal([{ nodes: -4, fromAt: 100, toAt: 300 }])
  })

  it('comes to the true node-time whenever months are closed in between', () => {
    const steps = fc.array(fc.record({ wait: fc.nat(50), late: fc.nat(80), nodes: fc.nat(5), close: fc.boolean() }), {
      maxLength: 30,
    })
    fc.assert(
      fc.property(steps, (history) => {
        const spans: MeterSpan[] = []
        let open: OpenMeter | null = null
        let [now, edge, level, settledUntil, truth] = [0, 0, 0, 0, 0]
        for (const { wait, late, nodes, close } of history) {
          now += wait
          if (close) settledUntil = now
          const at: number = Math.max(edge, now - late)
          truth += level * (at - edge)
          const booking = book(open, change({ at, nodes }), settledUntil)
          if (open !== null && booking.closedAt !== null) spans.push({ ...open, toAt: booking.closedAt })
          spans.push(...booking.corrections)
          open = booking.opened
          ;[edge, level] = [at, nodes]
        }
        truth += level * (now - edge)
        const running = open === null ? 0 : open.nodes * (now - open.fromAt)
        const sum = spans.reduce((total, span) => total + span.nodes * (span.toAt - span.fromAt), running)
        expect(sum).to.equal(truth)
      }),
    )
  })
})
