/** What concerns a whole process of tests. Loaded before all tests, by `.mocharc.json` and by the runner. */
import fc from 'fast-check'
import { closeAll } from './close-all.ts'

// Two runs of the same code give the same result, so what fast-check draws follows from one number. `TEST_SEED` is another
// one, or `random`; a failure prints the seed that finds it again.
const { TEST_SEED: seed = '20261201' } = process.env
if (seed !== 'random') fc.configureGlobal({ seed: Number(seed) })

// A promise that is rejected and that nobody awaits fails the test that runs: mocha itself passes such a rejection on to
// whoever listens, and without anybody it is lost.
process.on('unhandledRejection', (reason) => {
  throw reason instanceof Error ? reason : new Error('a promise was rejected with no error', { cause: reason })
})

const cleanUps: (() => Promise<void>)[] = []

/** Runs once all tests and all hooks of this process have run; what was registered last runs first. */
export const atEnd = (cleanUp: () => Promise<void>): void => void cleanUps.unshift(cleanUp)

export const mochaGlobalTeardown = (): Promise<void> => closeAll(...cleanUps.splice(0))
