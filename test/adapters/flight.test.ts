/** What several calls share: one request for all of them, ended by none but the last. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { launchFlight } from '../../adapters/flight.ts'
import { type Looks, createLooks } from '../../adapters/looks.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { ProviderNode } from '../../shared/provider.ts'
import { errorOf } from './rejection.ts'
import { aCall } from './nhn/support.ts'

describe('a shared request', () => {
  it('goes on while one of its calls is left, and ends with the last', async () => {
    let signal: AbortSignal | undefined
    const answered = Promise.withResolvers<string>()
    const flight = launchFlight((own) => {
      signal = own
      return answered.promise
    }, Date.now)
    const first = new AbortController()
    const second = new AbortController()
    const firstWait = errorOf(flight.join(aCall({ signal: first.signal })))
    const secondWait = errorOf(flight.join(aCall({ signal: second.signal })))
    first.abort()
    expect(await firstWait).to.include({ kind: 'unreachable', effect: 'none' })
    expect([signal?.aborted, flight.isAbandoned()]).to.deep.equal([false, false])
    second.abort()
    await secondWait
    expect([signal?.aborted, flight.isAbandoned()]).to.deep.equal([true, true])
  })

  it('is waited for until the deadline of each call', async () => {
    const flight = launchFlight(() => new Promise<never>(() => undefined), Date.now)
    const patient = flight.join(aCall({ deadlineAt: Date.now() + 60_000, signal: AbortSignal.timeout(60) }))
    const hasty = flight.join(aCall({ deadlineAt: Date.now() + 5 }))
    const over = flight.join(aCall({ deadlineAt: Date.now() - 5 }))
    for (const waiting of [over, hasty, patient])
      expect(await errorOf(waiting)).to.include({ kind: 'unreachable', effect: 'none' })
  })
})

interface Listing {
  readonly name: string
  readonly signal: AbortSignal
  readonly answer: PromiseWithResolvers<readonly ProviderNode[]>
}

/** Lists that stay open until the test answers them. */
function openLists(): { begun: Listing[]; looks: Looks<ProviderNode> } {
  const begun: Listing[] = []
  const list = (name: string, { signal }: { readonly signal: AbortSignal }): Listing['answer']['promise'] => {
    const listing: Listing = { name, signal, answer: Promise.withResolvers() }
    begun.push(listing)
    return listing.answer.promise
  }
  const looks = createLooks(list, Date.now, () => Promise.resolve())
  return { begun, looks }
}

/** Lets everything happen that waits for nothing outside. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

describe('looking before creating', () => {
  it('lists the one group where nobody else looks, the allocation where several do', async () => {
    const { begun, looks } = openLists()
    const alone = looks.at('gba-', 'gba-000', aCall())
    await settle()
    const others = [looks.at('gba-', 'gba-001', aCall()), looks.at('gba-', 'gba-002', aCall())]
    begun[0]?.answer.resolve([])
    await alone
    await settle()
    begun[1]?.answer.resolve([])
    await Promise.all(others)
    expect(begun.map(({ name }) => name)).to.deep.equal(['gba-000', 'gba-'])
  })

  it('never serves a call with a list that began before it', async () => {
    const { begun, looks } = openLists()
    const first = looks.at('gba-', 'gba-000', aCall())
    await settle()
    let isServed = false
    const second = looks.at('gba-', 'gba-000', aCall()).then(() => (isServed = true))
    begun[0]?.answer.resolve([])
    await first
    await settle()
    expect([isServed, begun.length]).to.deep.equal([false, 2])
    begun[1]?.answer.resolve([])
    await second
  })

  it('lists again although the list before failed, or its callers have gone', async () => {
    const { begun, looks } = openLists()
    const caller = new AbortController()
    const failing = errorOf(looks.at('gba-', 'gba-000', aCall()))
    await settle()
    const leaving = errorOf(looks.at('gba-', 'gba-001', aCall({ signal: caller.signal })))
    caller.abort()
    await leaving
    const staying = looks.at('gba-', 'gba-002', aCall())
    begun[0]?.answer.reject(new ProviderError('unreachable', 'no answer', { effect: 'none' }))
    await failing
    await settle()
    const fresh = begun.filter(({ signal }) => !signal.aborted).at(-1)
    expect(fresh?.name).to.equal('gba-002')
    fresh?.answer.resolve([])
    expect(await staying).to.deep.equal([])
  })

  it('keeps allocations apart', async () => {
    const { begun, looks } = openLists()
    const both = [looks.at('gba-', 'gba-000', aCall()), looks.at('gbb-', 'gbb-000', aCall())]
    await settle()
    for (const { answer } of begun) answer.resolve([])
    await Promise.all(both)
    expect(begun.map(({ name }) => name)).to.deep.equal(['gba-000', 'gbb-000'])
  })
})
