/**
 * Planning again for 1,000 and 10,000 who wait, one entry at a time as the waitlist does it, after a release that makes
 * room and without one. The floor: a copy of the calendar, and one look at the grid of each cluster for each of them.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { applyOp, type Calendar } from '../../broker/core/calendar.ts'
import { cloneCalendar, copySteps } from '../../broker/core/calendar-copy.ts'
import { reservationsOn, waiting } from '../../broker/core/calendar-reads.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { durationOf } from '../../broker/core/placement/request.ts'
import { replanSteps } from '../../broker/core/replan.ts'
import { firstShortage } from '../../broker/core/timeline.ts'
import { calendarWith, fillLine, NOW } from './full-calendar.ts'
import { type Line, printTable, type Timing, timingOf } from './measure.ts'

const LIVE = 2_000
const WAITING = [1_000, 10_000] as const
const RUNS = 11
const OPTIONS = { now: NOW, policy: DEFAULT_POLICY, seed: 1 }

const calendar = calendarWith(LIVE)
let asked = LIVE
let lines: readonly Line[] = []
/** Of each run, with whatever came in between. */
const worstStepsMs: number[] = []
const pausesMs: number[] = []
new PerformanceObserver((list) => pausesMs.push(...list.getEntries().map(({ duration }) => duration))).observe({
  entryTypes: ['gc'],
})
for (const wanted of WAITING) {
  asked = fillLine(calendar, wanted, { from: asked, now: NOW })
  const count = calendar.waiting.size
  const quiet = several(() => planAgain(calendar))
  const floor = several(() => lookOnce(calendar))
  const freed = cloneCalendar(calendar)
  releaseLargest(freed)
  const bar = wanted === 10_000 ? 'total ≤ 200, worst ≤ 5,000' : 'worst ≤ 5,000'
  lines = [
    ...lines,
    { what: `one look each, ${count} waiting`, timing: floor, floor: null, bar: '' },
    { what: `nothing has changed, ${count} waiting`, timing: quiet, floor, bar },
    { what: `after a release, ${count} waiting`, timing: several(() => planAgain(freed)), floor, bar },
  ]
}
printTable(lines)
await new Promise((resolve) => setTimeout(resolve, 0)) // what was observed is told in a turn of its own
const ms = (value: number): string => `${value.toFixed(1)} ms`
process.stdout.write(
  `worst step of a run: ${ms(middle(worstStepsMs))} in the middle of ${worstStepsMs.length} runs, ${ms(Math.max(...worstStepsMs))} at worst; ` +
    `garbage was collected ${pausesMs.length} times, ${ms(Math.max(0, ...pausesMs))} at worst\n`,
)

/**
 * Each step as the middle one of its runs had it: every run takes the same steps, and what a busy machine or a collection
 * of garbage adds to one of them it adds to another the next time. The total is that of the middle run, garbage and all.
 */
function several(run: () => Float64Array): Timing {
  run()
  const runs = Array.from({ length: RUNS }, run)
  const medians = (runs[0] ?? new Float64Array(0)).map((_, at) => middle(runs.map((spent) => spent[at] ?? 0)))
  worstStepsMs.push(...runs.map((spent) => Math.max(...spent)))
  return { ...timingOf(medians), totalMs: middle(runs.map((spent) => spent.reduce((sum, ms) => sum + ms, 0))) }
}

function middle(values: readonly number[]): number {
  return values.toSorted((x, y) => x - y)[values.length >> 1] ?? 0
}

/** The copy and the plan, step by step: between any two of them others may have a turn. */
function planAgain(calendar: Calendar): Float64Array {
  const spent: number[] = []
  const copy = stepped(copySteps(calendar), spent)
  stepped(replanSteps(copy, OPTIONS), spent)
  return Float64Array.from(spent)
}

function stepped<T>(steps: Iterator<undefined, T>, spent: number[]): T {
  let startedAt = performance.now()
  for (;;) {
    const step = steps.next()
    const now = performance.now()
    spent.push(now - startedAt)
    startedAt = now
    if (step.done === true) return step.value
  }
}

function lookOnce(calendar: Calendar): Float64Array {
  const spent: number[] = []
  let startedAt = performance.now()
  const copy = cloneCalendar(calendar)
  for (const { request } of waiting(copy)) {
    const nodes = 'nodes' in request.demand ? request.demand.nodes : 0
    const asked = { start: NOW, end: NOW + durationOf(request.period) }
    for (const { timeline } of copy.listed) firstShortage(timeline, asked, nodes)
    const now = performance.now()
    spent.push(now - startedAt)
    startedAt = now
  }
  return Float64Array.from(spent)
}

/** The one that runs now with the most nodes, of all clusters. */
function releaseLargest(calendar: Calendar): void {
  const running = calendar.listed
    .flatMap(({ cluster }) => reservationsOn(calendar, cluster.id))
    .filter(({ start, end }) => start <= NOW && end > NOW)
    .toSorted((a, b) => b.nodes * (b.end - NOW) - a.nodes * (a.end - NOW))
  const [largest] = running
  if (largest === undefined) throw new Error('something runs now')
  applyOp(calendar, { op: 'release', allocationId: largest.allocationId })
}
