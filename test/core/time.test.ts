import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { toIso } from '../../shared/time.ts'

describe('an instant as text', () => {
  it('reads as the standard library writes it, from the year 0 to 12000', () => {
    const first = Date.parse('0000-01-01T00:00:00Z')
    const last = Date.parse('+012000-01-01T00:00:00Z')
    fc.assert(
      fc.property(fc.integer({ min: first, max: last }), (at) => {
        expect(toIso(at)).to.equal(new Date(at).toISOString().replace('.000Z', 'Z'))
      }),
      { numRuns: 2_000 },
    )
  })

  for (const text of [
    '1970-01-01T00:00:00Z',
    '2000-02-29T23:59:59Z',
    '2100-02-28T00:00:00Z',
    '2100-03-01T00:00:00Z',
    '2027-12-31T23:59:59.001Z',
    '1999-12-31T23:00:00Z',
    '2028-02-29T12:34:56.120Z',
  ])
    it(`keeps ${text} as it is`, () => {
      expect(toIso(Date.parse(text))).to.equal(text)
    })
})
