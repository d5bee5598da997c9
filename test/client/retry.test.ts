import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { DEFAULT_RETRY, isRetryable, pauseBeforeNext, retryAfterMs } from '../../broker/client/retry.ts'

const NOW = Date.parse('2026-11-24T09:00:00Z')

describe('retries', () => {
  it('follow answers that may be different the next time, and no others', () => {
    for (const status of [429, 502, 503, 504]) expect(isRetryable({ status, code: null }), String(status)).to.be.true
    for (const status of [400, 401, 403, 404, 409, 412, 422, 500]) {
      expect(isRetryable({ status, code: 'any' }), String(status)).to.be.false
    }
    expect(isRetryable({ status: 409, code: 'idempotency-in-flight' })).to.be.true
  })

  it('read Retry-After in seconds and as a date', () => {
    expect(retryAfterMs('5', NOW)).to.equal(5_000)
    expect(retryAfterMs('Tue, 24 Nov 2026 09:00:30 GMT', NOW)).to.equal(30_000)
    expect(retryAfterMs('Tue, 24 Nov 2026 08:59:00 GMT', NOW)).to.equal(0)
    expect(retryAfterMs('soon', NOW)).to.be.null
    expect(retryAfterMs(null, NOW)).to.be.null
  })

  it('pause longer each time, up to a ceiling', () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((attempt) =>
      pauseBeforeNext(DEFAULT_RETRY, { attempt, retryAfterMs: null, random: 0.999_999 }),
    )
    expect(pauses.map((ms) => Math.round(ms ?? Number.NaN))).to.deep.equal([250, 500, 1_000, 2_000, 4_000, 5_000])
  })

  it('end after the last attempt', () => {
    expect(pauseBeforeNext(DEFAULT_RETRY, { attempt: 7, retryAfterMs: null, random: 0 })).to.be.null
  })

  it('are given up where the broker asks for more patience than there is', () => {
    expect(pauseBeforeNext(DEFAULT_RETRY, { attempt: 1, retryAfterMs: 60_001, random: 0 })).to.be.null
  })

  it('never come sooner than asked', () => {
    const failed = fc.record({
      attempt: fc.integer({ min: 1, max: 6 }),
      retryAfterMs: fc.integer({ min: 0, max: 60_000 }),
      random: fc.double({ min: 0, max: 0.999, noNaN: true }),
    })
    fc.assert(
      fc.property(failed, (one) => {
        expect(pauseBeforeNext(DEFAULT_RETRY, one)).to.be.at.least(one.retryAfterMs)
      }),
    )
  })
})
