import { expect } from 'chai'
import { describe, it } from 'mocha'
import { type Remembered, createTokenCache } from '../../broker/http/token-cache.ts'

describe('what is known of tokens', () => {
  const MAX_ENTRIES = 3

  function looked() {
    let nowMs = 0
    const looks: string[] = []
    const cache = createTokenCache<string>({ maxEntries: MAX_ENTRIES, now: () => nowMs })
    const recall = (token: string, lifeMs = 100): Promise<string> =>
      cache.recall(token, async (): Promise<Remembered<string>> => {
        looks.push(token)
        return { value: `about ${token}`, until: nowMs + lifeMs }
      })
    return { cache, recall, looks, pass: (ms: number) => (nowMs += ms) }
  }

  it('is found out once, until it has to be forgotten', async () => {
    const { recall, looks, pass } = looked()
    for (let n = 0; n < 3; n += 1) expect(await recall('a')).to.equal('about a')
    pass(99)
    await recall('a')
    expect(looks).to.deep.equal(['a'])
    pass(1)
    await recall('a')
    expect(looks).to.deep.equal(['a', 'a'])
  })

  it('is found out once for all who ask at the same time', async () => {
    const { recall, looks } = looked()
    await Promise.all([recall('a'), recall('a'), recall('b')])
    expect(looks).to.deep.equal(['a', 'b'])
  })

  it('is bounded: what was not asked for the longest goes first', async () => {
    const { recall, looks } = looked()
    for (const token of ['a', 'b', 'c', 'a', 'd', 'a', 'c', 'b']) await recall(token)
    expect(looks).to.deep.equal(['a', 'b', 'c', 'd', 'b'])
  })

  it('is not kept when it is over already', async () => {
    const { recall, looks } = looked()
    await recall('a', 0)
    await recall('a', 0)
    expect(looks).to.deep.equal(['a', 'a'])
  })

  it('is not kept when it could not be found out', async () => {
    const { cache, recall, looks } = looked()
    const outcome = await cache.recall('a', () => Promise.reject(new Error('no'))).catch(() => 'failed')
    expect(outcome).to.equal('failed')
    expect(await recall('a')).to.equal('about a')
    expect(looks).to.deep.equal(['a'])
  })
})
