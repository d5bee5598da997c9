import { expect } from 'chai'
import { share, shareByKey } from '../../broker/store/shared-read.ts'

/** Reads that end when told. */
function heldReads<T>(value: T) {
  const begun: { end: () => void; fail: (error: Error) => void }[] = []
  const read = (): Promise<T> =>
    new Promise((resolve, reject) => void begun.push({ end: () => resolve(value), fail: reject }))
  return { begun, read }
}

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

describe('reads that are shared', () => {
  it('are one for all who ask before it begins', async () => {
    let reads = 0
    const shared = share(async () => ++reads)
    expect(await Promise.all([shared(), shared(), shared()])).to.deep.equal([1, 1, 1])
  })

  it('begin anew for whoever asks while one is on its way: it may be older than what he has been told', async () => {
    const { begun, read } = heldReads('read')
    const shared = share(read)
    const first = shared()
    await turn()
    const later = [shared(), shared()]
    await turn()
    expect(begun).to.have.length(1)
    begun[0]?.end()
    await first
    await turn()
    expect(begun).to.have.length(2)
    begun[1]?.end()
    expect(await Promise.all(later)).to.deep.equal(['read', 'read'])
  })

  it('fail for those who share them, and for nobody after', async () => {
    const { begun, read } = heldReads('read')
    const shared = share(read)
    const first = Promise.allSettled([shared(), shared()])
    await turn()
    begun[0]?.fail(new Error('the connection broke'))
    expect((await first).map(({ status }) => status)).to.deep.equal(['rejected', 'rejected'])
    const next = shared()
    await turn()
    begun[1]?.end()
    expect(await next).to.equal('read')
  })

  it('ask for each key once, give each caller his own, and split what are too many', async () => {
    const asked: (readonly string[])[] = []
    const find = shareByKey(async (keys: readonly string[]) => {
      asked.push(keys)
      return new Map(keys.filter((key) => key !== 'none').map((key) => [key, `the ${key}`]))
    }, 3)
    const found = await Promise.all(['a', 'b', 'a', 'none', 'c'].map(find))
    expect(found).to.deep.equal(['the a', 'the b', 'the a', undefined, 'the c'])
    expect(asked).to.deep.equal([['a', 'b', 'none'], ['c']])
  })
})
