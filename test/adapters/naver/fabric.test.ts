import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  ALLOCATION,
  type Answer,
  CLUSTER,
  GROUP,
  OWNER,
  TAG,
  type World,
  aCall,
  aFabric,
  aServer,
  aWorld,
  accepted,
  disconnect,
  expectError,
  inState,
  members,
  rows,
  serviceError,
  servers,
  someSettings,
  tidyUp,
} from './support.ts'

const join = (world: World, ...ids: number[]) =>
  world.provider.joinFabric?.({ clusterId: CLUSTER, owner: OWNER, providerInstanceIds: ids.map(String) }, aCall())
const leave = (world: World) => world.provider.leaveFabric?.({ clusterId: CLUSTER, owner: OWNER }, aCall())

const fabrics = (...list: object[]): Answer => rows('fabricClusterList', ...list)
const JOINED = { fabricClusterMode: 'CLUSTER', fabricClusterNo: 601 }
const CHANGES = {
  createFabricCluster: accepted,
  changeFabricClusterServerInstances: accepted,
  deleteFabricCluster: accepted,
}
const inStatus = (code: string) => ({ fabricClusterStatus: { code, codeName: code } })
const MOVING = { settled: false }

describe("joining naver's nodes into a fabric cluster", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  it('makes the cluster, named after the group and tagged', async () => {
    const world = aWorld({ ...CHANGES, getServerInstanceList: servers(aServer(1), aServer(2)) })
    expect(await join(world, 1, 2)).to.deep.equal(MOVING)
    expect(world.changes()).to.deep.equal(['createFabricCluster'])
    const form = Object.fromEntries(world.calls('createFabricCluster')[0]?.form ?? [])
    expect(form).to.include({
      fabricClusterName: `${GROUP}-fabric`,
      fabricClusterDescription: TAG,
      zoneCode: 'KR-1',
      vpcNo: '1001',
      fabricClusterPoolNo: '5001',
    })
    expect(form['fabricClusterName']).to.match(/^[a-z][a-z0-9-]{1,28}[a-z0-9]$/)
  })

  it('asks nothing while a node is not ready', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1), aServer(2, inState('RUN', 'SETUP'))),
    })
    expect(await join(world, 1, 2)).to.deep.equal(MOVING)
    expect(world.changes()).to.deep.equal([])
  })

  it('refuses to join a node that does not exist or is of another allocation', async () => {
    const other = aServer(2, { serverDescription: TAG.replace(ALLOCATION, 'alc_zzzzzzzzzzzzzzzz') })
    const world = aWorld({ ...CHANGES, getServerInstanceList: servers(aServer(1), other) })
    for (const id of [2, 3])
      await expectError(Promise.resolve(join(world, 1, id)), { kind: 'not-found', effect: 'none' })
    expect(world.changes()).to.deep.equal([])
  })

  for (const code of ['CREAT', 'SETUP', 'TERMTING', 'NEVER']) {
    it(`waits while the cluster is ${code}`, async () => {
      const world = aWorld({
        ...CHANGES,
        getServerInstanceList: servers(aServer(1)),
        getFabricClusterList: fabrics(aFabric(601, inStatus(code))),
      })
      expect(await join(world, 1)).to.deep.equal(MOVING)
      expect(world.changes()).to.deep.equal([])
    })
  }

  it('makes exactly the wanted nodes its members, because the operator replaces the set', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1), aServer(2), aServer(3)),
      getFabricClusterList: fabrics(aFabric(601)),
      getFabricClusterDetail: fabrics(aFabric(601, { fabricClusterServerInstanceList: members(1, 3) })),
    })
    expect(await join(world, 1, 2)).to.deep.equal(MOVING)
    const form = Object.fromEntries(world.calls('changeFabricClusterServerInstances')[0]?.form ?? [])
    expect(form).to.include({ 'clusterModeServerInstanceNoList.1': '1', 'clusterModeServerInstanceNoList.2': '2' })
    expect(form).to.not.have.any.keys('clusterModeServerInstanceNoList.3')
  })

  it('is settled once the cluster runs with these members and every one is in mode CLUSTER', async () => {
    const fabric = {
      getFabricClusterList: fabrics(aFabric(601)),
      getFabricClusterDetail: fabrics(aFabric(601, { fabricClusterServerInstanceList: members(2, 1) })),
    }
    const half = aWorld({ ...fabric, getServerInstanceList: servers(aServer(1, JOINED), aServer(2)) })
    expect(await join(half, 1, 2)).to.deep.equal(MOVING)
    tidyUp()
    const whole = aWorld({ ...fabric, getServerInstanceList: servers(aServer(1, JOINED), aServer(2, JOINED)) })
    expect(await join(whole, 1, 2)).to.deep.equal({ settled: true })
    expect([...half.changes(), ...whole.changes()]).to.deep.equal([])
  })

  it('takes "not yet" of the operator for more to come', async () => {
    const world = aWorld({
      getServerInstanceList: servers(aServer(1)),
      getFabricClusterList: fabrics(aFabric(601)),
      getFabricClusterDetail: fabrics(aFabric(601)),
      changeFabricClusterServerInstances: serviceError('1100031'),
    })
    expect(await join(world, 1)).to.deep.equal(MOVING)
  })

  it('says what the operator refused', async () => {
    const world = aWorld({ getServerInstanceList: servers(aServer(1)), createFabricCluster: serviceError('777777') })
    await expectError(Promise.resolve(join(world, 1)), { kind: 'refused', effect: 'none' })
  })

  it('keeps the oldest of two clusters that a lost answer left, and dissolves the other', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1)),
      getFabricClusterList: fabrics(aFabric(1_000), aFabric(999)),
      getFabricClusterDetail: fabrics(),
    })
    expect(await join(world, 1)).to.deep.equal(MOVING)
    expect(world.changes()).to.deep.equal(['deleteFabricCluster'])
    expect(world.calls('deleteFabricCluster')[0]?.form.get('fabricClusterNo')).to.equal('1000')
  })

  it('is settled where the cluster has no fabric pool, and not offered where none has', async () => {
    const settings = someSettings()
    const [pooled] = Object.values(settings.clusters)
    const clusters = { pooled, [CLUSTER]: { ...pooled, fabricPoolNo: undefined } }
    const world = aWorld({}, someSettings({ clusters }))
    expect(await join(world, 1)).to.deep.equal({ settled: true })
    expect(await leave(world)).to.deep.equal({ settled: true })
    const none = aWorld({}, someSettings({}, { fabricPoolNo: undefined }))
    expect(none.provider.capabilities.joinsFabric).to.equal(false)
    expect(none.provider).to.not.have.any.keys('joinFabric', 'leaveFabric')
  })
})

describe("dissolving naver's fabric cluster", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  it('is settled where there is none, or only one of others', async () => {
    const foreign = aFabric(602, { fabricClusterDescription: TAG.replace(ALLOCATION, 'alc_zzzzzzzzzzzzzzzz') })
    const world = aWorld({ getFabricClusterList: fabrics(foreign, aFabric(603, inStatus('TERMT'))) })
    expect(await leave(world)).to.deep.equal({ settled: true })
  })

  it('empties it first', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1, JOINED)),
      getFabricClusterList: fabrics(aFabric(601)),
      getFabricClusterDetail: fabrics(aFabric(601, { fabricClusterServerInstanceList: members(1) })),
    })
    expect(await leave(world)).to.deep.equal(MOVING)
    expect(world.changes()).to.deep.equal(['changeFabricClusterServerInstances'])
    const names = [...(world.calls('changeFabricClusterServerInstances')[0]?.form.keys() ?? [])]
    expect(names).to.deep.equal(['responseFormatType', 'regionCode', 'fabricClusterNo'])
  })

  it('waits until its servers stand alone', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1, JOINED)),
      getFabricClusterList: fabrics(aFabric(601)),
      getFabricClusterDetail: fabrics(aFabric(601)),
    })
    expect(await leave(world)).to.deep.equal(MOVING)
    expect(world.changes()).to.deep.equal([])
  })

  it('then deletes it', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1)),
      getFabricClusterList: fabrics(aFabric(601)),
      getFabricClusterDetail: fabrics(aFabric(601)),
    })
    expect(await leave(world)).to.deep.equal(MOVING)
    expect(world.changes()).to.deep.equal(['deleteFabricCluster'])
  })

  it('waits while the operator is at work on it', async () => {
    for (const code of ['CREAT', 'SETUP', 'TERMTING']) {
      const world = aWorld({ ...CHANGES, getFabricClusterList: fabrics(aFabric(601, inStatus(code))) })
      expect(await leave(world)).to.deep.equal(MOVING)
      expect(world.changes()).to.deep.equal([])
      tidyUp()
    }
  })
})
