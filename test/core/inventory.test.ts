import { readFileSync } from 'node:fs'
import { expect } from 'chai'
import { describe, it } from 'mocha'
import { clustersOf, nodesFor, phaseAt } from '../../broker/core/cluster.ts'
import { Inventory } from '../../shared/inventory.ts'
import { aCluster } from './fleet.ts'

const json = (): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL('../../deploy/inventory.json', import.meta.url), 'utf8')) as Record<string, unknown> // parsed by the schema below
const inventory = Inventory.parse(json())
const sizeOf = (cluster: (typeof inventory.clusters)[number]): number => cluster.phases.at(-1)?.nodes ?? 0
const gpusWhere = (matches: (cluster: (typeof inventory.clusters)[number]) => boolean): number =>
  inventory.clusters.filter(matches).reduce((sum, cluster) => sum + sizeOf(cluster) * inventory.gpusPerNode, 0)

describe('the inventory', () => {
  it('sums up to the 13,136 GPUs that the operators secured', () => {
    const secured = inventory.operators.flatMap(({ id, gpusSecured }) =>
      gpusSecured.map(({ gpuModel, gpus }) => [id, gpuModel, gpus]),
    )
    expect(secured).to.deep.equal([
      ['naver', 'H200', 3_056],
      ['nhn', 'B200', 7_656],
      ['kakao', 'B200', 2_424],
    ])
    expect(gpusWhere(() => true)).to.equal(13_136)
  })

  it('has 10,456 GPUs in 1,307 nodes for government use', () => {
    expect(gpusWhere((cluster) => cluster.share === 'government')).to.equal(10_456)
    const nodes = inventory.clusters.filter(({ share }) => share === 'government').map(sizeOf)
    expect(nodes.reduce((sum, count) => sum + count, 0)).to.equal(1_307)
  })

  for (const [operator, government, own] of [
    ['naver', 2_296, 760],
    ['nhn', 6_120, 1_536],
    ['kakao', 2_040, 384],
  ] as const)
    it(`gives ${operator} ${government} GPUs for government use and ${own} of its own`, () => {
      expect(gpusWhere(({ share, providerId }) => share === 'government' && providerId === operator)).to.equal(
        government,
      )
      expect(gpusWhere(({ share, providerId }) => share === 'operator' && providerId === operator)).to.equal(own)
    })

  it('has 8,160 Blackwell and 2,296 Hopper GPUs for government use', () => {
    for (const [wanted, gpus] of [
      ['blackwell', 8_160],
      ['hopper', 2_296],
    ] as const)
      expect(gpusWhere(({ share, architecture }) => share === 'government' && architecture === wanted)).to.equal(gpus)
  })

  it('lets the large cluster grow from 255 to 510 nodes on the last day of 2026', () => {
    const large = clustersOf(inventory, new Map()).find(({ id }) => id === 'nhn-b200-510')
    const nodesOn = (day: string): number => phaseAt(large?.phases ?? [], Date.parse(day))?.nodes ?? 0
    expect(nodesOn('2026-03-30T23:59:59Z')).to.equal(0)
    expect(nodesOn('2026-03-31T00:00:00Z')).to.equal(255)
    expect(nodesOn('2026-12-30T23:59:59Z')).to.equal(255)
    expect(nodesOn('2026-12-31T00:00:00Z')).to.equal(510)
  })

  it('calls nothing disclosed that the announcement leaves out', () => {
    const cooling = Object.fromEntries(inventory.clusters.map(({ id, cooling }) => [id, cooling]))
    for (const [id, fact] of Object.entries(cooling))
      expect(fact, id).to.equal(id.startsWith('nhn-') ? 'liquid' : 'undisclosed')
    for (const { id, stage, basis } of inventory.clusters.flatMap(({ id, phases }) =>
      phases.map((phase) => ({ id, ...phase })),
    ))
      if (stage === 'beta') expect(basis, id).to.equal('assumed')
  })

  it('takes an hour as turnover where it says nothing', () => {
    expect(clustersOf(inventory, new Map()).map(({ turnoverMs }) => turnoverMs)).to.deep.equal(Array(8).fill(3_600_000))
  })

  it('makes placeable only what the configuration maps', () => {
    const clusters = clustersOf(inventory, new Map([['naver-h200-32', { images: ['ubuntu'] }]]))
    expect(clusters.filter(({ mapped }) => mapped).map(({ id, images }) => [id, images])).to.deep.equal([
      ['naver-h200-32', ['ubuntu']],
    ])
  })

  for (const [name, spoil, message] of [
    [
      'a cluster listed twice',
      (file: typeof inventory) => ({ ...file, clusters: [...file.clusters, ...file.clusters.slice(0, 1)] }),
      /listed twice/,
    ],
    [
      'a cluster of an unknown operator',
      (file: typeof inventory) => ({ ...file, operators: file.operators.slice(1) }),
      /operator naver is not listed/,
    ],
    ['an architecture without a factor', (file: typeof inventory) => ({ ...file, architectures: {} }), /has no factor/],
    [
      'phases out of order',
      (file: typeof inventory) => ({
        ...file,
        clusters: file.clusters.map((cluster) => ({ ...cluster, phases: cluster.phases.toReversed() })),
      }),
      /ascending order/,
    ],
    [
      'a figure without a basis',
      (file: typeof inventory) => ({
        ...file,
        clusters: file.clusters.map((cluster) => ({
          ...cluster,
          phases: [{ from: '2026-01-01T00:00:00Z', nodes: 1, stage: 'beta' }],
        })),
      }),
      /basis/,
    ],
  ] as const)
    it(`refuses ${name}`, () => {
      expect(() => Inventory.parse(spoil(inventory))).to.throw(message)
    })
})

describe('the nodes for a demand', () => {
  for (const [name, demand, factor, nodes] of [
    ['nodes as they are', { nodes: 7 }, 2.25, 7],
    ['GPUs by eights', { gpus: 64 }, 2.25, 8],
    ['compute by the factor of the GPU', { fp8H200Equivalent: 36 }, 2.25, 2],
    ['one more where a part is left over', { fp8H200Equivalent: 36.1 }, 2.25, 3],
    ['at least one', { fp8H200Equivalent: 0.5 }, 1, 1],
    ['the fewest, where a quotient is rounded up past a whole number', { fp8H200Equivalent: 138 }, 1.15, 15],
  ] as const)
    it(`are ${name}`, () => {
      expect(nodesFor(aCluster({ fp8H200PerGpu: factor }), demand)).to.equal(nodes)
    })
})
