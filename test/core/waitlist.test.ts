import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { compareServing, servingOrder } from '../../broker/core/waitlist.ts'
import { PRIORITIES } from '../../shared/approval.ts'
import { anEntry } from './fleet.ts'

const anyEntry = fc
  .record({ priority: fc.constantFrom(...PRIORITIES), since: fc.integer({ min: 0, max: 3 }), order: fc.nat() })
  .map((facts) => anEntry(facts))
const anyEntries = fc.uniqueArray(anyEntry, { selector: ({ order }) => order, maxLength: 12 })

describe('the serving order', () => {
  it('is total: the same however the entries came, and nobody is both before and after another', () => {
    fc.assert(
      fc.property(
        anyEntries.chain((entries) =>
          fc.tuple(fc.constant(entries), fc.shuffledSubarray(entries, { minLength: entries.length })),
        ),
        ([entries, shuffled]) => {
          expect(servingOrder(shuffled, () => 0)).to.deep.equal(servingOrder(entries, () => 0))
          for (const a of entries.map((entry) => ({ ...entry, standing: 0 })))
            for (const b of entries.map((entry) => ({ ...entry, standing: 0 }))) {
              expect(Math.sign(compareServing(a, b)) + Math.sign(compareServing(b, a))).to.equal(0)
              expect(compareServing(a, b) === 0).to.equal(a.order === b.order)
            }
        },
      ),
    )
  })

  it('serves priority first, then who waits longer, then who came first', () => {
    const entries = [
      anEntry({ allocationId: 'idle', priority: 'idle', since: 1, order: 1 }),
      anEntry({ allocationId: 'later', since: 3, order: 2 }),
      anEntry({ allocationId: 'second', since: 2, order: 4 }),
      anEntry({ allocationId: 'first', since: 2, order: 3 }),
      anEntry({ allocationId: 'national', priority: 'national', since: 9, order: 9 }),
    ]
    expect(servingOrder(entries, () => 0).map(({ allocationId }) => allocationId)).to.deep.equal([
      'national',
      'first',
      'second',
      'later',
      'idle',
    ])
  })
})
