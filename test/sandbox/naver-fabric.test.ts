import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { BOOT_MS, codeOf, makeReady, makeServers, numbered, openAccount, serverOrder } from './naver-account.ts'
import type { Account } from './naver-account.ts'
import { NAVER } from '../../deploy/sandbox/settings.ts'

const FABRIC_MS = BOOT_MS / 2
const STOP_MS = BOOT_MS / 4
const [POOL, OTHER_POOL] = ['5001', '5002']
const REFUSED = '1140201'
const BUSY = '1140202'
const IN_USE = '1140203'

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.close())

const makeFabric = async (fabricClusterPoolNo = POOL): Promise<string> => {
  const order = { fabricClusterName: 'fabric-a', zoneCode: NAVER.zoneCode, vpcNo: NAVER.vpcNo, fabricClusterPoolNo }
  const [row] = await account.rows('createFabricCluster', order)
  return String(row?.['fabricClusterNo'])
}
const makeRunning = async (pool = POOL): Promise<string> => {
  const no = await makeFabric(pool)
  await account.pass(FABRIC_MS)
  return no
}
const membersOf = (fabricClusterNo: string, servers: readonly string[]): Record<string, unknown> => ({
  fabricClusterNo,
  ...numbered('clusterModeServerInstanceNoList', servers),
})
const setMembers = (fabric: string, servers: readonly string[]): Promise<unknown> =>
  account.call('changeFabricClusterServerInstances', membersOf(fabric, servers))
const refusedMembers = (fabric: string, servers: readonly string[]): Promise<string> =>
  account.refusal('changeFabricClusterServerInstances', membersOf(fabric, servers))
const detail = async (fabricClusterNo: string): Promise<Record<string, unknown> | undefined> =>
  (await account.rows('getFabricClusterDetail', { fabricClusterNo }))[0]
const status = async (fabric: string): Promise<string> => codeOf(await detail(fabric), 'fabricClusterStatus')
const members = async (fabric: string): Promise<unknown[]> => {
  const list = (await detail(fabric))?.['fabricClusterServerInstanceList'] as { serverInstanceNo: string }[]
  return list.map((server) => server.serverInstanceNo)
}
const modes = async (): Promise<unknown[]> =>
  (await account.rows('getServerInstanceList', { sortedBy: 'serverInstanceNo' })).map((row) => row['fabricClusterMode'])

const inPool = { fabricClusterPoolNo: POOL, serverName: 'node', serverCreateCount: 2 }

describe('simulated Naver: fabric pools', () => {
  it('are listed per zone for hardware that has one, until nothing of it is left', async () => {
    const pools = async (serverSpecCode: string): Promise<unknown[]> => {
      const filter = { regionCode: 'KR', zoneCode: 'KR-1', serverSpecCode }
      return (await account.rows('getFabricClusterPoolList', filter)).map((row) => row['fabricClusterPoolNo'])
    }
    expect(await pools(NAVER.specCode)).to.deep.equal([POOL, OTHER_POOL])
    expect(await pools('s2-g3')).to.deep.equal([])
    await account.behave({ freeNodes: 0 })
    expect(await pools(NAVER.specCode)).to.deep.equal([])
  })

  it('cannot be asked for without a zone', async () => {
    expect(await account.refusal('getFabricClusterPoolList')).to.equal('1000101')
  })
})

describe('simulated Naver: fabric clusters', () => {
  it('go from CREAT over SETUP to RUN, and by TERMTING and TERMT away', async () => {
    const fabric = await makeFabric()
    const seen = [await status(fabric)]
    await account.pass(0.3 * FABRIC_MS)
    seen.push(await status(fabric))
    await account.pass(0.3 * FABRIC_MS)
    seen.push(await status(fabric))
    await account.call('deleteFabricCluster', { fabricClusterNo: fabric })
    seen.push(await status(fabric))
    await account.pass(0.4 * FABRIC_MS)
    seen.push(await status(fabric))
    expect(await account.left()).to.deep.equal(['fabric-cluster'])
    await account.pass(0.2 * FABRIC_MS)
    expect(seen).to.deep.equal(['CREAT', 'SETUP', 'RUN', 'TERMTING', 'TERMT'])
    expect(await detail(fabric)).to.equal(undefined)
    expect(await account.left()).to.deep.equal([])
  })

  it('refuse changes and deletion until they run', async () => {
    const fabric = await makeFabric()
    expect(await refusedMembers(fabric, [])).to.equal(BUSY)
    expect(await account.refusal('deleteFabricCluster', { fabricClusterNo: fabric })).to.equal(BUSY)
  })

  it('take members over a while, and show the former ones until then', async () => {
    const servers = await makeReady(account, inPool)
    const fabric = await makeRunning()
    expect(await modes()).to.deep.equal(['SINGLE', 'SINGLE'])
    await setMembers(fabric, servers)
    expect([await status(fabric), await members(fabric), await modes()]).to.deep.equal([
      'SETUP',
      [],
      ['SINGLE', 'SINGLE'],
    ])
    await account.pass(FABRIC_MS)
    expect([await status(fabric), await members(fabric)]).to.deep.equal(['RUN', servers])
    const rows = await account.rows('getServerInstanceList', { fabricClusterMode: 'CLUSTER', fabricClusterNo: fabric })
    expect(rows.map((row) => row['fabricClusterName'])).to.deep.equal(['fabric-a', 'fabric-a'])
    expect((await detail(fabric))?.['serverCount']).to.equal(2)
  })

  it('replace their members as a set: who is not named again leaves, and nobody named empties it', async () => {
    const [first = '', second = ''] = await makeReady(account, inPool)
    const fabric = await makeRunning()
    await setMembers(fabric, [first])
    await account.pass(FABRIC_MS)
    await setMembers(fabric, [second])
    await account.pass(FABRIC_MS)
    expect(await members(fabric)).to.deep.equal([second])
    await setMembers(fabric, [])
    await account.pass(FABRIC_MS)
    expect([await members(fabric), await modes()]).to.deep.equal([[], ['SINGLE', 'SINGLE']])
  })

  it('take only servers of their pool that run and are nowhere else', async () => {
    const [first = ''] = await makeReady(account, { ...inPool, serverCreateCount: 1 })
    const [foreign = ''] = await makeReady(account, { fabricClusterPoolNo: OTHER_POOL })
    const [poolless = ''] = await makeReady(account)
    const [fabric, other] = [await makeRunning(), await makeRunning()]
    const [building = ''] = await makeServers(account, { fabricClusterPoolNo: POOL })
    expect(await refusedMembers(fabric, [first, foreign])).to.equal(REFUSED)
    expect(await refusedMembers(fabric, [poolless])).to.equal(REFUSED)
    expect(await refusedMembers(fabric, [first, building])).to.equal(REFUSED)
    expect(await refusedMembers(fabric, ['999'])).to.equal('1100201')
    await setMembers(fabric, [first])
    expect(await refusedMembers(other, [first])).to.equal(REFUSED)
    await account.pass(FABRIC_MS)
    expect(await refusedMembers(other, [first])).to.equal(REFUSED)
  })

  it('settle at once when asked for the members that they have', async () => {
    const servers = await makeReady(account, inPool)
    const fabric = await makeRunning()
    await setMembers(fabric, servers)
    await account.pass(FABRIC_MS)
    await setMembers(fabric, servers.toReversed())
    expect(await status(fabric)).to.equal('RUN')
  })

  it('keep their servers from being stopped while they change, and from being terminated at all', async () => {
    const [no = ''] = await makeReady(account, { ...inPool, serverCreateCount: 1 })
    const fabric = await makeRunning()
    const server = numbered('serverInstanceNoList', [no])
    await setMembers(fabric, [no])
    expect(await account.refusal('stopServerInstances', server)).to.equal('1100031')
    await account.pass(FABRIC_MS)
    await account.call('stopServerInstances', server)
    await account.pass(STOP_MS)
    expect(await account.refusal('terminateServerInstances', server)).to.equal('1100204')
    expect(await account.refusal('deleteFabricCluster', { fabricClusterNo: fabric })).to.equal(IN_USE)
    await setMembers(fabric, [])
    expect(await account.refusal('terminateServerInstances', server)).to.equal('1100031')
    await account.pass(FABRIC_MS)
    await account.call('terminateServerInstances', server)
    await account.pass(STOP_MS)
    expect(await account.left()).to.deep.equal(['fabric-cluster'])
  })

  it('change in the time that fabricMs says', async () => {
    const servers = await makeReady(account, inPool)
    const fabric = await makeRunning()
    await account.behave({ fabricMs: 600_000_000 })
    await setMembers(fabric, servers)
    await account.pass(599_000_000)
    expect(await status(fabric)).to.equal('SETUP')
    await account.pass(1_100_000)
    expect(await status(fabric)).to.equal('RUN')
  })

  it('are found by name inside names, by pool and by server', async () => {
    const [no = ''] = await makeReady(account, { ...inPool, serverCreateCount: 1 })
    const fabric = await makeRunning()
    await makeRunning(OTHER_POOL)
    await setMembers(fabric, [no])
    await account.pass(FABRIC_MS)
    const found = async (filter: Record<string, unknown>): Promise<number> =>
      (await account.rows('getFabricClusterList', filter)).length
    expect(await found({ fabricClusterName: 'bric' })).to.equal(2)
    expect(await found({ fabricClusterPoolNo: POOL })).to.equal(1)
    expect(await found({ serverInstanceNo: no })).to.equal(1)
    expect(await found(numbered('fabricClusterNoList', [fabric]))).to.equal(1)
    expect(await found({ pageNo: 2, pageSize: 1 })).to.equal(1)
  })

  it('belong to a pool, a zone and a VPC that exist, and have a lower-case name', async () => {
    const order = { fabricClusterName: 'fabric-a', zoneCode: 'KR-1', vpcNo: '1001', fabricClusterPoolNo: POOL }
    for (const [wrong, code] of [
      [{ fabricClusterName: 'Fabric' }, '1000101'],
      [{ zoneCode: 'KR-9' }, '1000102'],
      [{ vpcNo: '9' }, '1000102'],
      [{ fabricClusterPoolNo: '9' }, '1000102'],
    ] as const) {
      expect(await account.refusal('createFabricCluster', { ...order, ...wrong })).to.equal(code)
    }
    expect(await account.left()).to.deep.equal([])
  })

  it('survive the servers that were made for them', async () => {
    await makeRunning()
    await account.call('createServerInstances', serverOrder())
    expect((await account.left()).toSorted()).to.deep.equal(['fabric-cluster', 'node'])
  })
})
