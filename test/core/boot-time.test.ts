import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { pauseWhileBooting, rememberBoot, type SeenBoot } from '../../broker/core/boot-time.ts'

const up = (upMs: number, notYetMs = 0): SeenBoot => ({ notYetMs, upMs })

/** Looks as the pauses say, from the answer to the last create, until the nodes are up. */
function looksUntilUp(seen: readonly SeenBoot[], bootMs: number): number[] {
  const at = [0]
  for (let last = 0; last < bootMs; at.push(last)) {
    const pause = pauseWhileBooting(seen, last)
    if (pause === null) throw new Error('something is known')
    last += pause
  }
  return at
}

/** What the looks show of how long it takes. */
function seenBy(seen: readonly SeenBoot[], bootMs: number): SeenBoot {
  const looks = looksUntilUp(seen, bootMs)
  return up(looks.at(-1) ?? 0, looks.at(-2))
}

describe('looking at nodes that boot', () => {
  it('has nothing to go by before any were seen to be up', () => {
    expect(pauseWhileBooting([], 1_000)).to.equal(null)
  })

  it('looks half-way between when they were last seen booting and first seen up, then at that end, and then often', () => {
    const seen = [up(2_100, 2_000), up(2_600, 2_500)]
    expect(looksUntilUp(seen, 2_040)).to.deep.equal([0, 2_050])
    expect(looksUntilUp(seen, 2_070)).to.deep.equal([0, 2_050, 2_100])
    expect(looksUntilUp(seen, 2_110)).to.deep.equal([0, 2_050, 2_100, 2_200])
  })

  it('looks when they are known to be up once no more can be gained', () => {
    expect(looksUntilUp([up(2_010, 2_000)], 2_005)).to.deep.equal([0, 2_010])
  })

  it('is late by little, with one look or two, once it has been seen a few times', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1_600, max: 4_500 }), fc.integer({ min: 0, max: 300 }), (bootMs, lateMs) => {
        let seen: readonly SeenBoot[] = [up(bootMs + lateMs)]
        for (let time = 1; time <= 7; time += 1) seen = rememberBoot(seen, seenBy(seen, bootMs))
        const looks = looksUntilUp(seen, bootMs)
        expect((looks.at(-1) ?? 0) - bootMs).to.be.at.most(Math.max(100, bootMs / 32))
        expect(looks.length).to.be.at.most(4)
      }),
    )
  })

  it('never waits for longer than five seconds, however long they take, and always for a while', () => {
    const some = fc.record({ notYetMs: fc.nat(3_600_000), upMs: fc.nat(3_600_000) })
    fc.assert(
      fc.property(fc.array(some, { minLength: 1, maxLength: 9 }), fc.nat(7_200_000), (seen, since) => {
        expect(pauseWhileBooting(seen, since)).to.be.within(1, 5_000)
      }),
    )
  })

  it('forgets what was long ago', () => {
    const many = Array.from({ length: 8 }, () => up(3_000, 2_990)).reduce(rememberBoot, [up(10)])
    expect(pauseWhileBooting(many, 0)).to.equal(3_000)
  })
})
