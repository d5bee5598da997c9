import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { pauseWhileBooting, rememberBoot } from '../../broker/core/boot-time.ts'

/** Looks as the pauses say, from the answer to the last create, until the nodes are up. */
function looksUntilUp(tookMs: readonly number[], bootMs: number): number[] {
  const at = [0]
  for (let last = 0; last < bootMs; at.push(last)) {
    const pause = pauseWhileBooting(tookMs, last)
    if (pause === null) throw new Error('something is known')
    last += pause
  }
  return at
}

describe('looking at nodes that boot', () => {
  it('has nothing to go by before any were seen to be up', () => {
    expect(pauseWhileBooting([], 1_000)).to.equal(null)
  })

  it('waits until they may be up, and then looks often', () => {
    expect(looksUntilUp([2_100, 2_600], 2_050)).to.deep.equal([0, 2_037, 2_137])
  })

  it('is late by a sixteenth of a short boot at most, with a handful of looks, once it has been seen a few times', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_600, max: 4_500 }), fc.integer({ min: 0, max: 300 }), (bootMs, lateMs) => {
        let tookMs: readonly number[] = [bootMs + lateMs]
        for (let time = 1; time <= 6; time += 1) tookMs = rememberBoot(tookMs, looksUntilUp(tookMs, bootMs).at(-1) ?? 0)
        const looks = looksUntilUp(tookMs, bootMs)
        expect((looks.at(-1) ?? 0) - bootMs).to.be.at.most(Math.max(100, bootMs / 16))
        expect(looks.length).to.be.at.most(5)
      }),
    )
  })

  it('never waits for longer than five seconds, however long they take, nor for less than a tenth of one', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(3_600_000), { minLength: 1, maxLength: 9 }), fc.nat(7_200_000), (tookMs, since) => {
        expect(pauseWhileBooting(tookMs, since)).to.be.within(100, 5_000)
      }),
    )
  })

  it('forgets what was long ago', () => {
    const many = Array.from({ length: 8 }, () => 3_000).reduce<readonly number[]>(rememberBoot, [10])
    expect(pauseWhileBooting(many, 0)).to.equal(2_910)
  })
})
