/**
 * `npm run chaos -- --seed N --minutes M [--store pglite|postgres] [--replicas 1|3]`: a long run with a progress line and
 * a summary. Exit status 0 only if nothing was found.
 */
import { parseArgs } from 'node:util'
import { ENGINES } from '../support/database.ts'
import { run } from './run.ts'
import { SMALL_FLEET } from './fleet.ts'
import { summary } from './summary.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    minutes: { type: 'string', default: '5' },
    steps: { type: 'string' },
    store: { type: 'string', default: 'pglite' },
    replicas: { type: 'string', default: '1' },
  },
})
const engine = ENGINES.find((one) => one === values.store)
if (engine === undefined) throw new RangeError(`--store is one of ${ENGINES.join(', ')}`)
const [seed, minutes, replicas] = [Number(values.seed), Number(values.minutes), Number(values.replicas)]
const steps = values.steps === undefined ? null : Number(values.steps)
const startedAt = performance.now()
const report = await run({
  seed,
  engine,
  replicas,
  nodes: SMALL_FLEET,
  silentSteps: Number.POSITIVE_INFINITY,
  goesOn: (done, elapsedMs) => (steps === null ? elapsedMs < minutes * 60_000 : done < steps),
  onProgress: (line) =>
    process.stdout.write(`${((performance.now() - startedAt) / 1_000).toFixed(1).padStart(7)} s  ${line}\n`),
})
process.stdout.write(`\n${summary(report)}`)
process.exitCode = report.findings.length === 0 ? 0 : 1
