import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { type Candidate, chooseVictims } from '../../../broker/core/idle/victims.ts'

const anyCandidates = fc.array(
  fc.record({ nodes: fc.integer({ min: 1, max: 9 }), lost: fc.integer({ min: 0, max: 20 }) }),
  { maxLength: 9 },
)
const nodesOf = (some: readonly Candidate[]): number => some.reduce((sum, { nodes }) => sum + nodes, 0)
const lostOf = (some: readonly Candidate[]): number => some.reduce((sum, { lost }) => sum + lost, 0)

/** Every set of candidates that brings enough, the best first: fewest, then least lost. */
function bruteForce(candidates: readonly Candidate[], needed: number): readonly Candidate[] | undefined {
  const sets = Array.from({ length: 2 ** candidates.length }, (_, set) =>
    candidates.filter((__, index) => (set >> index) % 2 === 1),
  )
  return sets
    .filter((some) => nodesOf(some) >= needed)
    .toSorted((a, b) => a.length - b.length || lostOf(a) - lostOf(b))[0]
}

describe('the grants that give way', () => {
  it('are the fewest, and of those the ones that lose least, as trying all of them finds', () => {
    fc.assert(
      fc.property(anyCandidates, fc.integer({ min: 1, max: 60 }), (candidates, needed) => {
        const chosen = chooseVictims(candidates, needed)
        const best = bruteForce(candidates, needed) ?? candidates
        expect([chosen.length, lostOf(chosen)]).to.deep.equal([best.length, lostOf(best)])
        expect(nodesOf(chosen)).to.be.at.least(Math.min(needed, nodesOf(candidates)))
        expect(new Set(chosen).size).to.equal(chosen.length)
      }),
      { numRuns: 2_000 },
    )
  })

  it('are none where no node is needed, and all where all are too few', () => {
    const candidates = [
      { nodes: 2, lost: 1 },
      { nodes: 3, lost: 9 },
    ]
    expect(chooseVictims(candidates, 0)).to.deep.equal([])
    expect(chooseVictims(candidates, 6)).to.have.members(candidates)
  })

  it('are one large one rather than two small ones that lose less', () => {
    const large = { nodes: 4, lost: 100 }
    const small = { nodes: 2, lost: 1 }
    expect(chooseVictims([small, { ...small }, large], 4)).to.deep.equal([large])
    expect(chooseVictims([small, { ...small }, large], 2)).to.deep.equal([small])
  })

  it('are found among as many grants as the largest cluster has nodes', () => {
    const candidates = Array.from({ length: 510 }, (_, index) => ({ nodes: 1, lost: (index * 7) % 510 }))
    const chosen = chooseVictims(candidates, 255)
    expect(chosen.map(({ lost }) => lost).toSorted((a, b) => a - b)).to.deep.equal(
      Array.from({ length: 255 }, (_, lost) => lost),
    )
  })
})
