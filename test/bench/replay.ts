/**
 * `npm run bench:replay`: logs replayed by the broker, EASY and conservative, window by window, at several loads and from
 * several seeds, each reported. Without a log it takes those in test/simulate/traces. A log that is not ours to keep:
 * `npm run bench:replay -- --stretch r1 --offsets 0,5000,10000 ../theta-2022.csv.gz`
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { parseArgs } from 'node:util'
import { table, type Column } from '../../broker/cli/screen/table.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { figuresOf, type Figures } from '../../broker/simulate/figures.ts'
import { fleetOf } from '../../broker/simulate/fleet.ts'
import { readTrace } from '../../broker/simulate/read-trace.ts'
import { replay } from '../../broker/simulate/replay.ts'
import type { PolicyName } from '../../broker/simulate/scheduler.ts'
import { schedulersWith } from '../../broker/simulate/simulate.ts'
import type { TraceJob } from '../../broker/simulate/trace.ts'
import { workloadOf, type Stretch } from '../../broker/simulate/workload.ts'
import { Inventory } from '../../shared/inventory.ts'

const MEAN_BAR = 0.9
const BIG_BAR = 1
const OURS = ['kalos-completed.csv.gz', 'itp-a.csv.gz'].map((name) => `test/simulate/traces/${name}`)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    stretch: { type: 'string', default: 'none' },
    offsets: { type: 'string', default: '0' },
    requests: { type: 'string', default: '1500' },
    loads: { type: 'string', default: '0.7,0.85,1' },
    seeds: { type: 'string', default: '1,2,3,4,5' },
  },
})
const numbers = (list: string): number[] => list.split(',').map(Number)
const stretch: Stretch = values.stretch === 'r1' ? 'r1' : 'none'

const fleet = fleetOf(
  Inventory.parse(JSON.parse(readFileSync(new URL('../../deploy/inventory.json', import.meta.url), 'utf8'))),
)
const schedulers = schedulersWith(DEFAULT_POLICY)

interface Window {
  readonly log: string
  readonly offset: number
  readonly load: number
  readonly seed: number
}

interface Replayed extends Window {
  readonly broker: Figures
  readonly easy: Figures
  readonly conservative: Figures
  /** Null where nobody waits under the baseline, or nobody is large: there is nothing to compare with. */
  readonly meanRatio: number | null
  readonly bigRatio: number | null
}

function replayed(jobs: readonly TraceJob[], window: Window): Replayed {
  const requests = Number(values.requests)
  const options = { ...window, requests, stretch, startAt: fleet.completeAt }
  const workload = workloadOf(jobs, fleet, options)
  const of = (name: PolicyName): Figures => {
    const steps = replay(workload.requests, fleet, schedulers[name])
    for (;;) {
      const step = steps.next()
      if (step.done === true) return figuresOf(name, step.value, fleet)
    }
  }
  const [broker, easy, conservative] = [of('broker'), of('easy'), of('conservative')]
  return {
    ...window,
    ...{ broker, easy, conservative },
    meanRatio: ratio(broker.meanWaitHours, easy.meanWaitHours),
    bigRatio: ratio(broker.bigP95WaitHours, conservative.bigP95WaitHours),
  }
}

const ratio = (ours: number | null, theirs: number | null): number | null =>
  ours === null || theirs === null || theirs === 0 ? null : ours / theirs

const hours = (value: number | null): string => value?.toFixed(1) ?? '–'
const against = (value: number | null, bar: number): string =>
  value === null ? '–' : `${value.toFixed(3)}${value > bar ? ' !' : '  '}`

const COLUMNS: readonly Column<Replayed>[] = [
  { head: 'log', value: ({ log }) => log },
  { head: 'offset', align: 'right', value: ({ offset }) => offset },
  { head: 'load', align: 'right', value: ({ load }) => load.toFixed(2) },
  { head: 'seed', align: 'right', value: ({ seed }) => seed },
  { head: 'mean h', align: 'right', value: ({ broker }) => hours(broker.meanWaitHours) },
  { head: 'EASY', align: 'right', value: ({ easy }) => hours(easy.meanWaitHours) },
  { head: `≤ ${MEAN_BAR}`, align: 'right', value: ({ meanRatio }) => against(meanRatio, MEAN_BAR) },
  { head: 'big p95 h', align: 'right', value: ({ broker }) => hours(broker.bigP95WaitHours) },
  { head: 'conservative', align: 'right', value: ({ conservative }) => hours(conservative.bigP95WaitHours) },
  { head: `≤ ${BIG_BAR}`, align: 'right', value: ({ bigRatio }) => against(bigRatio, BIG_BAR) },
  { head: 'slips', align: 'right', value: ({ broker }) => broker.promisesSlipped },
]

function summary(name: string, ratios: readonly (number | null)[], bar: number): string {
  const found = ratios.filter((one) => one !== null)
  if (found.length === 0) return `${name}: nothing to compare\n`
  const mean = Math.exp(found.reduce((sum, one) => sum + Math.log(one), 0) / found.length)
  const missed = found.filter((one) => one > bar).length
  const worst = Math.max(...found).toFixed(3)
  return `${name}: ${mean.toFixed(3)} in the geometric mean of ${found.length}, worst ${worst}, over ${bar} in ${missed}\n`
}

/** A long run tells what it has found so far. */
const progressOf = ({ log, offset, load, seed, meanRatio, bigRatio }: Replayed): string =>
  `${log} from ${offset} at ${load.toFixed(2)}, seed ${seed}: ${against(meanRatio, MEAN_BAR)} of EASY, ${against(bigRatio, BIG_BAR)} of conservative`

const windows: Replayed[] = []
for (const path of positionals.length === 0 ? OURS : positionals) {
  const { jobs } = await readTrace(path)
  const log = basename(path).replace(/\..*$/, '')
  for (const offset of numbers(values.offsets))
    for (const load of numbers(values.loads))
      for (const seed of numbers(values.seeds)) {
        const window = replayed(jobs, { log, offset, load, seed })
        windows.push(window)
        process.stderr.write(`${progressOf(window)}\n`)
      }
}
process.stdout.write(`\n${table(COLUMNS, windows)}\n`)
process.stdout.write(
  summary(
    'mean wait ÷ EASY',
    windows.map((one) => one.meanRatio),
    MEAN_BAR,
  ),
)
process.stdout.write(
  summary(
    'p95 wait of large ones ÷ conservative',
    windows.map((one) => one.bigRatio),
    BIG_BAR,
  ),
)
