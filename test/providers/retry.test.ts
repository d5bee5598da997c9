import { expect } from 'chai'
import { describe, it } from 'mocha'
import { createRetryBudget, type RetryBudget, withRetries } from '../../broker/providers/retry.ts'
import { ProviderError, type ProviderErrorDetails, type ProviderErrorKind } from '../../shared/provider-error.ts'
import type { Call } from '../../shared/provider.ts'

const aCall = (remainingMs = 30_000): Call => ({
  operationId: 'op',
  deadlineAt: Date.now() + remainingMs,
  signal: new AbortController().signal,
})
const anError = (kind: ProviderErrorKind, details: Partial<ProviderErrorDetails> = {}): ProviderError =>
  new ProviderError(kind, 'no', { effect: 'none', ...details })

interface Tried {
  readonly attempts: number
  readonly retries: number
}

/** Fails with these, one after the other, then succeeds. */
async function tryThrough(
  errors: readonly ProviderError[],
  {
    call = aCall(),
    budget = createRetryBudget(),
    random = 0,
  }: { call?: Call; budget?: RetryBudget; random?: number } = {},
): Promise<Tried> {
  let attempts = 0
  let retries = 0
  const attempt = async (): Promise<void> => {
    const error = errors[attempts]
    attempts += 1
    if (error !== undefined) throw error
  }
  const onRetry = (): void => void (retries += 1)
  await withRetries(call, attempt, { budget, now: Date.now, random: () => random, onRetry }).catch(() => undefined)
  return { attempts, retries }
}

describe('a call that is asked again', () => {
  it('had surely no effect, and is asked three times at most', async () => {
    const unreachable = anError('unreachable')
    expect(await tryThrough([unreachable])).to.deep.equal({ attempts: 2, retries: 1 })
    expect(await tryThrough([anError('throttled'), unreachable, unreachable])).to.deep.equal({
      attempts: 3,
      retries: 2,
    })
  })

  for (const [why, error] of [
    ['may have had effect', anError('unreachable', { effect: 'maybe' })],
    ['was understood', anError('out-of-capacity')],
    ['waited in our own queue', anError('unreachable', { code: 'QUEUED' })],
    ['met an open circuit', anError('unreachable', { code: 'CIRCUIT_OPEN' })],
    ['has waited out its deadline', anError('unreachable', { code: 'DEADLINE' })],
  ] as const) {
    it(`is not one that ${why}`, async () => {
      expect(await tryThrough([error])).to.deep.equal({ attempts: 1, retries: 0 })
    })
  }

  it('is not one whose pause would outlast its deadline', async () => {
    const throttled = anError('throttled', { retryAfterMs: 5_000 })
    expect((await tryThrough([throttled], { call: aCall(1_000) })).attempts).to.equal(1)
    expect((await tryThrough([anError('unreachable')], { call: aCall(100), random: 1 })).attempts).to.equal(1)
  })

  it('costs of a budget that first attempts earn, ten for one', async () => {
    const budget = createRetryBudget()
    while (budget.left() >= 1) budget.spend()
    expect((await tryThrough([anError('unreachable')], { budget })).attempts).to.equal(1)
    for (let n = 0; n < 9; n += 1) await tryThrough([], { budget })
    expect((await tryThrough([anError('unreachable')], { budget })).attempts).to.equal(2)
  })
})
