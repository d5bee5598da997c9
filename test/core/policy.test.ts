import { expect } from 'chai'
import { describe, it } from 'mocha'
import { DEFAULT_POLICY, POLICIES } from '../../broker/core/placement/policy.ts'

describe('the policies', () => {
  it('are there by their version, the one in force among them, so that old decisions can be made again', () => {
    expect([...POLICIES.keys()]).to.deep.equal(['earliest-fit-1', 'earliest-fit-2', 'earliest-fit-3'])
    for (const [version, policy] of POLICIES) expect(policy.version).to.equal(version)
    expect(POLICIES.get(DEFAULT_POLICY.version)).to.equal(DEFAULT_POLICY)
  })

  it('do not change: whoever wants other numbers adds a version', () => {
    expect(POLICIES.get('earliest-fit-1')).to.deep.equal({
      version: 'earliest-fit-1',
      weights: { preference: 8, fit: 4, energy: 2, balance: 1 },
      promiseSlack: { leastMs: 604_800_000, waitDivisor: 2 },
      replanPasses: 8,
      search: null,
    })
    expect(POLICIES.get('earliest-fit-2')).to.deep.equal({
      ...POLICIES.get('earliest-fit-1'),
      version: 'earliest-fit-2',
      search: {
        entries: 256,
        placeless: 0,
        placements: 200_000,
        crowd: 40,
        repairs: 40,
        patience: 5,
        again: 0.1,
        bigNodes: 120,
        bigWeight: 6,
        bigAgeHours: 1_000_000,
        nearHours: 1_000_000,
        nearWeight: 1,
      },
    })
    expect(POLICIES.get('earliest-fit-3')).to.deep.equal({
      ...POLICIES.get('earliest-fit-2'),
      version: 'earliest-fit-3',
      search: {
        ...POLICIES.get('earliest-fit-2')?.search,
        placeless: 16,
        bigWeight: 3,
        bigAgeHours: 60,
        nearHours: 24,
        nearWeight: 4,
      },
    })
  })
})
