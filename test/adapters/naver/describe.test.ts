import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  type Answer,
  CLUSTER,
  aCall,
  aWorld,
  disconnect,
  expectError,
  gatewayError,
  rows,
  serviceError,
  someSettings,
  tidyUp,
} from './support.ts'

const subnet = (subnetNo: string, members: object = {}) => ({
  subnetNo,
  vpcNo: '1001',
  zoneCode: 'KR-1',
  subnetType: { code: 'PRIVATE' },
  ...members,
})

/** Pages of images, counted from 0 or from 1, or refused. */
const images =
  (first: 0 | 1, ...nos: string[]): Answer =>
  (asked, times) => {
    const size = Number(asked.form.get('pageSize'))
    const start = (Number(asked.form.get('pageNo')) - first) * size
    if (start < 0) return serviceError('777777')(asked, times)
    const page = nos.slice(start, start + size).map((serverImageNo) => ({ serverImageNo, serverImageName: 'x' }))
    return rows('serverImageList', ...page)(asked, times)
  }

const ALL_THERE = {
  getServerImageList: images(1, '4000', '4001', '4002'),
  getLoginKeyList: rows('loginKeyList', { keyName: 'ops-key' }),
  getAccessControlGroupList: rows(
    'accessControlGroupList',
    { accessControlGroupNo: '3001' },
    { accessControlGroupNo: 3002 },
  ),
  getSubnetList: rows('subnetList', subnet('2001'), subnet('2003')),
  getServerSpecList: rows('serverSpecList', { serverSpecCode: 'sim-h200x8-g3', gpuCount: 8 }),
  getFabricClusterPoolList: rows('fabricClusterPoolList', { fabricClusterPoolNo: 5001 }),
}

const problemsOf = async (answers: Record<string, Answer>, settings = someSettings()) => {
  const [cluster] = await aWorld({ ...ALL_THERE, ...answers }, settings).provider.describe(aCall())
  return cluster?.problems
}

describe("describing naver's clusters", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  it('finds all that is configured, and changes nothing', async () => {
    const world = aWorld(ALL_THERE)
    expect(await world.provider.describe(aCall())).to.deep.equal([
      { clusterId: CLUSTER, images: ['ubuntu-22.04-cuda', 'other'], networks: ['a', 'b'], problems: [] },
    ])
    expect(world.changes()).to.deep.equal([])
    expect(world.calls('getSubnetList')[0]?.service).to.equal('vpc')
  })

  it('names an image that does not exist, and offers the others', async () => {
    const world = aWorld({ ...ALL_THERE, getServerImageList: images(1, '4002', '4003') })
    const [cluster] = await world.provider.describe(aCall())
    expect(cluster?.images).to.deep.equal(['other'])
    expect(cluster?.problems).to.deep.equal(['image ubuntu-22.04-cuda (4001) does not exist'])
    expect(world.calls('getServerSpecList')[0]?.form.get('serverImageNo')).to.equal('4002')
  })

  const MISSING: readonly [what: string, answers: Record<string, Answer>, problems: readonly RegExp[]][] = [
    [
      'a login key',
      { getLoginKeyList: rows('loginKeyList', { keyName: 'ops-key-2' }) },
      [/login key ops-key does not/],
    ],
    [
      'a spec',
      { getServerSpecList: rows('serverSpecList', { serverSpecCode: 's2-g3' }) },
      [/spec sim-h200x8-g3 does not/],
    ],
    [
      'a spec with another number of GPUs',
      { getServerSpecList: rows('serverSpecList', { serverSpecCode: 'sim-h200x8-g3', gpuCount: 4 }) },
      [/has 4 GPUs, not 8/],
    ],
    [
      'a spec, where the question is refused',
      { getServerSpecList: serviceError('777777') },
      [/spec .* does not exist/],
    ],
    ['a fabric pool', { getFabricClusterPoolList: rows('fabricClusterPoolList') }, [/fabric pool 5001 is not among/]],
    ['a subnet', { getSubnetList: rows('subnetList', subnet('2001')) }, [/network b: subnet 2003 does not exist/]],
    [
      'a subnet in the right place',
      { getSubnetList: rows('subnetList', subnet('2001', { vpcNo: '9' }), subnet('2003', { zoneCode: 'KR-2' })) },
      [/network a: the subnet is in VPC 9/, /network b: the subnet is in zone KR-2/],
    ],
    [
      'an access control group',
      { getAccessControlGroupList: rows('accessControlGroupList', { accessControlGroupNo: '3001' }) },
      [/network a: access control group 3002 does not exist/],
    ],
    [
      'every image',
      { getServerImageList: images(1, '1', '2') },
      [/4001/, /4002/, /cannot be looked up without an image/],
    ],
  ]
  for (const [what, answers, expected] of MISSING) {
    it(`says in words that it misses ${what}`, async () => {
      const problems = await problemsOf(answers)
      expect(problems).to.have.length(expected.length)
      for (const [index, pattern] of expected.entries()) expect(problems?.[index]).to.match(pattern)
    })
  }

  it('says that a private subnet gives no public address', async () => {
    const problems = await problemsOf({}, someSettings({}, { publicAddress: true }))
    expect(problems).to.have.length(2)
    expect(problems?.[0]).to.match(/network a: the subnet is not a public one/)
  })

  it('says when pages count from 0 and the settings from 1, and not the other way round', async () => {
    const fromZero = { getServerImageList: images(0, '4000', '4001', '4002') }
    expect((await problemsOf(fromZero))?.[0]).to.match(/set firstPage to 0/)
    tidyUp()
    expect(await problemsOf(fromZero, someSettings({ firstPage: 0 }))).to.deep.equal([])
  })

  it('takes an operator that answers page 0 as page 1 for one that counts from 1', async () => {
    const both: Answer = (asked, times) => {
      const form = new URLSearchParams(asked.form)
      form.set('pageNo', String(Math.max(1, Number(form.get('pageNo')))))
      return images(1, '4000', '4001', '4002')({ ...asked, form }, times)
    }
    expect(await problemsOf({ getServerImageList: both })).to.deep.equal([])
  })

  it('is an error where the operator does not answer', async () => {
    const { provider } = aWorld({ ...ALL_THERE, getServerSpecList: gatewayError(500, '900') })
    await expectError(provider.describe(aCall()), { kind: 'unreachable', effect: 'none' })
  })
})
