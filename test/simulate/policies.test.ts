import { expect } from 'chai'
import { describe, it } from 'mocha'
import { POLICY_NAMES, type PolicyName } from '../../broker/simulate/scheduler.ts'
import { DAY_MS, HOUR_MS } from '../../shared/time.ts'
import { aCluster } from '../core/fleet.ts'
import { aFleet, replayed, requestsOf, startHours, T0, type Asked } from './small-world.ts'

interface Case {
  readonly says: string
  readonly asked: readonly Asked[]
  readonly starts: Readonly<Record<PolicyName, readonly number[]>>
}

/** All on ten nodes, worked out by hand. */
const CASES: readonly Case[] = [
  {
    says: 'one that would delay the head is passed over where the head is protected, and a narrow one goes by; the broker lets one by that delays it little',
    asked: [
      [0, 6, 10],
      [1, 8, 10],
      [2, 4, 9],
      [3, 2, 20],
    ],
    starts: {
      fcfs: [0, 10, 20, 20],
      'any-fit': [0, 11, 2, 10],
      easy: [0, 10, 20, 3],
      conservative: [0, 10, 20, 3],
      broker: [0, 11, 2, 10],
    },
  },
  {
    says: 'only who never moves anybody later protects the second in line; the broker lets a long narrow one by, within the promise',
    asked: [
      [0, 6, 10],
      [1, 8, 10],
      [2, 10, 10],
      [3, 2, 25],
    ],
    starts: {
      fcfs: [0, 10, 20, 30],
      'any-fit': [0, 10, 28, 3],
      easy: [0, 10, 28, 3],
      conservative: [0, 10, 20, 30],
      broker: [0, 10, 28, 3],
    },
  },
  {
    says: 'an early end is used at once by whoever waits: by the shorter one, where no promise speaks against it',
    asked: [
      [0, 6, 10, 5],
      [1, 8, 10],
      [2, 10, 4],
    ],
    starts: {
      fcfs: [0, 5, 15],
      'any-fit': [0, 5, 15],
      easy: [0, 5, 15],
      conservative: [0, 5, 15],
      broker: [0, 9, 5],
    },
  },
  {
    says: 'what comes at the same instant is served in its order',
    asked: [
      [0, 10, 2],
      [0, 10, 2],
      [0, 10, 2],
    ],
    starts: {
      fcfs: [0, 2, 4],
      'any-fit': [0, 2, 4],
      easy: [0, 2, 4],
      conservative: [0, 2, 4],
      broker: [0, 2, 4],
    },
  },
]

describe('the policies of a replay', () => {
  for (const { says, asked, starts } of CASES)
    for (const name of POLICY_NAMES)
      it(`${name}: ${says}`, () => {
        expect(startHours(replayed(name, requestsOf(asked)))).to.deep.equal(starts[name])
      })

  for (const name of POLICY_NAMES) {
    it(`${name}: nodes are free again only after the turnover`, () => {
      const fleet = aFleet([aCluster({ nodes: 10, turnoverMs: HOUR_MS })])
      const runs = replayed(
        name,
        requestsOf([
          [0, 10, 5, 2],
          [1, 10, 3],
        ]),
        fleet,
      )
      expect(startHours(runs)).to.deep.equal([0, 3])
    })

    it(`${name}: a wide request waits for the phase that brings its nodes`, () => {
      const phase = { stage: 'general', basis: 'announced' } as const
      const phases = [
        { ...phase, from: T0 - DAY_MS, nodes: 4 },
        { ...phase, from: T0 + DAY_MS, nodes: 10 },
      ]
      const runs = replayed(name, requestsOf([[0, 8, 5]]), aFleet([aCluster({ phases, turnoverMs: 0 })]))
      expect(startHours(runs)).to.deep.equal([24])
    })

    it(`${name}: the cluster that leaves the fewest nodes over is taken, and the wide one stays whole`, () => {
      const fleet = aFleet([
        aCluster({ id: 'large', nodes: 10, turnoverMs: 0 }),
        aCluster({ id: 'small', nodes: 4, turnoverMs: 0 }),
      ])
      const runs = replayed(
        name,
        requestsOf([
          [0, 3, 5],
          [1, 10, 5],
        ]),
        fleet,
      )
      expect(runs.map(({ cluster }) => cluster.id)).to.deep.equal(['small', 'large'])
      expect(startHours(runs)).to.deep.equal([0, 1])
    })
  }

  it('promise what they keep: the conservative one the place at submission, the broker that and its slack', () => {
    const asked = requestsOf([
      [0, 10, 10, 5],
      [1, 10, 5],
    ])
    const promised = (name: PolicyName) =>
      replayed(name, asked).map(({ promisedStart }) => (promisedStart === null ? null : (promisedStart - T0) / HOUR_MS))
    expect(promised('conservative')).to.deep.equal([0, 10])
    expect(promised('broker')).to.deep.equal([0, 10 + 7 * 24])
    for (const name of ['fcfs', 'any-fit', 'easy'] as const) expect(promised(name)).to.deep.equal([null, null])
  })
})
