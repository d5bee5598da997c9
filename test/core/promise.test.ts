import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { laterPromise, promiseFor } from '../../broker/core/promise.ts'
import { DAY_MS, HOUR_MS } from '../../shared/time.ts'
import { NOW } from './fleet.ts'

describe('a promise', () => {
  const promised = (waitDays: number, latestDays: number | null = null) =>
    promiseFor({
      plannedStart: NOW + waitDays * DAY_MS,
      now: NOW,
      latestStart: latestDays === null ? null : NOW + latestDays * DAY_MS,
      policy: DEFAULT_POLICY,
    })

  for (const [waitDays, latestDays, promisedDays] of [
    [0, null, 7],
    [10, null, 17],
    [14, null, 21],
    [30, null, 45],
    [30, 40, 40],
    [30, 60, 45],
  ] as const)
    it(`is ${promisedDays} days ahead for a planned wait of ${waitDays} days${latestDays === null ? '' : ` and a latest start in ${latestDays}`}`, () => {
      expect(promised(waitDays, latestDays)).to.equal(NOW + promisedDays * DAY_MS)
    })

  it('is not made where nothing is planned', () => {
    expect(promiseFor({ plannedStart: null, now: NOW, latestStart: null, policy: DEFAULT_POLICY })).to.equal(null)
  })
})

describe('a promise that was made', () => {
  const days = fc.option(
    fc.integer({ min: 0, max: 400 }).map((day) => NOW + day * DAY_MS),
    { nil: null },
  )
  const anyMade = fc
    .record({ plannedStart: days, latestStart: days, promised: fc.integer({ min: 0, max: 400 }), last: fc.nat(500) })
    // No plan is ever made past the last start that the caller allows.
    .filter(({ plannedStart, latestStart }) => latestStart === null || (plannedStart ?? 0) <= latestStart)
    .map(({ plannedStart, latestStart, promised, last }) => ({
      plannedStart,
      latestStart,
      promisedStart: NOW + promised * DAY_MS,
      lastStart: Math.min(NOW + last * DAY_MS, latestStart ?? Number.POSITIVE_INFINITY),
      now: NOW,
      policy: DEFAULT_POLICY,
    }))

  it('is kept exactly while the plan keeps it, and is never made earlier, nor later than the caller allows', () => {
    fc.assert(
      fc.property(anyMade, (made) => {
        const later = laterPromise(made)
        if (made.plannedStart !== null) expect(later === null).to.equal(made.plannedStart <= made.promisedStart)
        if (later === null) return
        expect(later).to.be.greaterThan(made.promisedStart)
        expect(later).to.be.at.least(made.plannedStart ?? 0)
        expect(later).to.be.at.most(made.latestStart ?? Number.POSITIVE_INFINITY)
      }),
    )
  })

  it('is kept by the next plan where that falls behind: with the slack of a new one', () => {
    const plan = { plannedStart: NOW + 30 * DAY_MS, latestStart: null, now: NOW, policy: DEFAULT_POLICY }
    const made = { ...plan, promisedStart: NOW + 30 * DAY_MS - HOUR_MS, lastStart: NOW + 90 * DAY_MS }
    expect(laterPromise(made)).to.equal(promiseFor(plan))
  })

  it('becomes the last start that is allowed where nothing is planned any more', () => {
    const made = { plannedStart: null, latestStart: null, now: NOW, policy: DEFAULT_POLICY, promisedStart: NOW }
    expect(laterPromise({ ...made, lastStart: NOW + 90 * DAY_MS })).to.equal(NOW + 90 * DAY_MS)
    expect(laterPromise({ ...made, lastStart: NOW })).to.equal(null)
    expect(laterPromise({ ...made, lastStart: Number.POSITIVE_INFINITY })).to.equal(null)
  })
})
