import { expect } from 'chai'
import { describe, it } from 'mocha'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { COLUMNS, figureText } from '../../broker/simulate/columns.ts'
import { fairnessByPolicy } from '../../broker/simulate/fairness.ts'
import { barPlot, linePlot, roundTop } from '../../broker/simulate/plots.ts'
import { reportHtml } from '../../broker/simulate/report.ts'
import { schedulersWith, simulate } from '../../broker/simulate/simulate.ts'
import { aFleet, finished, requestsOf } from './small-world.ts'

const fleet = aFleet()
const requests = requestsOf([
  [0, 6, 10],
  [1, 8, 10],
  [2, 4, 9],
  [3, 2, 20],
])
const results = finished(simulate(requests, fleet, DEFAULT_POLICY))
const fairness = finished(fairnessByPolicy(results, fleet, schedulersWith(DEFAULT_POLICY)))
const page = reportHtml({ trace: 'a<b>.csv', load: 0.85, seed: 7, leftOut: 3, fleet, results, fairness })

const cellsOf = (html: string): string[][] =>
  html.split('<tr>').map((row) => Array.from(row.matchAll(/<t[dh]>(.*?)<\/t[dh]>/g), ([, cell]) => cell ?? ''))

describe('the report of a replay', () => {
  it('has every figure of every policy', () => {
    const rows = cellsOf(page)
    for (const { figures } of results)
      expect(rows).to.deep.include([figures.name, ...COLUMNS.map((column) => figureText(figures, column))])
  })

  it('has what each organisation pays for the others', () => {
    const rows = cellsOf(page)
    for (const { organizationId } of fairness.broker) {
      const own = results.map(({ figures: { name } }) =>
        fairness[name].find((one) => one.organizationId === organizationId)?.sharedOverAlone.toFixed(2),
      )
      expect(rows).to.deep.include([organizationId, ...own])
    }
  })

  it('says what was replayed, and what was left out', () => {
    expect(page).to.include('4 requests on 10 nodes of 1 clusters, load 0.85, seed 7; 3 left out')
  })

  it('needs nothing from elsewhere, and shows a name of a file as text', () => {
    expect(page).to.not.match(/<script|<link|<img|src=|href=|url\(|@import|https?:/i)
    expect(page).to.include('a&lt;b&gt;.csv').and.not.include('<b>')
  })

  it('draws use as a line and waits as bars, for each policy', () => {
    expect(page.match(/<polyline/g)).to.have.length(results.length)
    for (const { figures } of results) expect(page).to.include(`<title>${figures.name}, 1–7 nodes (3): `)
  })
})

describe('a plot', () => {
  it('puts the largest value at the height that the axis says, and nothing at the bottom', () => {
    const series = [{ name: 'one', color: '#000', values: [0, 50, 100] }]
    const options = { title: 'a plot', series, labels: ['a', 'b', 'c'], format: String }
    expect(linePlot(options)).to.include('points="64.0,240.0 478.0,126.0 892.0,12.0"')
    expect(barPlot(options)).to.include('height="228.0"').and.include('height="114.0"').and.include('height="0.0"')
  })

  it('cuts a bar off where the axis ends, and writes how long it is', () => {
    const series = [{ name: 'one', color: '#000', values: [50, 400] }]
    const options = { title: 'a plot', series, labels: ['a', 'b'], format: (value: number) => `${value} h` }
    const plot = barPlot({ ...options, reaches: 100 })
    expect(plot).to.include('height="114.0"').and.include('height="228.0"')
    expect(plot.match(/class="cut"[^>]*>400 h</g)).to.have.length(1)
    expect(barPlot(options)).to.not.include('class="cut"')
  })

  for (const [value, top] of [
    [0, 1],
    [0.8, 1],
    [1, 1],
    [1.2, 2],
    [4.1, 5],
    [51, 100],
    [0.03, 0.05],
  ] as const)
    it(`of ${value} at most has an axis up to ${top}`, () => {
      expect(roundTop(value)).to.be.closeTo(top, 1e-12)
    })
})
