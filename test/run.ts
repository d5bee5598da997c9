/**
 * The test runner: `npm test` runs the checks and all parts, two at a time; `-- core http` only what is named;
 * `--no-checks` the tests alone; `--full` runs `npm test` and then the long parts. Its last line is the sum.
 */
import { globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { ROOT, filesOf, runPart, stopAll } from './run-part.ts'
import { CHECKS, LONG_PARTS, type Part, SHORT_RUN, TESTS } from './run-parts.ts'
import { type Counts, NO_COUNTS, type Outcome, addCounts, partLines, summaryLine } from './run-report.ts'
import { isInstalled, withoutTools } from './run-tools.ts'

/** Some parts start databases of their own; more at once gain nothing on the machines that CI has. */
const AT_ONCE = Math.min(2, availableParallelism())

const say = (text: string): void => void process.stdout.write(`${text}\n`)

function told(outcome: Outcome): Outcome {
  say(partLines(outcome))
  return outcome
}

async function runAll(parts: readonly Part[]): Promise<Counts> {
  const waiting = [...parts]
  let sum = NO_COUNTS
  async function takeNext(): Promise<void> {
    for (let part = waiting.shift(); part !== undefined; part = waiting.shift()) {
      const outcome = told(await runPart(part))
      sum = addCounts(sum, outcome) // after the wait: the other one adds to it meanwhile
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, takeNext))
  return sum
}

/** A test file that no part runs would be green for ever. */
function strays(): Outcome | null {
  const parts: readonly Part[] = [...TESTS, ...LONG_PARTS.map((long) => long.part)]
  const known = new Set(parts.flatMap((part) => (part.kind === 'mocha' ? filesOf(part) : [])))
  const found = globSync('test/**/*.test.ts', { cwd: ROOT }).filter((file) => !known.has(file))
  if (found.length === 0) return null
  const problem = 'test files that belong to no part of test/run-parts.ts'
  return { ...NO_COUNTS, name: 'parts', failed: 1, durationMs: 0, problem, output: found.join('\n') }
}

async function runShort(withChecks: boolean): Promise<Counts> {
  const stray = strays()
  const counts = await runAll([...(withChecks ? CHECKS : []), ...TESTS])
  return stray === null ? counts : addCounts(counts, told(stray))
}

async function runFull(): Promise<Counts> {
  const path = process.env['PATH'] ?? ''
  const inCi = (process.env['CI'] ?? '') !== ''
  let sum: Counts = told(await runPart(SHORT_RUN))
  for (const { part, needs } of LONG_PARTS) {
    const missing = needs.filter((tool) => !isInstalled(tool, path))
    sum = addCounts(sum, told(missing.length === 0 ? await runPart(part) : withoutTools(part.name, missing, inCi)))
  }
  return sum
}

/** `api` names both `api on …`. */
function named(names: readonly string[]): readonly Part[] {
  const parts: readonly Part[] = [...CHECKS, ...TESTS, ...LONG_PARTS.map((long) => long.part)]
  return names.flatMap((name) => {
    const found = parts.filter((part) => part.name === name || part.name.split(/[: ]/)[0] === name)
    if (found.length > 0) return found
    throw new RangeError(`there is no part ${name}; there are ${parts.map((part) => part.name).join(', ')}`)
  })
}

async function main(): Promise<Counts> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { full: { type: 'boolean', default: false }, 'no-checks': { type: 'boolean', default: false } },
  })
  if (positionals.length > 0) return runAll(named(positionals))
  return values.full ? runFull() : runShort(!values['no-checks'])
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    stopAll()
    process.exit(1)
  })
}

try {
  const counts = await main()
  say('')
  say(summaryLine(counts))
  process.exitCode = counts.failed === 0 ? 0 : 1
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
