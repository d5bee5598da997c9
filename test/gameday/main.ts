/**
 * `npm run gameday [-- --only "operator black-holed"] [--store pglite|postgres]`: breaks a sandbox one way after another and
 * waits for each alert in a real Prometheus, then for its end. Exit status 0 only if every alert came and went.
 */
import { parseArgs } from 'node:util'
import { table } from '../../broker/cli/screen/table.ts'
import { closeAll } from '../support/close-all.ts'
import { ENGINES } from '../support/database.ts'
import { mochaGlobalTeardown } from '../support/process.ts'
import { isInstalled } from '../run-tools.ts'
import { AT_ONCE, type Break, ONE_BY_ONE } from './breaks.ts'
import { type Outcome, play, seconds } from './day.ts'
import { type GameWorld, startGameWorld } from './world.ts'

const startedAt = performance.now()
const say = (line: string): void =>
  void process.stdout.write(`${seconds(performance.now() - startedAt).padStart(7)}  ${line}\n`)

async function playAll(world: GameWorld, isMeant: (one: Break) => boolean): Promise<readonly Outcome[]> {
  const outcomes = await Promise.all(AT_ONCE.filter(isMeant).map((one) => play(world, one, { say })))
  for (const one of ONE_BY_ONE.filter(isMeant)) outcomes.push(await play(world, one, { say }))
  return outcomes
}

const shown = (ms: number | null): string => (ms === null ? '–' : seconds(ms))

function summary(outcomes: readonly Outcome[]): string {
  const text = table<Outcome>(
    [
      { head: 'broken', value: (one) => one.name },
      { head: 'alert', value: (one) => one.alert },
      { head: 'rules', value: (one) => one.rules },
      { head: 'fired after', value: (one) => shown(one.firedAfterMs) },
      { head: 'clear after', value: (one) => shown(one.clearedAfterMs) },
      { head: 'runbook', value: (one) => one.runbook },
    ],
    outcomes,
  )
  const bad = outcomes.flatMap(({ name, problem }) => (problem === null ? [] : [`${name}: ${problem}\n`]))
  const note =
    'shortened: waits of minutes and hours are cut to 5 s, so that an alert that takes an hour can be seen.\n'
  return `\n${text}\n${note}${bad.join('')}${outcomes.length - bad.length} of ${outcomes.length} alerts came and went.\n`
}

const { values } = parseArgs({
  options: { only: { type: 'string', multiple: true }, store: { type: 'string', default: 'postgres' } },
})
const engine = ENGINES.find((one) => one === values.store)
if (engine === undefined) throw new RangeError(`--store is one of ${ENGINES.join(', ')}`)
const names = [...AT_ONCE, ...ONE_BY_ONE].map(({ name }) => name)
const unknown = (values.only ?? []).filter((name) => !names.includes(name))
if (unknown.length > 0) throw new RangeError(`there is no ${unknown.join(', ')}; there are: ${names.join('; ')}`)

if (!isInstalled('prometheus', process.env['PATH'] ?? '')) {
  process.stderr.write('A game day needs Prometheus: apt-get install --no-install-recommends prometheus\n')
  process.exitCode = 1
} else {
  say('the sandbox, a broker and two Prometheus start')
  const world = await startGameWorld(engine)
  try {
    const outcomes = await playAll(
      world,
      (one) => (values.only?.includes(one.name) ?? true) && !(one.needsPostgres === true && engine !== 'postgres'),
    )
    process.stdout.write(summary(outcomes))
    process.exitCode = outcomes.every(({ problem }) => problem === null) ? 0 : 1
  } finally {
    await closeAll(() => world.close(), mochaGlobalTeardown)
  }
}
