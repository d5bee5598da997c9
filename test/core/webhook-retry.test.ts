import { expect } from 'chai'
import { describe, it } from 'mocha'
import { endpointPauseMs, nextAttemptAt, RETRIED_FOR_MS } from '../../broker/core/webhook-retry.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../shared/time.ts'

describe('a delivery that fails', () => {
  /** Instants of all attempts of a delivery whose endpoint never answers well. */
  const attempts = (): number[] => {
    const at = [0]
    for (;;) {
      const next = nextAttemptAt(at.length, { now: at.at(-1) ?? 0, giveUpAt: RETRIED_FOR_MS })
      if (next === null) return at
      at.push(next)
    }
  }

  it('is tried for close to three days, and then parked', () => {
    expect(attempts().at(-1)).to.be.within(2.9 * DAY_MS, 3 * DAY_MS)
  })

  it('is tried at pauses that never get shorter', () => {
    const at = attempts()
    const pauses = at.slice(1).map((one, index) => one - (at[index] ?? 0))
    expect(pauses).to.deep.equal(pauses.toSorted((a, b) => a - b))
    expect(pauses[0]).to.equal(5 * SECOND_MS)
  })

  it('is tried a last time when its time is up, however late the attempts before came', () => {
    const giveUpAt = RETRIED_FOR_MS
    expect(nextAttemptAt(10, { now: giveUpAt - HOUR_MS, giveUpAt })).to.equal(giveUpAt)
    expect(nextAttemptAt(11, { now: giveUpAt, giveUpAt })).to.equal(null)
    expect(nextAttemptAt(1, { now: giveUpAt + 1, giveUpAt })).to.equal(null)
  })

  it('holds up what comes after it for a minute at most', () => {
    const pauses = Array.from({ length: 40 }, (_, index) => endpointPauseMs(index + 1))
    expect(pauses.slice(0, 7)).to.deep.equal([1, 2, 4, 8, 16, 32, 60].map((seconds) => seconds * SECOND_MS))
    expect(Math.max(...pauses)).to.equal(MINUTE_MS)
  })
})
