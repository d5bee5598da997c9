import { expect } from 'chai'
import { describe, it } from 'mocha'
import { AvailabilityQuery, rangeOf } from '../../broker/http/time-range.ts'
import { DAY_MS } from '../../shared/time.ts'
import { refusalOf } from '../support/refusal-of.ts'

const NOW = Date.parse('2026-11-24T09:00:00Z')
const range = (query: object) => rangeOf(AvailabilityQuery.parse(query), NOW)

describe('the range of an availability', () => {
  it('is the next 90 days unless asked otherwise', () => {
    expect(range({})).to.deep.equal({ from: NOW, to: NOW + 90 * DAY_MS })
  })

  it('is 90 days long from the start that is asked for', () => {
    const from = Date.parse('2028-01-01T00:00:00Z')
    expect(range({ from: '2028-01-01T00:00:00Z' })).to.deep.equal({ from, to: from + 90 * DAY_MS })
  })

  it('may lie in the past', () => {
    expect(range({ from: '2025-01-01T00:00:00Z', to: '2025-02-01T00:00:00Z' }).to).to.be.below(NOW)
  })

  it('takes an offset, even one whose plus sign was not escaped', () => {
    const wanted = Date.parse('2026-11-30T15:00:00Z')
    expect(range({ from: '2026-12-01T00:00:00+09:00' }).from).to.equal(wanted)
    expect(range({ from: '2026-12-01T00:00:00 09:00' }).from).to.equal(wanted)
  })

  it('may be three years long, across a leap day too', () => {
    expect(range({ from: '2026-03-01T00:00:00Z', to: '2029-03-01T00:00:00Z' }).to).to.equal(
      Date.parse('2029-03-01T00:00:00Z'),
    )
  })

  for (const [rule, query] of [
    ['longer than three years', { from: '2026-03-01T00:00:00Z', to: '2029-03-01T00:00:01Z' }],
    ['empty', { from: '2026-03-01T00:00:00Z', to: '2026-03-01T00:00:00Z' }],
    ['backwards', { from: '2026-03-02T00:00:00Z', to: '2026-03-01T00:00:00Z' }],
    ['over before it starts now', { to: '2026-11-01T00:00:00Z' }],
  ] as const) {
    it(`is refused when ${rule}`, () => {
      const refusal = refusalOf(() => range(query))
      expect(refusal.code).to.equal('invalid-request')
      expect(refusal.members['errors']).to.have.nested.property('[0].pointer', '/to')
    })
  }
})
