import { expect } from 'chai'
import { before, describe, it } from 'mocha'
import { type Candidate, PlacementPreview, type RuleName } from '../../shared/decision.ts'
import type { ApiClient } from '../support/api-client.ts'
import { allocate, approve, days, hours, release } from './requests.ts'
import { ownDays, sharedBroker } from './shared-broker.ts'

const CLUSTERS = [
  'kakao-b200-255',
  'kakao-b200-own',
  'naver-h200-255',
  'naver-h200-32',
  'naver-h200-own',
  'nhn-b200-255',
  'nhn-b200-510',
  'nhn-b200-own',
]

describe('a preview of a placement', () => {
  let platform: ApiClient
  before(async () => {
    platform = await sharedBroker().as('platform')
  })
  const preview = async (changes: object = {}): Promise<PlacementPreview> => {
    const body = { demand: { nodes: 1 }, period: { start: days(20), end: days(21) }, ...changes }
    return (await platform.post('/v1/placements/preview', body)).as(200, PlacementPreview)
  }
  const at = (found: PlacementPreview, clusterId: string): Candidate => {
    const candidate = found.candidates.find((one) => one.clusterId === clusterId)
    if (candidate === undefined) throw new Error(`${clusterId} is not listed`)
    return candidate
  }

  it('lists every cluster, whatever is asked', async () => {
    for (const changes of [{}, { requires: { providers: ['nobody'] } }, { demand: { nodes: 100_000 } }]) {
      const { candidates } = await preview(changes)
      expect(candidates.map(({ clusterId }) => clusterId)).to.have.members(CLUSTERS)
      for (const { feasible, reasons, earliestStart, score, scoreParts } of candidates) {
        const infeasible = [earliestStart === null, score === null, scoreParts === null, reasons.length > 0]
        if (!feasible) expect(infeasible).to.deep.equal([true, true, true, true])
      }
    }
  })

  it('says when, how well and with how many nodes each could serve it', async () => {
    const found = await preview({ demand: { fp8H200Equivalent: 36 } })
    expect(
      [at(found, 'nhn-b200-510'), at(found, 'naver-h200-32')].map(({ nodes, gpus }) => [nodes, gpus]),
    ).to.deep.equal([
      [2, 16],
      [5, 40],
    ])
    for (const { feasible, earliestStart, score } of found.candidates.filter((one) => one.feasible)) {
      expect([feasible, earliestStart]).to.deep.equal([true, days(20)])
      expect(score).to.be.within(0, 15)
    }
    expect(found.candidates.filter((one) => one.feasible).length).to.equal(5)
  })

  it('names as best what an allocation then gets', async () => {
    for (const changes of [{ prefers: { provider: 'kakao' } }, { requires: { minClusterNodes: 256 } }, {}]) {
      const { best } = await preview(changes)
      const period = { start: days(20), end: days(21) }
      const taken = await allocate(platform, await approve(platform), { ...changes, period })
      expect(taken.placement?.clusterId).to.equal(best)
      await release(platform, taken.id)
    }
  })

  it('has no best where nothing is feasible', async () => {
    expect((await preview({ requires: { cooling: ['air'] } })).best).to.equal(null)
  })

  it('changes nothing', async () => {
    const paths = ['/v1/allocations?limit=1', '/v1/clusters/nhn-b200-510/availability?from=2027-01-01T00:00:00Z']
    const read = () => Promise.all(paths.map(async (path) => (await platform.get(path)).text))
    const before = await read()
    await preview({ demand: { nodes: 255 } })
    expect(await read()).to.deep.equal(before)
  })

  describe('gives the reason with its figures:', () => {
    const cases: readonly (readonly [RuleName, string, object, unknown, unknown])[] = [
      ['share', 'kakao-b200-own', {}, ['government'], 'operator'],
      ['provider', 'kakao-b200-own', { requires: { shares: ['operator'] } }, 'configured', 'not configured'],
      ['provider', 'nhn-b200-255', { requires: { providers: ['kakao'] } }, ['kakao'], 'nhn'],
      ['stage', 'nhn-b200-255', { requires: { stages: ['general'] } }, ['general'], ['beta']],
      ['architecture', 'naver-h200-32', { requires: { architectures: ['blackwell'] } }, ['blackwell'], 'hopper'],
      ['gpu-model', 'naver-h200-32', { requires: { gpuModels: ['B200'] } }, ['B200'], 'H200'],
      ['cooling', 'kakao-b200-255', { requires: { cooling: ['air'] } }, ['air'], 'undisclosed'],
      ['cluster-size', 'naver-h200-32', { demand: { nodes: 33 } }, 33, 32],
      ['cluster-size', 'naver-h200-32', { requires: { minClusterNodes: 33 } }, 33, 32],
    ]
    for (const [rule, clusterId, changes, wanted, found] of cases) {
      it(`${rule} at ${clusterId}`, async () => {
        const { feasible, reasons } = at(await preview(changes), clusterId)
        expect(feasible).to.equal(false)
        const reason = reasons.find((one) => one.rule === rule)
        expect(reason).to.deep.include({ rule, wanted, found })
        expect(reason?.detail).to.match(/^\S.*\.$/)
      })
    }

    it('free-nodes, with the start that it can be had at', async () => {
      const first = ownDays(2)
      const approval = await approve(platform)
      const period = { start: days(first), end: days(first + 1) }
      const blocker = await allocate(platform, approval, {
        demand: { nodes: 30 },
        period,
        requires: { providers: ['naver'] },
        prefers: { provider: 'naver' },
      })
      const clusterId = blocker.placement?.clusterId ?? ''
      expect(clusterId).to.equal('naver-h200-32')
      const candidate = at(await preview({ demand: { nodes: 4 }, period }), clusterId)
      expect([candidate.feasible, candidate.earliestStart]).to.deep.equal([true, hours(24 * (first + 1) + 1)])
      expect(candidate.reasons.map(({ rule, wanted, found }) => [rule, wanted, found])).to.deep.equal([
        ['free-nodes', 4, 2],
      ])
      await release(platform, blocker.id)
    })

    it('horizon', async () => {
      const { feasible, reasons } = at(
        await preview({ period: { start: days(1_090), end: days(1_200) } }),
        'nhn-b200-255',
      )
      expect(feasible).to.equal(false)
      expect(reasons.map(({ rule }) => rule)).to.include('horizon')
    })
  })

  it('is refused for GPUs that are not whole nodes, and for a start that is past', async () => {
    const body = { demand: { gpus: 12 }, period: { durationHours: 5 } }
    ;(await platform.post('/v1/placements/preview', body)).problem('demand-not-whole-nodes')
    const past = { demand: { gpus: 8 }, period: { start: days(-2), end: days(2) } }
    ;(await platform.post('/v1/placements/preview', past)).problem('invalid-request')
  })
})
