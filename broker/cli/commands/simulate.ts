/** `simulate`: how the broker would have served somebody's real requests, beside simpler ways to serve them. */
import { basename } from 'node:path'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { type Command, Option } from 'commander'
import { DEFAULT_POLICY } from '../../core/placement/policy.ts'
import { fairnessByPolicy } from '../../simulate/fairness.ts'
import { fleetOf } from '../../simulate/fleet.ts'
import { reportHtml } from '../../simulate/report.ts'
import { type Progress, schedulersWith, simulate } from '../../simulate/simulate.ts'
import { type Stretch, workloadOf } from '../../simulate/workload.ts'
import { type Io, UsageError } from '../io.ts'
import { createBar } from '../screen/bar.ts'
import type { Run } from './command-context.ts'
import { fromZero, instantOption, positiveNumber, wholeNumber } from './options.ts'
import { inventoryFrom, policyIn, traceIn, written } from './simulate-files.ts'
import { headline, resultsTable } from './simulate-text.ts'

interface SimulateOptions {
  readonly inventory?: string
  readonly policy?: string
  readonly load?: number
  readonly seed: number
  readonly offset: number
  readonly requests: number
  readonly stretch: Stretch
  readonly from?: string
  readonly report?: string
}

/** Some two years of a stretched log. */
const DEFAULT_REQUESTS = 2_000
const DEFAULT_SEED = 1

export const describeSimulate = (command: Command, io: Io): Command =>
  command
    .description(
      io.t(
        'replay a log of real requests through the broker’s own decisions, beside FCFS, any-fit, EASY and conservative',
      ),
    )
    .argument('<trace>', io.t('a CSV with job_id, submit_s, duration_s, nodes (and req_s), or a .swf; .gz is accepted'))
    .option('--inventory <file>', io.t('the clusters; default those of the programme, from when all are complete'))
    .option('--policy <file>', io.t('the broker’s placement policy as JSON; what it leaves out stays as it is'))
    .option(
      '--load <share>',
      io.t('bring arrivals together until so much of the fleet is used; default as they came'),
      positiveNumber(io),
    )
    .option('--offset <n>', io.t('requests of the log passed over'), fromZero(io), 0)
    .option('--requests <n>', io.t('most requests taken'), wholeNumber(io), DEFAULT_REQUESTS)
    .option(
      '--seed <n>',
      io.t('what the log does not say (architecture, organisation) is drawn from it'),
      fromZero(io),
      DEFAULT_SEED,
    )
    .addOption(
      new Option('--stretch <how>', io.t('r1: nodes × 510/4360 and time × 24; the result is synthetic and says so'))
        .choices(['none', 'r1'])
        .default('none'),
    )
    .option(
      '--from <time>',
      io.t('the first submission; default when every cluster has its full size'),
      instantOption(io),
    )
    .option('--report <file>', io.t('write a page with plots there, as HTML'))

export const simulateTrace: Run<SimulateOptions> = async ({ io, options, answer }, path = '') => {
  const fleet = fleetOf(await inventoryFrom(options.inventory))
  const policy = options.policy === undefined ? DEFAULT_POLICY : await policyIn(options.policy)
  const { jobs, skippedLines } = await traceIn(path)
  const startAt = options.from === undefined ? fleet.completeAt : Date.parse(options.from)
  const workload = workloadOf(jobs, fleet, { ...options, load: options.load ?? null, startAt })
  if (workload.requests.length === 0)
    throw new UsageError(`${path}: no request of the window could be held by any cluster`)
  const said = {
    trace: options.stretch === 'r1' ? `${basename(path)}, stretched by r1 (synthetic)` : basename(path),
    load: options.load ?? workload.load,
    seed: options.seed,
  }
  const isQuiet = options.output === 'json'
  const results = await watched(simulate(workload.requests, fleet, policy), io, isQuiet)
  const figures = { ...said, policies: results.map((result) => result.figures) }
  if (isQuiet && options.report === undefined) {
    answer(figures, String)
    return undefined
  }
  // Each organisation alone on the fleet: several replays more, which a program has not asked for.
  const fairness = await watched(fairnessByPolicy(results, fleet, schedulersWith(policy)), io, isQuiet)
  if (options.report !== undefined)
    await written(options.report, reportHtml({ ...said, leftOut: workload.leftOut, fleet, results, fairness }))
  const page = options.report === undefined ? '' : `The page is in ${options.report}.\n`
  answer(figures, () => `${headline({ ...said, workload, skippedLines })}${resultsTable(results, fairness)}${page}`)
  return undefined
}

/** How long it runs before others get a turn: an interrupt, and the terminal. */
const SLICE_STEPS = 50

async function watched<T>(steps: Generator<Progress, T>, io: Io, isQuiet: boolean): Promise<T> {
  const bar = isQuiet ? null : createBar(io.terminal)
  for (let count = 1; ; count += 1) {
    const step = steps.next()
    if (step.done === true) {
      bar?.leave()
      return step.value
    }
    const { part, done, all } = step.value
    if (count % SLICE_STEPS !== 0 && done < all) continue
    bar?.show(part, done / all, `${done} of ${all}`)
    await othersTurn(undefined, { signal: io.signal })
  }
}
