import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { createRoster } from '../../broker/http/roster.ts'

describe('the roster of what is there just now', () => {
  it('has exactly those who came and have not gone, in whatever order they go', () =>
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 60 }), (draws) => {
        const roster = createRoster<number>()
        const there: { readonly one: number; readonly leave: () => void }[] = []
        for (const [nth, draw] of draws.entries()) {
          if (draw % 3 === 0 && there.length > 0) there.splice(draw % there.length, 1)[0]?.leave()
          else there.push({ one: nth, leave: roster.add(nth) })
          expect([...roster].toSorted((a, b) => a - b)).to.deep.equal(
            there.map(({ one }) => one).toSorted((a, b) => a - b),
          )
        }
      }),
    ))
})
