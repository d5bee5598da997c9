import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { availability, type AvailabilityInput } from '../../broker/core/availability.ts'
import { phaseAt } from '../../broker/core/cluster.ts'
import { MINUTE_MS } from '../../shared/time.ts'
import { anyInstant, NOW } from './fleet.ts'

const anyUse = fc
  .record({ start: anyInstant(2), minutes: fc.integer({ min: 0, max: 2_000 }), nodes: fc.integer({ min: 1, max: 9 }) })
  .map(({ start, minutes, nodes }) => ({ start, end: start + minutes * MINUTE_MS, nodes }))
const anyInput: fc.Arbitrary<AvailabilityInput> = fc.record({
  range: fc
    .tuple(anyInstant(2), fc.integer({ min: 0, max: 3_000 }))
    .map(([start, minutes]) => ({ start, end: start + minutes * MINUTE_MS })),
  phases: fc
    .uniqueArray(fc.tuple(anyInstant(2), fc.integer({ min: 0, max: 12 })), { maxLength: 3, selector: ([from]) => from })
    .map((steps) =>
      steps
        .toSorted(([a], [b]) => a - b)
        .map(([from, nodes]) => ({ from, nodes, stage: 'general' as const, basis: 'announced' })),
    ),
  reservations: fc.array(anyUse, { maxLength: 6 }),
  drains: fc.array(anyUse, { maxLength: 3 }),
})

describe('availability', () => {
  it('covers the range without a gap, in steps of which adjacent ones differ', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        const steps = availability(input)
        const { range } = input
        expect(steps.length === 0).to.equal(range.start === range.end)
        for (const [index, step] of steps.entries()) {
          expect(step.from).to.equal(steps[index - 1]?.to ?? range.start)
          expect(step.to).to.equal(steps[index + 1]?.from ?? range.end)
          expect(step.to).to.be.greaterThan(step.from)
          const next = steps[index + 1]
          if (next !== undefined) expect({ ...next, from: 0, to: 0 }).to.not.deep.equal({ ...step, from: 0, to: 0 })
        }
      }),
    )
  })

  it('says of every instant what counting the intervals says', () => {
    fc.assert(
      fc.property(anyInput, (input) => {
        for (const { from, to, ...step } of availability(input))
          for (const at of [from, Math.floor((from + to) / 2), to - 1]) {
            const sum = (uses: AvailabilityInput['drains']): number =>
              uses.reduce((nodes, use) => nodes + (use.start <= at && at < use.end ? use.nodes : 0), 0)
            const capacityNodes = phaseAt(input.phases, at)?.nodes ?? 0
            const drainedNodes = Math.min(capacityNodes, sum(input.drains))
            const reservedNodes = sum(input.reservations)
            const left = capacityNodes - drainedNodes - reservedNodes
            expect(step).to.deep.equal({
              capacityNodes,
              reservedNodes,
              drainedNodes,
              freeNodes: Math.max(0, left),
              shortfallNodes: Math.max(0, -left),
            })
          }
      }),
    )
  })

  it('is one step where nothing changes', () => {
    const phases = [{ from: NOW - 1, nodes: 5, stage: 'beta' as const, basis: 'announced' }]
    expect(availability({ range: { start: NOW, end: NOW + 9 }, phases, reservations: [], drains: [] })).to.deep.equal([
      { from: NOW, to: NOW + 9, capacityNodes: 5, reservedNodes: 0, drainedNodes: 0, freeNodes: 5, shortfallNodes: 0 },
    ])
  })
})
