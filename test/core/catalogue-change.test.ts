import { expect } from 'chai'
import { describe, it } from 'mocha'
import { catalogueChanges } from '../../broker/core/catalogue-change.ts'
import { DAY_MS } from '../../shared/time.ts'
import { aCluster, NOW } from './fleet.ts'

const [alpha, beta] = [aCluster({ id: 'alpha' }), aCluster({ id: 'beta' })]

describe('a new catalogue', () => {
  it('changes nothing where every fact is the same, in whatever order it is written', () => {
    const rewritten = {
      ...Object.fromEntries(Object.entries(alpha).toReversed()),
      phases: alpha.phases.map((phase) => Object.fromEntries(Object.entries(phase).toReversed())),
    } as unknown as typeof alpha // the same members in another order
    expect(catalogueChanges([alpha, beta], [beta, rewritten])).to.deep.equal([])
  })

  it('names, by id, the clusters that come, go or change, and the facts that differ', () => {
    const later = { ...beta, turnoverMs: 0, phases: beta.phases.map((phase) => ({ ...phase, from: NOW + DAY_MS })) }
    const gamma = aCluster({ id: 'gamma' })
    expect(catalogueChanges([alpha, beta], [gamma, later])).to.deep.equal([
      { clusterId: 'alpha', change: 'removed', members: ['phases'], before: alpha, after: null },
      { clusterId: 'beta', change: 'changed', members: ['phases', 'turnoverMs'], before: beta, after: later },
      { clusterId: 'gamma', change: 'added', members: ['phases'], before: null, after: gamma },
    ])
  })
})
