import { expect } from 'chai'
import { describe, it } from 'mocha'
import type { Cluster } from '../../broker/core/cluster.ts'
import type { CalendarOp } from '../../broker/core/calendar-op.ts'
import { place } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest, Requires } from '../../broker/core/placement/request.ts'
import { unsatisfiable } from '../../broker/core/placement/unsatisfiable.ts'
import { DAY_MS, HOUR_MS } from '../../shared/time.ts'
import { aCalendar, aCluster, anApproval, aRequest, aReservation, fixed, flexible, NOW, reserve } from './fleet.ts'

const candidateOf = (facts: Partial<Cluster>, request: Partial<PlacementRequest>, ops: readonly CalendarOp[] = []) => {
  const [candidate] = place(aCalendar([aCluster(facts)], ops), aRequest(request), NOW, DEFAULT_POLICY).candidates
  if (candidate === undefined) throw new Error('a catalogue of one cluster gives one candidate')
  return candidate
}
const requires = (wanted: Partial<Requires>): Partial<PlacementRequest> => ({
  requires: { shares: ['government'], ...wanted },
})

const RULES: readonly [
  name: string,
  facts: Partial<Cluster>,
  request: Partial<PlacementRequest>,
  reason: { rule: string; wanted: unknown; found: unknown; detail: string },
][] = [
  [
    'a share that is not required',
    { share: 'operator' },
    {},
    {
      rule: 'share',
      wanted: ['government'],
      found: 'operator',
      detail: 'alpha is of the operator share, not government.',
    },
  ],
  [
    'a stage that no phase has',
    {},
    requires({ stages: ['beta'] }),
    {
      rule: 'stage',
      wanted: ['beta'],
      found: ['general'],
      detail: 'No phase of alpha from 2027-01-04T10:17:23Z on is of stage beta.',
    },
  ],
  [
    'another provider',
    {},
    requires({ providers: ['naver', 'kakao'] }),
    { rule: 'provider', wanted: ['naver', 'kakao'], found: 'nhn', detail: 'alpha is run by nhn, not naver or kakao.' },
  ],
  [
    'a cluster that the configuration does not map',
    { mapped: false },
    {},
    {
      rule: 'provider',
      wanted: 'configured',
      found: 'not configured',
      detail: 'The configuration of nhn does not map alpha.',
    },
  ],
  [
    'another architecture',
    {},
    requires({ architectures: ['hopper'] }),
    { rule: 'architecture', wanted: ['hopper'], found: 'blackwell', detail: 'alpha is blackwell, not hopper.' },
  ],
  [
    'another architecture than it was given before, where it would not rather have one',
    {},
    { prefers: { provider: 'nhn' }, avoid: [{ clusterId: 'h', until: NOW, architecture: 'hopper' }] },
    {
      rule: 'architecture',
      wanted: ['hopper'],
      found: 'blackwell',
      detail: 'alpha is blackwell: what was given hopper moves to another architecture only where it prefers one.',
    },
  ],
  [
    'an architecture that the approval does not cover',
    {},
    { approval: anApproval({ architectures: ['hopper'] }) },
    {
      rule: 'architecture',
      wanted: ['hopper'],
      found: 'blackwell',
      detail: 'The approval covers hopper, and alpha is blackwell.',
    },
  ],
  [
    'another GPU model',
    {},
    requires({ gpuModels: ['H200'] }),
    { rule: 'gpu-model', wanted: ['H200'], found: 'B200', detail: 'alpha has B200, not H200.' },
  ],
  [
    'undisclosed cooling where air is required',
    { cooling: 'undisclosed' },
    requires({ cooling: ['air'] }),
    { rule: 'cooling', wanted: ['air'], found: 'undisclosed', detail: 'The cooling of alpha is undisclosed, not air.' },
  ],
  [
    'more nodes than the full size',
    { nodes: 10 },
    { demand: { nodes: 11 } },
    { rule: 'cluster-size', wanted: 11, found: 10, detail: '11 nodes would be more than all 10 of alpha.' },
  ],
  [
    'a cluster smaller than required',
    { nodes: 10 },
    requires({ minClusterNodes: 255 }),
    { rule: 'cluster-size', wanted: 255, found: 10, detail: 'alpha has 10 nodes, fewer than the 255 required.' },
  ],
  [
    'an image that is not there',
    { images: ['ubuntu', 'rocky'] },
    { image: 'debian' },
    {
      rule: 'image',
      wanted: 'debian',
      found: ['ubuntu', 'rocky'],
      detail: 'alpha has no image debian; it has ubuntu, rocky.',
    },
  ],
  [
    'more nodes than the approval has at once',
    {},
    { demand: { nodes: 3 }, approval: anApproval({ maxNodes: 2 }) },
    {
      rule: 'approval-window',
      wanted: 3,
      found: 2,
      detail: '3 nodes of alpha would be more than the 2 at once of the approval.',
    },
  ],
  [
    'more GPU-time than the approval has left',
    {},
    { period: flexible(10), approval: anApproval({ gpuMsLeft: 79 * HOUR_MS }) },
    {
      rule: 'approval-window',
      wanted: 80,
      found: 79,
      detail: '1 node of alpha would take 80 GPU-hours, and the approval has 79 left.',
    },
  ],
]

describe('a rule', () => {
  for (const [name, facts, request, reason] of RULES)
    it(`speaks against ${name}, with the figures`, () => {
      const candidate = candidateOf(facts, request)
      expect(candidate.reasons).to.deep.equal([reason])
      expect(candidate).to.include({ feasible: false, earliestStart: null, score: null })
    })

  it('is passed by whatever meets every member that is required', () => {
    const wanted = requires({
      architectures: ['hopper', 'blackwell'],
      gpuModels: ['B200'],
      cooling: ['air', 'liquid'],
      minClusterNodes: 10,
      providers: ['nhn'],
      stages: ['general', 'undisclosed'],
    })
    const candidate = candidateOf(
      {},
      {
        ...wanted,
        image: 'ubuntu',
        demand: { nodes: 10 },
        approval: anApproval({ maxNodes: 10, gpuMsLeft: 1_920 * HOUR_MS }),
      },
    )
    expect(candidate.reasons).to.deep.equal([])
    expect(candidate).to.deep.include({ feasible: true, earliestStart: NOW, nodes: 10, gpus: 80 })
  })

  it('says so beside every other that speaks against a cluster', () => {
    const { reasons } = candidateOf(
      { share: 'operator', mapped: false, cooling: 'air' },
      requires({ cooling: ['liquid'] }),
      [{ op: 'suspend-cluster', clusterId: 'alpha' }],
    )
    expect(reasons.map(({ rule }) => rule)).to.deep.equal(['suspended', 'share', 'provider', 'cooling'])
  })

  it('names the cluster or the provider that is suspended', () => {
    const detailAfter = (op: CalendarOp) => candidateOf({}, {}, [op]).reasons.map(({ detail }) => detail)
    expect(detailAfter({ op: 'suspend-cluster', clusterId: 'alpha' })).to.deep.equal([
      'alpha is suspended: nothing new is placed there.',
    ])
    expect(detailAfter({ op: 'suspend-provider', providerId: 'nhn' })).to.deep.equal([
      'Provider nhn is suspended: nothing new is placed there.',
    ])
  })

  it('asks for the stage of the phase in force at the start, and waits for it', () => {
    const phases = [
      { from: NOW - DAY_MS, nodes: 4, stage: 'beta' as const, basis: 'assumed' },
      { from: Date.parse('2027-02-01T00:00:00Z'), nodes: 10, stage: 'general' as const, basis: 'announced' },
    ]
    expect(candidateOf({ phases }, requires({ stages: ['beta'] })).earliestStart).to.equal(NOW)
    const later = candidateOf({ phases }, requires({ stages: ['general'] }))
    expect(later.earliestStart).to.equal(Date.parse('2027-02-01T00:00:00Z'))
    expect(later.reasons).to.deep.equal([
      {
        rule: 'stage',
        wanted: ['general'],
        found: '2027-02-01T00:00:00Z',
        detail: 'alpha is of stage general only from 2027-02-01T00:00:00Z on.',
      },
    ])
  })

  it('tells how many nodes are free of those that are wanted, and from when on all of them are', () => {
    const held = reserve(aReservation({ start: NOW, end: Date.parse('2027-02-01T08:00:00Z'), nodes: 7 }))
    const { reasons } = candidateOf({}, { demand: { nodes: 4 } }, [held])
    expect(reasons).to.deep.equal([
      { rule: 'free-nodes', wanted: 4, found: 3, detail: '4 nodes of alpha are not free before 2027-02-01T09:00:00Z.' },
    ])
  })

  it('tells that nothing is free up to the latest start that was asked', () => {
    const held = reserve(aReservation({ start: NOW, end: NOW + 9 * DAY_MS, nodes: 7 }))
    const { reasons, feasible } = candidateOf({}, { demand: { nodes: 4 }, period: flexible(24, NOW, NOW + DAY_MS) }, [
      held,
    ])
    expect(feasible).to.equal(false)
    expect(reasons).to.deep.equal([
      {
        rule: 'free-nodes',
        wanted: 4,
        found: 3,
        detail: '4 nodes of alpha are not free from 2027-01-04T10:17:23Z to 2027-01-05T10:17:23Z.',
      },
    ])
  })
})

describe('the limit past which no start is looked for', () => {
  const rulesOf = (request: Partial<PlacementRequest>, ops: readonly CalendarOp[] = []) =>
    candidateOf({}, request, ops).reasons.map(({ rule }) => rule)
  const busy = reserve(aReservation({ start: NOW, end: NOW + 5 * DAY_MS, nodes: 10 }))

  it('is named beside what is not free', () => {
    expect(rulesOf({ approval: anApproval({ validTo: NOW + 3 * DAY_MS }) }, [busy])).to.deep.equal([
      'free-nodes',
      'approval-window',
    ])
    expect(rulesOf({ period: flexible(3 * 365 * 24 - 48) }, [busy])).to.deep.equal(['free-nodes', 'horizon'])
  })

  it('is a latest start that has passed, though nodes are free', () => {
    const { feasible, reasons } = candidateOf({}, { period: flexible(24, NOW - 2 * HOUR_MS, NOW - HOUR_MS) })
    expect(feasible).to.equal(false)
    expect(reasons).to.deep.equal([
      {
        rule: 'free-nodes',
        wanted: 1,
        found: '2027-01-04T09:17:23Z',
        detail: '1 node of alpha is not free for 24 h at any start up to 2027-01-04T09:17:23Z.',
      },
    ])
  })

  it('is not in the way of a cluster that had no room when it was asked, once its pause is over', () => {
    const avoid = [{ clusterId: 'alpha', until: NOW + 3 * HOUR_MS }]
    expect(candidateOf({}, { avoid }).earliestStart).to.equal(Date.parse('2027-01-04T14:00:00Z'))
    expect(candidateOf({}, { avoid: [{ clusterId: 'beta', until: NOW + DAY_MS }] }).earliestStart).to.equal(NOW)
    expect(rulesOf({ avoid }).length).to.equal(1)
  })
})

describe('what can never be served', () => {
  const never = (clusters: readonly Cluster[], request: Partial<PlacementRequest>) =>
    unsatisfiable(clusters, aRequest(request), NOW)
  const rulesOf = (clusters: readonly Cluster[], request: Partial<PlacementRequest>) =>
    never(clusters, request)?.map(({ clusterId, reasons }) => [clusterId, ...reasons.map(({ rule }) => rule)])

  it('is what no cluster has the facts for, with the reasons of each', () => {
    const clusters = [aCluster(), aCluster({ id: 'beta', nodes: 400, architecture: 'hopper' })]
    expect(rulesOf(clusters, { ...requires({ architectures: ['blackwell'] }), demand: { nodes: 255 } })).to.deep.equal([
      ['alpha', 'cluster-size'],
      ['beta', 'architecture'],
    ])
    expect(never(clusters, { demand: { nodes: 255 } })).to.equal(null)
  })

  it('is not what only a phase to come can serve', () => {
    const phases = [
      { from: NOW - DAY_MS, nodes: 5, stage: 'general' as const, basis: 'announced' },
      { from: NOW + 30 * DAY_MS, nodes: 10, stage: 'general' as const, basis: 'announced' },
    ]
    const growing = aCluster({ phases })
    expect(never([growing], { demand: { nodes: 8 } })).to.equal(null)
    expect(never([growing], { demand: { nodes: 8 }, period: fixed(NOW, 24) })).to.equal(null)
    expect(rulesOf([growing], { demand: { nodes: 8 }, period: flexible(24, NOW, NOW + 29 * DAY_MS) })).to.deep.equal([
      ['alpha', 'free-nodes'],
    ])
    expect(never([growing], { demand: { nodes: 8 }, period: flexible(24, NOW, NOW + 31 * DAY_MS) })).to.equal(null)
  })

  it('is what is longer than the approval or the horizon', () => {
    expect(rulesOf([aCluster()], { approval: anApproval({ validTo: NOW + HOUR_MS }) })).to.deep.equal([
      ['alpha', 'approval-window'],
    ])
    expect(rulesOf([aCluster()], { period: flexible(3 * 365 * 24) })).to.deep.equal([['alpha', 'horizon']])
  })
})
