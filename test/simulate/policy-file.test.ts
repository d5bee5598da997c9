import { expect } from 'chai'
import { describe, it } from 'mocha'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { PolicyError, policyFrom } from '../../broker/simulate/policy-file.ts'

describe('a policy from a file', () => {
  it('is the broker’s own where the file says nothing', () => {
    expect(policyFrom({})).to.deep.equal(DEFAULT_POLICY)
  })

  it('changes the numbers that are named and keeps the others beside them', () => {
    const policy = policyFrom({ version: 'mine-1', weights: { energy: 0 }, replanPasses: 1 })
    expect(policy).to.deep.equal({
      ...DEFAULT_POLICY,
      version: 'mine-1',
      weights: { ...DEFAULT_POLICY.weights, energy: 0 },
      replanPasses: 1,
    })
  })

  for (const [says, file, message] of [
    ['a list', [], /the policy: must be an object/],
    ['a member that policies have not', { weight: {} }, /has no weight; it may have version, weights/],
    ['a part of the score that there is not', { weights: { luck: 1 } }, /weights: has no luck/],
    ['a weight below zero', { weights: { fit: -1 } }, /weights\.fit: must be a number, 0 or more/],
    ['a slack that would divide by nothing', { promiseSlack: { waitDivisor: 0 } }, /waitDivisor: must be above 0/],
    ['an age that would divide by nothing', { search: { bigAgeHours: 0 } }, /bigAgeHours: must be above 0/],
    ['a crowd of nobody', { search: { crowd: 0 } }, /crowd: must be above 0/],
    ['passes without an end', { replanPasses: 1_000 }, /replanPasses: must be a whole number from 1 to 100/],
    ['a version without a name', { version: '' }, /version: must be a name/],
  ] as const)
    it(`refuses ${says}`, () => {
      expect(() => policyFrom(file)).to.throw(PolicyError, message)
    })
})
