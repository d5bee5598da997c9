import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  ALLOCATION,
  type Answer,
  GROUP,
  INSTALLATION,
  TAG,
  type World,
  aCall,
  aFabric,
  aGroup,
  aServer,
  aWorld,
  accepted,
  disconnect,
  expectError,
  gatewayError,
  inState,
  members,
  ok,
  rows,
  serviceError,
  servers,
  someSettings,
  tidyUp,
} from './support.ts'

const FOREIGN = TAG.replace(INSTALLATION, 'ins_zzzzzzzzzzzzzzzz')
const CHANGES = {
  deleteInitScripts: accepted,
  deleteFabricCluster: accepted,
  changeFabricClusterServerInstances: accepted,
  deletePublicIpInstance: accepted,
}
const aScript = (no: number, description = TAG) => ({
  initScriptNo: no,
  initScriptName: GROUP,
  initScriptDescription: description,
})
const scripts = (...list: object[]): Answer => rows('initScriptList', ...list)
const fabrics = (...list: object[]): Answer => rows('fabricClusterList', ...list)

const sweep = async (world: World, ...ended: string[]) => {
  const request = { installationId: INSTALLATION, allocationsEnded: new Set(ended) }
  const leftovers = await world.provider.sweepLeftovers(request, aCall())
  return leftovers.map(({ kind, id, action }) => `${kind} ${id} ${action}`)
}

describe("sweeping naver's leftovers", () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  it('removes init scripts and empty fabric clusters of allocations that are over, and nothing of others', async () => {
    const world = aWorld({
      ...CHANGES,
      getInitScriptList: scripts(aScript(1), aScript(2, FOREIGN), aScript(3, ''), aScript(4, 'gpu-broker/x')),
      getFabricClusterList: fabrics(aFabric(601), aFabric(602, { fabricClusterDescription: FOREIGN })),
      getFabricClusterDetail: fabrics(aFabric(601)),
      getPublicIpInstanceList: rows('publicIpInstanceList', { publicIpInstanceNo: '71', serverInstanceNo: '' }),
    })
    expect(await sweep(world, ALLOCATION)).to.deep.equal(['init-script 1 removed', 'fabric-cluster 601 removed'])
    expect(world.changes()).to.deep.equal(['deleteInitScripts', 'deleteFabricCluster'])
    expect(world.calls('deleteInitScripts')[0]?.form.get('initScriptNoList.1')).to.equal('1')
  })

  it('leaves what belongs to an allocation that goes on', async () => {
    const world = aWorld({
      getServerInstanceList: servers(aServer(1, inState('CREAT', 'SETUP')), aServer(2)),
      getInitScriptList: scripts(aScript(1)),
      getFabricClusterList: fabrics(aFabric(601)),
    })
    expect(await sweep(world)).to.deep.equal([])
    expect(world.changes()).to.deep.equal([])
  })

  it('leaves the init script of an allocation that goes on while lists show none of its nodes', async () => {
    const world = aWorld({ getInitScriptList: scripts(aScript(1)) })
    expect(await sweep(world)).to.deep.equal([])
  })

  it('removes the init script of an allocation that goes on once every node of its group has booted', async () => {
    const building = aServer(3, { ...inState('CREAT', 'SETUP'), serverDescription: TAG.replace('-000', '-001') })
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1), aServer(2), building),
      getInitScriptList: scripts(aScript(1)),
    })
    expect(await sweep(world)).to.deep.equal(['init-script 1 removed'])
  })

  it('leaves the init script of a group that is being asked for at this moment', async () => {
    const { promise: until, resolve: letGo } = Promise.withResolvers<void>()
    const made = ok(() => ({ serverInstanceList: [aServer(9)] }))
    const answers = { ...CHANGES, getInitScriptList: scripts(aScript(1)), createServerInstances: made }
    const world = aWorld(answers, someSettings(), { action: 'createServerInstances', until })
    const creating = world.provider.createNodes(aGroup({ sshPublicKeys: ['ssh-ed25519 AAAA x'] }), aCall())
    expect(await sweep(world, ALLOCATION)).to.deep.equal([])
    letGo()
    await creating
    expect(await sweep(world, ALLOCATION)).to.deep.equal(['init-script 1 removed'])
  })

  it('keeps what the operator does not let go yet, and goes on with the rest', async () => {
    const world = aWorld({
      ...CHANGES,
      deleteInitScripts: serviceError('777777'),
      getServerInstanceList: servers(aServer(1, { fabricClusterMode: 'CLUSTER', fabricClusterNo: '602' })),
      getInitScriptList: scripts(aScript(1)),
      getFabricClusterList: fabrics(aFabric(601, { fabricClusterStatus: { code: 'SETUP' } }), aFabric(602)),
      getFabricClusterDetail: fabrics(aFabric(602, { fabricClusterServerInstanceList: members(1) })),
    })
    expect(await sweep(world, ALLOCATION)).to.deep.equal([
      'init-script 1 kept',
      'fabric-cluster 601 kept',
      'fabric-cluster 602 kept',
    ])
    expect(world.changes()).to.deep.equal(['deleteInitScripts', 'changeFabricClusterServerInstances'])
  })

  it('takes a script that is gone meanwhile for removed', async () => {
    const world = aWorld({ deleteInitScripts: serviceError('5', 404), getInitScriptList: scripts(aScript(1)) })
    expect(await sweep(world, ALLOCATION)).to.deep.equal(['init-script 1 removed'])
  })

  it('removes the fabric cluster that an allocation that goes on left in a pool where it has no node any more', async () => {
    const world = aWorld({
      ...CHANGES,
      getServerInstanceList: servers(aServer(1, { fabricClusterPoolNo: '5002' })),
      getFabricClusterList: fabrics(aFabric(601), aFabric(602, { fabricClusterPoolNo: '5002' })),
      getFabricClusterDetail: fabrics(aFabric(601)),
    })
    expect(await sweep(world)).to.deep.equal(['fabric-cluster 601 removed'])
  })

  it('leaves the fabric cluster of an allocation that goes on while no node of it is up elsewhere', async () => {
    const elsewhere = { fabricClusterPoolNo: '5002', ...inState('CREAT', 'SETUP') }
    for (const list of [servers(), servers(aServer(1, elsewhere))]) {
      const world = aWorld({ getServerInstanceList: list, getFabricClusterList: fabrics(aFabric(601)) })
      expect(await sweep(world)).to.deep.equal([])
      tidyUp()
    }
  })

  it('removes a free public IP that carries a tag of an allocation that is over', async () => {
    const ip = (no: number, description: string) => ({
      publicIpInstanceNo: no,
      publicIp: '203.0.113.9',
      publicIpDescription: description,
      serverInstanceNo: '',
      publicIpInstanceOperation: { code: 'NULL' },
    })
    const world = aWorld({
      ...CHANGES,
      getPublicIpInstanceList: rows('publicIpInstanceList', ip(71, TAG), ip(72, FOREIGN), ip(73, '')),
    })
    expect(await sweep(world)).to.deep.equal([])
    expect(await sweep(world, ALLOCATION)).to.deep.equal(['public-ip 71 removed'])
  })

  it('ends with the error where the operator does not answer', async () => {
    const world = aWorld({ deleteInitScripts: gatewayError(503, '500'), getInitScriptList: scripts(aScript(1)) })
    await expectError(sweep(world, ALLOCATION), { kind: 'unreachable', effect: 'maybe' })
  })
})
