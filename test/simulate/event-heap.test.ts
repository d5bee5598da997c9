import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { createEventHeap } from '../../broker/simulate/event-heap.ts'

describe('the events to come', () => {
  it('come by their instants, those of one instant as they were put in', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20)), fc.nat(20), (instants, now) => {
        const heap = createEventHeap<number>()
        for (const [order, at] of instants.entries()) heap.put(at, order)
        const sorted = [...instants.entries()].toSorted(([, a], [, b]) => a - b).map(([order]) => order)
        const due = sorted.filter((order) => (instants[order] ?? 0) <= now)
        expect(heap.takeUntil(now)).to.deep.equal(due)
        expect(heap.nextAt()).to.equal(instants[sorted[due.length] ?? -1] ?? Number.POSITIVE_INFINITY)
        expect(heap.takeUntil(20)).to.deep.equal(sorted.slice(due.length))
      }),
    )
  })
})
