import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { errorOf } from '../rejection.ts'
import {
  ALLOCATION,
  CLUSTER,
  GROUP,
  INSTALLATION,
  TAG,
  type Answer,
  aCall,
  aServer,
  aWorld,
  disconnect,
  inState,
  inTurn,
  rows,
  servers,
  someSettings,
  tidyUp,
} from './support.ts'

const FILTER = { installationId: INSTALLATION }
const numbered = (from: number, count: number) => Array.from({ length: count }, (_, index) => aServer(from + index))

/** An operator that holds `total` servers and gives at most `cap` of them in a page, counting pages from 1. */
const pagesOf =
  (total: number, cap: number): Answer =>
  (asked, times) => {
    const size = Math.min(cap, Number(asked.form.get('pageSize')))
    const start = (Number(asked.form.get('pageNo')) - 1) * size
    return servers(...numbered(100 + start, Math.max(0, Math.min(size, total - start))))(asked, times)
  }

describe("naver's list of what others made", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  const untagged = { serverDescription: '' }
  const poolless = { ...untagged, fabricClusterPoolNo: '' }

  it('has what carries no tag of ours, whatever its VPC, on all pages', async () => {
    const theirs = { serverDescription: TAG.replace(INSTALLATION, 'ins_otherinstallatio'), vpcNo: '7777' }
    const world = aWorld(
      {
        getServerInstanceList: inTurn(
          servers(aServer(1), aServer(2, untagged)),
          servers(aServer(3, theirs)),
          servers(),
        ),
      },
      someSettings({ pageSize: 2 }),
    )
    const others = await world.provider.listOthers?.(FILTER, aCall())
    const createdAt = Date.parse('2026-11-30T15:05:07+09:00')
    expect(others).to.deep.equal([
      { providerInstanceId: '2', name: `${GROUP}-2`, clusterId: CLUSTER, createdAt },
      { providerInstanceId: '3', name: `${GROUP}-3`, clusterId: CLUSTER, createdAt },
    ])
  })

  it('goes by pool, or else by zone and spec: another machine takes no room', async () => {
    const rows = [
      aServer(1, { ...untagged, serverSpecCode: '' }),
      aServer(2, { ...untagged, fabricClusterPoolNo: 9_999 }),
      aServer(3, poolless),
      aServer(4, { ...poolless, serverSpecCode: 's2-g3' }),
      aServer(5, { ...poolless, serverSpecCode: '' }),
      aServer(6, { ...poolless, zoneCode: 'KR-2' }),
    ]
    const world = aWorld({ getServerInstanceList: servers(...rows) })
    const others = await world.provider.listOthers?.(FILTER, aCall())
    expect(others?.map((other) => other.providerInstanceId)).to.deep.equal(['1', '3'])
  })
})

describe("naver's lists", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  const PAGINGS = [
    { total: 0, pageSize: 3, cap: 1_000, calls: 1 },
    { total: 2, pageSize: 3, cap: 1_000, calls: 1 },
    { total: 3, pageSize: 3, cap: 1_000, calls: 2 },
    { total: 7, pageSize: 3, cap: 1_000, calls: 3 },
    { total: 9, pageSize: 1_000, cap: 1_000, calls: 1 },
    { total: 250, pageSize: 1_000, cap: 100, calls: 3 },
    { total: 200, pageSize: 1_000, cap: 100, calls: 3 },
  ]
  for (const { total, pageSize, cap, calls } of PAGINGS) {
    it(`hold all ${total} with ${pageSize} asked for and ${cap} given at most, in ${calls} calls`, async () => {
      const world = aWorld({ getServerInstanceList: pagesOf(total, cap) }, someSettings({ pageSize }))
      const nodes = await world.provider.listNodes(FILTER, aCall())
      expect(new Set(nodes.map((node) => node.providerInstanceId)).size).to.equal(total)
      expect(nodes).to.have.length(total)
      expect(world.calls('getServerInstanceList')).to.have.length(calls)
    })
  }

  it('end where the operator repeats its only page for ever', async () => {
    const world = aWorld({ getServerInstanceList: servers(...numbered(1, 20)) })
    expect(await world.provider.listNodes(FILTER, aCall())).to.have.length(20)
    expect(world.calls('getServerInstanceList')).to.have.length(2)
  })

  it('end with an error where pages never do', async () => {
    const endless: Answer = (asked, times) => servers(...numbered(times * 20, 20))(asked, times)
    const world = aWorld({ getServerInstanceList: endless })
    expect((await errorOf(world.provider.listNodes(FILTER, aCall()))).kind).to.equal('malformed')
  })

  it('start at the configured first page', async () => {
    const world = aWorld({}, someSettings({ firstPage: 0 }))
    await world.provider.listNodes(FILTER, aCall())
    expect(world.asked[0]?.form.get('pageNo')).to.equal('0')
  })

  it('never trust the number of rows that the operator counts', async () => {
    const lying: Answer = (asked, times) => {
      const [status, body] = pagesOf(15, 10)(asked, times)
      return [status, JSON.parse(JSON.stringify(body).replaceAll(/"totalRows":\d+/g, '"totalRows":10'))]
    }
    const world = aWorld({ getServerInstanceList: lying })
    expect(await world.provider.listNodes(FILTER, aCall())).to.have.length(15)
  })

  it('hold only what carries a tag of the installation, and of the allocation where asked for', async () => {
    const other = { serverDescription: `gpu-broker/${INSTALLATION}/alc_zzzzzzzzzzzzzzzz/gbzzzzzzzzzzzzzzzz-000` }
    const foreign = { serverDescription: `gpu-broker/ins_zzzzzzzzzzzzzzzz/${ALLOCATION}/gbabcdefghijklmnop-000` }
    const list = servers(aServer(1), aServer(2, other), aServer(3, foreign), aServer(4, { serverDescription: 'mine' }))
    const { provider } = aWorld({ getServerInstanceList: list })
    const ids = async (filter: { installationId: string; allocationId?: string }) =>
      (await provider.listNodes(filter, aCall())).map((node) => node.providerInstanceId)
    expect(await ids(FILTER)).to.deep.equal(['1', '2'])
    expect(await ids({ ...FILTER, allocationId: ALLOCATION })).to.deep.equal(['1'])
  })

  it('show a server that somebody renamed, because it still is ours', async () => {
    const { provider } = aWorld({ getServerInstanceList: servers(aServer(1, { serverName: 'renamed' })) })
    expect((await provider.listNodes(FILTER, aCall())).map(({ name }) => name)).to.deep.equal(['renamed'])
  })

  it('take private addresses from one list of network interfaces, the primary one first', async () => {
    const world = aWorld({
      getServerInstanceList: servers(aServer(1), aServer(2), aServer(3)),
      getNetworkInterfaceList: rows(
        'networkInterfaceList',
        { networkInterfaceNo: '71', instanceNo: '1', isDefault: false, ip: '10.0.9.1' },
        { networkInterfaceNo: '72', instanceNo: '1', isDefault: true, ip: '10.0.0.1' },
        { networkInterfaceNo: '73', instanceNo: '2', isDefault: true, ip: '10.0.0.2' },
        { networkInterfaceNo: '74', instanceNo: '', isDefault: false, ip: '10.0.0.4' },
      ),
    })
    const nodes = await world.provider.listNodes(FILTER, aCall())
    expect(nodes.map(({ address }) => address)).to.deep.equal(['10.0.0.1', '10.0.0.2', null])
    expect(world.calls('getNetworkInterfaceList')).to.have.length(1)
  })

  it('ask for addresses only of ready nodes whose address is not known yet', async () => {
    const address = { networkInterfaceNo: '71', instanceNo: '1', isDefault: true, ip: '10.0.0.1' }
    const world = aWorld({
      getServerInstanceList: inTurn(servers(aServer(1, inState('CREAT', 'SETUP'))), servers(aServer(1))),
      getNetworkInterfaceList: rows('networkInterfaceList', address),
    })
    const addresses = []
    for (let look = 0; look < 3; look++)
      addresses.push((await world.provider.listNodes(FILTER, aCall())).map((node) => node.address)[0])
    expect(addresses).to.deep.equal([null, '10.0.0.1', '10.0.0.1'])
    expect(world.calls('getNetworkInterfaceList')).to.have.length(1)
  })
})
