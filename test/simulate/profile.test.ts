import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { earliestStart, forgetBefore, freeAt, leastFree, profileOf, take } from '../../broker/simulate/profile.ts'

const anyTaken = fc.array(
  fc.record({ start: fc.integer({ min: 0, max: 40 }), length: fc.integer({ min: 0, max: 20 }), nodes: fc.nat(4) }),
  { maxLength: 12 },
)

const phase = { stage: 'general', basis: 'announced' } as const
const PHASES = [
  { ...phase, from: 5, nodes: 10 },
  { ...phase, from: 30, nodes: 16 },
]

describe('a profile of free nodes', () => {
  it('agrees with counting instant by instant, also once the past is forgotten', () => {
    fc.assert(
      fc.property(anyTaken, fc.nat(60), fc.integer({ min: 1, max: 25 }), fc.nat(12), (taken, from, length, nodes) => {
        const profile = profileOf(PHASES)
        for (const { start, length, nodes } of taken) take(profile, { start, end: start + length }, nodes)
        forgetBefore(profile, from)
        const free = (at: number): number => {
          const held = taken.filter(({ start, length }) => start <= at && at < start + length)
          const capacity = at < 5 ? 0 : at < 30 ? 10 : 16
          return capacity - held.reduce((sum, { nodes }) => sum + nodes, 0)
        }
        const within = (start: number) => Array.from({ length }, (_, at) => free(start + at))
        for (let at = from; at < from + 70; at += 1) expect(freeAt(profile, at)).to.equal(free(at))
        expect(leastFree(profile, { start: from, end: from + length })).to.equal(Math.min(...within(from)))

        const starts = Array.from({ length: 70 }, (_, at) => from + at)
        const first = starts.find((start) => Math.min(...within(start)) >= nodes) ?? null
        const search = { from, lengthMs: length, nodes, before: Number.POSITIVE_INFINITY }
        expect(earliestStart(profile, search)).to.equal(first)
        expect(earliestStart(profile, { ...search, before: first ?? 0 })).to.equal(null)
      }),
      { numRuns: 500 },
    )
  })

  it('is as it was once what was taken is given back', () => {
    fc.assert(
      fc.property(anyTaken, (taken) => {
        const profile = profileOf(PHASES)
        for (const { start, length, nodes } of taken) take(profile, { start, end: start + length }, nodes)
        for (const { start, length, nodes } of taken) take(profile, { start, end: start + length }, -nodes)
        expect(profile).to.deep.equal(profileOf(PHASES))
      }),
    )
  })

  it('gives back what began before all that it remembers', () => {
    fc.assert(
      fc.property(anyTaken, fc.nat(60), (taken, now) => {
        const [profile, untouched] = [profileOf(PHASES), profileOf(PHASES)]
        for (const { start, length, nodes } of taken) take(profile, { start, end: start + length }, nodes)
        forgetBefore(profile, now)
        for (const { start, length, nodes } of taken) take(profile, { start, end: start + length }, -nodes)
        expect(profile.times).to.deep.equal(profile.times.toSorted((a, b) => a - b))
        for (let at = now; at < now + 70; at += 1) expect(freeAt(profile, at)).to.equal(freeAt(untouched, at))
      }),
    )
  })
})
