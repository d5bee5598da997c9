/** The dashboards' files are what they are described as, and lead to pages that exist. */
import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { DASHBOARDS, dashboardFiles } from '../../deploy/grafana/source/all.ts'

const PANELS = DASHBOARDS.flatMap(({ name, rows }) =>
  rows.flatMap(({ panels }) => panels.map((panel) => ({ ...panel, of: `${name} / ${panel.title}` }))),
)

describe('the dashboards', () => {
  for (const { file, text } of dashboardFiles()) {
    it(`have in ${file.split('/').at(-1)} what they are described as (npm run dashboards writes it)`, () => {
      expect(readFileSync(file, 'utf8')).to.equal(text)
    })
  }

  it('say of every panel what it shows, and of every series what it is called', () => {
    expect(PANELS).to.have.length.greaterThan(50)
    expect(PANELS.filter(({ description }) => !/\S[^]*\.$/.test(description)).map(({ of }) => of)).to.deep.equal([])
    const nameless = PANELS.filter(
      ({ kind, queries }) => kind !== 'table' && queries.some(({ legend }) => legend === ''),
    )
    expect(nameless.map(({ of }) => of)).to.deep.equal([])
  })
})
