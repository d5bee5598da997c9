/** The kit is tried too: a good adapter passes all of it, and each broken one fails the cases that name what it breaks. */
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { CASES } from '../../broker/conformance/cases/all.ts'
import { runCases } from '../../broker/conformance/run.ts'
import { memoryTarget } from './memory-target.ts'
import { MUTANTS } from './mutants/all.ts'
import { failedIn, tryMutant } from './try-mutant.ts'
import { inVirtualTime } from './virtual-time.ts'

describe('the conformance kit', () => {
  it('passes a good adapter in every case, skipping none, and leaves nothing behind', async () => {
    const results = await tryMutant({})
    const bad = results.filter(({ outcome, leftBehind }) => outcome !== 'passed' || leftBehind.length > 0)
    expect(bad).to.deep.equal([])
    expect(results).to.have.length(CASES.length)
  })

  it('has at least 60 cases, each under an id of its own', () => {
    expect(CASES).to.have.length.at.least(60)
    expect(new Set(CASES.map(({ id }) => id)).size).to.equal(CASES.length)
  })

  it('has a broken adapter for each case', () => {
    const failing = new Set(MUTANTS.flatMap(({ fails }) => fails))
    expect(CASES.map(({ id }) => id).filter((id) => !failing.has(id))).to.deep.equal([])
  })

  describe('fails exactly the cases that name the rule, where an adapter', () => {
    for (const { does, fails, ...breakage } of MUTANTS) {
      it(does, async () => {
        expect(failedIn(await tryMutant(breakage))).to.deep.equal(fails.toSorted())
      })
    }
  })

  it('says what is left behind when an adapter cannot remove it', async () => {
    const results = await tryMutant({ breaks: () => ({ deleteNodes: async () => {} }) })
    const left = results.find(({ id }) => id === 'create-group-of-one')
    expect(left?.outcome).to.equal('passed')
    expect(left?.leftBehind[0]).to.match(/^node n-\d+ \(gb[a-z2-7]{16}-000-1\)$/)
  })

  it('skips with its reason what a target without faults cannot show, and passes the rest', async () => {
    const target = { ...memoryTarget(), sandbox: null, burstNodes: null, wrongKeyProvider: null, maxNodes: 2 }
    const cases = CASES.filter(({ id }) => /^(create|list)-/.test(id))
    const { signal } = new AbortController()
    const results = await inVirtualTime(() => runCases({ cases, target, signal }))
    const reasonOf = (id: string) => results.find((result) => result.id === id)?.reason
    expect(results.filter(({ outcome }) => outcome === 'failed')).to.deep.equal([])
    expect(reasonOf('create-500')).to.equal('the target cannot inject faults (no "faults" in the configuration)')
    expect(reasonOf('create-burst')).to.equal('no "burstNodes" in the configuration')
    expect(reasonOf('list-filters')).to.equal('it needs 3 nodes at once, and maxNodes is 2')
    expect(reasonOf('create-ten-times')).to.equal(null)
  })
})
