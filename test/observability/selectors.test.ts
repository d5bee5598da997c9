/** What is read out of a query. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { askedBy } from './selectors.ts'

describe('what a query asks for', () => {
  const cases: readonly (readonly [expr: string, selectors: readonly string[], labels: readonly string[]])[] = [
    ['up', ['up'], []],
    ['sum by (le, kind) (rate(a_bucket{x="1", y=~"b{2}"}[5m]))', ['a_bucket{x="1", y=~"b{2}"}'], ['le', 'kind']],
    ['(sum(rate(a{s=~"5.."}[1h])) or vector(0)) / sum(b) > 14.4 * 1e-3', ['a{s=~"5.."}', 'b'], []],
    ['a:b:c_rate5m{slo="x"} > 2 and on (slo) d offset 5m', ['a:b:c_rate5m{slo="x"}', 'd'], ['slo']],
    ['histogram_quantile(0.9, topk(3, a)) unless absent(b == 1)', ['a', 'b'], []],
  ]
  for (const [expr, selectors, labels] of cases) {
    it(`is read out of ${expr}`, () => {
      expect(askedBy(expr)).to.deep.equal({ selectors, labels })
    })
  }
})
