/** A replay as one HTML page that needs nothing else: its figures as a table, and plots. */
import { DAY_MS } from '../../shared/time.ts'
import { COLUMNS, figureText } from './columns.ts'
import { escaped } from './escape.ts'
import { spanOf } from './figures.ts'
import type { FairnessByPolicy } from './fairness.ts'
import type { Fleet } from './fleet.ts'
import { barPlot, linePlot } from './plots.ts'
import type { PolicyName } from './scheduler.ts'
import { useOverTime, waitsBySize } from './series.ts'
import type { PolicyResult } from './simulate.ts'

export interface Report {
  /** What was replayed, in words; it says so where it is synthetic. */
  readonly trace: string
  readonly load: number
  readonly seed: number
  readonly leftOut: number
  readonly fleet: Fleet
  readonly results: readonly PolicyResult[]
  readonly fairness: FairnessByPolicy
}

/** Told apart also by who sees no red or green. */
const COLORS: Readonly<Record<PolicyName, string>> = {
  broker: '#0b57d0',
  fcfs: '#7f7f7f',
  'any-fit': '#e69f00',
  easy: '#009e73',
  conservative: '#cc4778',
}

export function reportHtml(report: Report): string {
  const { trace, load, seed, leftOut, fleet, results } = report
  const requests = results[0]?.runs.length ?? 0
  const facts = `${requests} requests on ${fleet.nodes} nodes of ${fleet.clusters.length} clusters, load ${load.toFixed(2)}, seed ${seed}${leftOut === 0 ? '' : `; ${leftOut} left out that no cluster could ever hold`}.`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Replay of ${escaped(trace)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Replay of ${escaped(trace)}</h1>
<p>${escaped(facts)}</p>
${legend(results)}
<h2>Figures</h2>
${figuresTable(results)}
<p class="note">Waits in hours. Big requests have 120 nodes and more. Slowdown: (wait + use) ÷ the larger of the use and a day. Use and room are measured from the first submission to the last.</p>
<h2>Use over time</h2>
${usePlot(results, fleet)}
<h2>Mean wait by size, in hours</h2>
${waitPlot(results)}
<p class="note">A bar that is cut off at the top says how long it is.</p>
<h2>Shared ÷ alone, by organisation</h2>
${fairnessTable(report)}
<p class="note">Mean time from submission to the end of the use, divided by what the organisation would see with the whole fleet to itself. Organisations were drawn from the seed: the trace names none.</p>
</body>
</html>
`
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1b1b;background:#fff}
table{border-collapse:collapse;width:100%}th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ddd}th:first-child,td:first-child{text-align:left}
svg{width:100%;height:auto}.grid{stroke:#ddd}.axis{font-size:12px;fill:#555;dominant-baseline:middle}.cut{font-size:11px;fill:#fff;dominant-baseline:middle}.end{text-anchor:end}.middle{text-anchor:middle}
.note{color:#555;font-size:13px}.legend span{margin-right:1.2rem}.legend i{display:inline-block;width:.8rem;height:.8rem;margin-right:.4rem}`

const legend = (results: readonly PolicyResult[]): string =>
  `<p class="legend">${results
    .map(({ figures: { name } }) => `<span><i style="background:${COLORS[name]}"></i>${name}</span>`)
    .join('')}</p>`

const row = (cells: readonly string[], tag: 'th' | 'td'): string =>
  `<tr>${cells.map((cell) => `<${tag}>${escaped(cell)}</${tag}>`).join('')}</tr>`

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  `<table>\n${[row(head, 'th'), ...rows.map((cells) => row(cells, 'td'))].join('\n')}\n</table>`

const figuresTable = (results: readonly PolicyResult[]): string =>
  tableOf(
    ['policy', ...COLUMNS.map(({ head }) => head)],
    results.map(({ figures }) => [figures.name, ...COLUMNS.map((column) => figureText(figures, column))]),
  )

const LABELS_OF_TIME = 7

function usePlot(results: readonly PolicyResult[], fleet: Fleet): string {
  const { start, end } = spanOf(results[0]?.runs ?? [])
  const dayOf = (at: number): string => `day ${Math.round(((end - start) * at) / (LABELS_OF_TIME - 1) / DAY_MS)}`
  return linePlot({
    title: 'Use over time',
    series: results.map(({ figures: { name }, runs }) => ({
      name,
      color: COLORS[name],
      values: useOverTime(runs, fleet),
    })),
    labels: Array.from({ length: LABELS_OF_TIME }, (_, at) => dayOf(at)),
    format: (value) => `${(value * 100).toFixed(0)} %`,
  })
}

function waitPlot(results: readonly PolicyResult[]): string {
  const sizes = waitsBySize(results[0]?.runs ?? [])
  const series = results.map(({ figures: { name }, runs }) => ({
    name,
    color: COLORS[name],
    values: waitsBySize(runs).map(({ meanHours }) => meanHours),
  }))
  return barPlot({
    title: 'Mean wait by size',
    series,
    labels: sizes.map(({ size, requests }) => `${size} nodes (${requests})`),
    format: (value) => value.toFixed(1),
    // Strictly in order waits are so long that nothing else would be seen beside them.
    reaches: Math.max(...series.filter(({ name }) => name !== 'fcfs').flatMap(({ values }) => values)),
  })
}

function fairnessTable({ results, fairness }: Report): string {
  const names = results.map(({ figures }) => figures.name)
  const organizations = fairness.broker.map(({ organizationId }) => organizationId)
  const cell = (name: PolicyName, id: string): string =>
    fairness[name].find(({ organizationId }) => organizationId === id)?.sharedOverAlone.toFixed(2) ?? ''
  return tableOf(
    ['organisation', ...names],
    organizations.map((id) => [id, ...names.map((name) => cell(name, id))]),
  )
}
