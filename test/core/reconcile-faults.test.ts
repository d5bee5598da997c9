/**
 * One thing goes wrong, at one point: every point of a whole life is tried in turn, and at each of them everything that
 * can befall it. Then looks alone have to end where they end when nothing goes wrong.
 */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { aWorld, type World, type WorldOptions } from './reconcile-world.ts'

const BEST_DAY: Omit<WorldOptions, 'dice'> = { nodes: 5, maxBatch: 2, visibilityDelayMs: 1_000, joinsFabric: true }
const NOTHING = 99
/**
 * One for each thing that can befall a point, whichever it is: a list that is not to be had or a death between two lines
 * (0); a call that is throttled (0), lost on its way (12), half done (22, 27), done with its answer lost (17, 35), or in
 * the middle of which the broker dies (42); a node that fails, a deletion that is not done (0); all of it late by as much.
 */
const MISFORTUNES = [0, 12, 17, 22, 27, 35, 42] as const

/** Far more than it takes to be ready when nothing goes wrong. */
const LOOKS_BEFORE_RELEASE = 15

/** Each is tried with something going wrong at every point of it. */
const LIVES: Readonly<Record<string, (world: World) => void>> = {
  'being built'(world) {
    world.lookUntilQuiet()
    expect(world.row().undoing).to.equal(null)
    expect(world.operator.standing().sort()).to.deep.equal(world.wantedNames().sort())
    world.release()
    world.lookUntilQuiet()
  },
  'being given back'(world) {
    world.lookTimes(LOOKS_BEFORE_RELEASE)
    world.release()
    expect(world.lookUntilQuiet().gone).to.equal(true)
  },
}

function expectNothingLost({ operator }: World): void {
  expect(operator.standing()).to.deep.equal([])
  expect(operator.peak, 'up or coming at once').to.be.at.most(BEST_DAY.nodes)
  expect(new Set(operator.built).size, 'a name was built twice').to.equal(operator.built.length)
  operator.now += 1_000_000
  expect(operator.standing(), 'came after it was called gone').to.deep.equal([])
}

const BEGUN = { 'with a look': false, 'by asking at once': true }

describe('a step that fails once', () => {
  for (const [name, live] of Object.entries(LIVES)) {
    for (const [how, asksAtOnce] of Object.entries(BEGUN)) {
      it(`is taken up again while nodes are ${name}, begun ${how}, at whichever point and whatever was done of it (invariants 2, 3)`, () => {
        const begun = { ...BEST_DAY, asksAtOnce }
        const best = aWorld({ ...begun, dice: [] })
        live(best)
        const points = best.rolls()
        expect(points).to.be.greaterThan(50)
        for (let point = 0; point < points; point += 1)
          for (const misfortune of MISFORTUNES) liveThrough(live, begun, { point, misfortune, points })
      })
    }
  }
})

function liveThrough(
  live: (world: World) => void,
  begun: Omit<WorldOptions, 'dice'>,
  { point, misfortune, points }: { readonly point: number; readonly misfortune: number; readonly points: number },
): void {
  const dice = [...Array.from({ length: point }, () => NOTHING), misfortune]
  try {
    const world = aWorld({ ...begun, dice })
    live(world)
    expectNothingLost(world)
  } catch (error) {
    throw new Error(`misfortune ${misfortune} at point ${point} of ${points}`, { cause: error })
  }
}

describe('a step that is taken twice', () => {
  it('leaves what it leaves when it is taken once', () => {
    const [once, twice] = [false, true].map((isTwice) => {
      const world = aWorld({ ...BEST_DAY, dice: [], twice: isTwice })
      world.lookUntilQuiet()
      const standing = world.operator.standing()
      world.release()
      world.lookUntilQuiet()
      expectNothingLost(world)
      return { standing, built: world.operator.built, generations: world.generations() }
    })
    expect(twice).to.deep.equal(once)
    expect(once?.built).to.have.length(BEST_DAY.nodes)
  })
})
