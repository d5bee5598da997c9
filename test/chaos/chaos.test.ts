/**
 * A storm of a few steps, and what must be true after it. `STORE`, `CHAOS_REPLICAS` and `CHAOS_STEPS` make it another or
 * a longer one, and `CHAOS_SEED` draws another: two runs of the same code are to give the same result.
 */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { engineOfThisRun } from '../support/database.ts'
import { SMALL_FLEET } from './fleet.ts'
import { run } from './run.ts'
import { summary } from './summary.ts'

const seed = Number(process.env['CHAOS_SEED'] ?? 4711)
const replicas = Number(process.env['CHAOS_REPLICAS'] ?? 1)
const steps = Number(process.env['CHAOS_STEPS'] ?? 5)
/** Each black hole costs a call's deadline, half a minute: a short run has them elsewhere (`test/durability/silence`). */
const silentSteps = steps > 10 ? steps / 2 : 0

describe(`chaos (seed ${seed})`, function () {
  this.timeout(1_190_000)

  it('leaves no orphan, no double, no double grant and no gap, and keeps what it answered (invariants 1 to 4)', async () => {
    const report = await run({
      seed,
      engine: engineOfThisRun(),
      replicas,
      nodes: SMALL_FLEET,
      silentSteps,
      goesOn: (done) => done < steps,
      onProgress: () => undefined,
    })
    expect(report.findings, summary(report)).to.deep.equal([])
  })
})
