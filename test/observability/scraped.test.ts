/**
 * What the rules and the dashboards ask for exists: every metric, label and value of theirs is looked for in a real
 * Prometheus that scrapes a real broker. A metric that is renamed breaks this.
 */
import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { eventually } from '../durability/eventually.ts'
import type { Prometheus } from './prometheus.ts'
import { type Asking, dashboardQueries, ruleQueries } from './queries.ts'
import { askedBy, nameOf } from './selectors.ts'
import { runTool } from './tools.ts'
import { sharedWorld, type World } from './world.ts'

/** Series that a healthy broker does not have: what would make them is a fault. Their metric is there all the same. */
const ONLY_IN_TROUBLE = ['status=~"5.."', 'outcome="parked"']

const STARTS_WITHIN_MS = 300_000

/** @returns a line for everything that is asked for and not there */
async function missingIn(prometheus: Prometheus, asked: readonly Asking[]): Promise<readonly string[]> {
  const missing: string[] = []
  for (const { of, expr } of asked) {
    const { selectors, labels } = askedBy(expr)
    const known = new Set<string>()
    for (const selector of selectors) {
      const isSeldom = ONLY_IN_TROUBLE.some((one) => selector.includes(one))
      const series = await prometheus.series(isSeldom ? nameOf(selector) : selector)
      if (series.length === 0) missing.push(`${of}: ${selector}`)
      for (const name of series.flatMap((one) => Object.keys(one))) known.add(name)
    }
    for (const label of labels.filter((one) => !known.has(one))) missing.push(`${of}: the label ${label}`)
  }
  return [...new Set(missing)]
}

describe('what rules and dashboards ask a Prometheus that scrapes a broker', function () {
  this.timeout(120_000)
  let world: World

  before(async function start() {
    this.timeout(STARTS_WITHIN_MS)
    world = await sharedWorld()
  })

  /** What a rule records from two scrapes of what another recorded comes some rounds later. */
  const untilNothingIsMissing = (asked: readonly Asking[]): Promise<readonly string[]> =>
    eventually(
      'nothing is missing',
      () => missingIn(world.prometheus, asked),
      (missing) => missing.length === 0,
    )

  it('is there: every metric, label and value of the rules', () => untilNothingIsMissing(ruleQueries()))

  it('is there: every metric, label and value of the dashboards', async () => {
    const asked = dashboardQueries()
    expect(asked).to.have.length.greaterThan(60)
    await untilNothingIsMissing(asked)
  })

  it('would be missed if it were called otherwise', async () => {
    const asked = [
      { of: 'metric', expr: 'sum by (cluster) (gpu_broker_cluster_nodes_capacity)' },
      { of: 'label', expr: 'max by (operator) (gpu_broker_circuit_state)' },
      { of: 'value', expr: 'sum(gpu_broker_nodes{state="free"})' },
    ]
    expect(await missingIn(world.prometheus, asked)).to.deep.equal([
      'metric: gpu_broker_cluster_nodes_capacity',
      'metric: the label cluster',
      'label: the label operator',
      'value: gpu_broker_nodes{state="free"}',
    ])
  })

  it('can be answered: no query of a dashboard is an error, or empty on a broker that works', async () => {
    const unanswered = async (): Promise<readonly string[]> => {
      const empty: string[] = []
      for (const { of, expr } of dashboardQueries()) {
        const isFilter = / > 0$/.test(expr)
        const answer = await world.prometheus.query(expr)
        if (answer.length === 0 && !isFilter) empty.push(of)
      }
      return empty
    }
    await eventually('no query is empty', unanswered, (empty) => empty.length === 0)
  })

  it('is evaluated without an error: every rule', async () => {
    const rules = await eventually(
      'all rules evaluated',
      () => world.prometheus.rules(),
      (all) => all.every(({ health }) => health !== 'unknown'),
    )
    expect(rules).to.have.length(ruleQueries().length)
    expect(rules.filter(({ health }) => health !== 'ok')).to.deep.equal([])
  })

  it('pages nobody while all is well', async () => {
    const pages = async () =>
      (await world.prometheus.alerts()).filter(
        ({ labels, state }) => labels['severity'] === 'page' && state === 'firing',
      )
    // An operator that was dead in an earlier test is told of until a ping has been answered.
    await eventually('nobody is paged', pages, (firing) => firing.length === 0)
  })
})

describe('the metrics of a broker', () => {
  it('are called as promtool wants them to be', async function check() {
    this.timeout(STARTS_WITHIN_MS)
    const { broker } = await sharedWorld()
    const text = await (await fetch(`${broker.metricsUrl}/metrics`)).text()
    const ours = text.split('\n').filter((line) => /^(# (HELP|TYPE) )?gpu_broker_/.test(line))
    expect(ours).to.have.length.greaterThan(100)
    expect(await runTool('promtool', ['check', 'metrics'], `${ours.join('\n')}\n`)).to.equal('')
  })
})
