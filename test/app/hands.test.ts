import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createHands, type Hands } from '../../broker/workers/hands.ts'

const NOBODY = new AbortController().signal

/** Resolves with whether its signal ended first. */
const untilHeld = (hands: Hands, providerId: string, freed: Promise<unknown>, signal = NOBODY): Promise<boolean> =>
  hands.at(providerId, signal, (end) => {
    const held = new Promise<boolean>((resolve) => {
      if (end.aborted) resolve(true)
      end.addEventListener('abort', () => resolve(true))
    })
    return Promise.race([held, freed.then(() => false)])
  })

describe('hands at an operator', () => {
  it('are held by a freeze of this replica at once, there and nowhere else', async () => {
    const hands = createHands({ frozen: async () => new Set(), onError: () => undefined })
    const { promise: freed, resolve: free } = Promise.withResolvers<void>()
    const [there, elsewhere] = [untilHeld(hands, 'kakao', freed), untilHeld(hands, 'nhn', freed)]
    hands.noticed({
      frozen: new Map([
        ['kakao', true],
        ['nhn', false],
      ]),
    })
    expect(await there).to.equal(true)
    free()
    expect(await elsewhere).to.equal(false)
  })

  it('are held by a freeze of another replica once it is looked for, and look for it only while they are busy', async () => {
    const errors: unknown[] = []
    const answers = [new Error('the database is away'), new Set<string>(), new Set(['kakao'])]
    let looks = 0
    const frozen = async (): Promise<ReadonlySet<string>> => {
      const answer = answers[Math.min(looks, answers.length - 1)]
      looks += 1
      if (answer instanceof Error) throw answer
      return answer ?? new Set()
    }
    const hands = createHands({ frozen, onError: (error) => void errors.push(error), everyMs: 1 })
    expect(await untilHeld(hands, 'kakao', Promise.withResolvers().promise)).to.equal(true)
    expect([looks, errors.length]).to.deep.equal([3, 1])
    expect(await untilHeld(hands, 'kakao', Promise.resolve())).to.equal(false)
    expect(looks).to.equal(3)
  })

  it('are held with the work that they belong to', async () => {
    const hands = createHands({ frozen: async () => new Set(), onError: () => undefined })
    const work = new AbortController()
    const held = untilHeld(hands, 'kakao', Promise.withResolvers().promise, work.signal)
    work.abort()
    expect(await held).to.equal(true)
    expect(await untilHeld(hands, 'kakao', Promise.withResolvers().promise, work.signal)).to.equal(true)
  })
})
