import { expect } from 'chai'
import { describe, it } from 'mocha'
import { drawInstance } from './draw-instance.ts'
import { costOf, excessOf, plannedByBroker } from './instance.ts'
import { storedInstances } from './stored.ts'

const PROVEN = storedInstances()
const planned = new Map(PROVEN.map(({ instance }) => [instance.name, plannedByBroker(instance)]))
const ratios = PROVEN.map(({ instance, cost }) => costOf(instance, planned.get(instance.name) ?? []) / cost)

describe('the plan, beside the optimum that HiGHS has proven,', function plans() {
  this.timeout(60_000)

  it('is known of forty instances of 20 to 40 requests for five clusters, as their seeds draw them', () => {
    expect(PROVEN).to.have.length(40)
    for (const { instance } of PROVEN) {
      expect(instance).to.deep.equal(drawInstance(Number(instance.name.replace('seed-', ''))))
      expect(instance.requests.length).to.be.within(20, 40)
      expect(instance.clusters).to.have.length(5)
    }
  })

  it('is held against plans that can be carried out and cost what is said', () => {
    for (const { instance, starts, cost } of PROVEN) {
      expect(starts).to.have.length(instance.requests.length)
      expect(excessOf(instance, starts)).to.equal(0)
      expect(costOf(instance, starts)).to.equal(cost)
    }
  })

  it('can be carried out, and is never better: then the proof would be wrong', () => {
    for (const { instance, cost } of PROVEN) {
      const starts = planned.get(instance.name) ?? []
      expect(excessOf(instance, starts)).to.equal(0)
      expect(costOf(instance, starts)).to.be.at.least(cost)
    }
  })

  it('costs at most 1.02 times as much in total, and 1.10 times at worst', () => {
    const optimum = PROVEN.reduce((sum, { cost }) => sum + cost, 0)
    const all = PROVEN.reduce((sum, { cost }, at) => sum + cost * (ratios[at] ?? 0), 0)
    expect(all / optimum).to.be.at.most(1.02)
    expect(Math.max(...ratios)).to.be.at.most(1.1)
  })
})
