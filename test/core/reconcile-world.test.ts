/**
 * Whatever befalls the broker and the operator, in any order: looks alone bring the two together. fast-check prints the
 * seed and the smallest dice of a failure.
 */
import { expect } from 'chai'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { aWorld, type WorldOptions } from './reconcile-world.ts'

const anyWorld: fc.Arbitrary<WorldOptions> = fc.record({
  nodes: fc.integer({ min: 1, max: 12 }),
  maxBatch: fc.integer({ min: 1, max: 5 }),
  visibilityDelayMs: fc.constantFrom(0, 1_000, 8_000),
  joinsFabric: fc.boolean(),
  asksAtOnce: fc.boolean(),
  dice: fc.array(fc.nat({ max: 99 }), { maxLength: 400, size: 'max' }),
})

const RUNS = 400

describe('looks, crashes and misfortunes', () => {
  it('end with exactly the wanted nodes, and never had more of them on the way (invariant 2)', () => {
    fc.assert(
      fc.property(anyWorld, (options) => {
        const world = aWorld(options)
        world.lookUntilQuiet()
        const { operator } = world
        expect(new Set(operator.built).size, 'a name was built twice').to.equal(operator.built.length)
        expect(operator.peak, 'up or coming at once').to.be.at.most(options.nodes)
        const gaveUp = world.row().undoing !== null
        expect(Math.max(...world.generations())).to.be.at.most(4)
        expect(operator.standing().sort()).to.deep.equal(gaveUp ? [] : world.wantedNames().sort())
      }),
      { numRuns: RUNS },
    )
  })

  it('end with exactly those that stay when it is made smaller in the midst of a look (invariants 2 and 3)', () => {
    const anyShrink = fc.record({ to: fc.integer({ min: 1, max: 12 }), inLook: fc.integer({ min: 1, max: 12 }) })
    fc.assert(
      fc.property(anyWorld, anyShrink, (options, { to, inLook }) => {
        const world = aWorld({ ...options, shrinks: { to: Math.min(to, options.nodes), inLook } })
        world.lookTimes(inLook)
        world.lookUntilQuiet()
        world.operator.now += 1_000_000 // what was asked for and has not been seen can appear no more
        world.lookUntilQuiet()
        const { undoing, nodes, desiredNodes } = world.row()
        expect(world.operator.standing().sort()).to.deep.equal(undoing === null ? world.wantedNames().sort() : [])
        if (undoing === null) expect(nodes, 'held').to.equal(desiredNodes)
      }),
      { numRuns: RUNS },
    )
  })

  it('end with none after a release, whenever it is asked for (invariant 3)', () => {
    fc.assert(
      fc.property(anyWorld, fc.nat({ max: 20 }), (options, looksBefore) => {
        const world = aWorld(options)
        world.lookTimes(looksBefore)
        world.release()
        const plan = world.lookUntilQuiet()
        expect(plan.gone).to.equal(true)
        expect(world.operator.standing()).to.deep.equal([])
        world.operator.now += 1_000_000
        expect(world.operator.standing(), 'came after it was called gone').to.deep.equal([])
      }),
      { numRuns: RUNS },
    )
  })

  it('change nothing any more once they have come to rest', () => {
    fc.assert(
      fc.property(anyWorld, (options) => {
        const world = aWorld(options)
        world.lookUntilQuiet()
        const built = world.operator.built.length
        const again = world.lookUntilQuiet()
        expect(again.steps).to.deep.equal([])
        expect(again.notes).to.deep.equal([])
        expect(world.operator.built).to.have.length(built)
      }),
      { numRuns: RUNS / 4 },
    )
  })
})
