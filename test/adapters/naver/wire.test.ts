import { expect } from 'chai'
import { describe, it } from 'mocha'
import { Server, instantOf, stateOf, toNode } from '../../../adapters/naver/wire.ts'
import { ALLOCATION, CLUSTER, GROUP, INSTALLATION, aServer, inState, someSettings } from './support.ts'

const read = (members: Record<string, unknown> = {}) => Server.parse(aServer(501, members))
const nodeOf = (members: Record<string, unknown> = {}, settings = someSettings()) =>
  toNode(read(members), settings, '10.0.0.7')

describe("naver's servers in our words", () => {
  const STATES = [
    ['INIT', 'NULL', 'building'],
    ['CREAT', 'CREAT', 'building'],
    ['CREAT', 'SETUP', 'building'],
    ['RUN', 'SETUP', 'building'],
    ['RUN', 'NULL', 'ready'],
    ['RUN', 'RESTA', 'building'],
    ['RUN', 'MIGRA', 'building'],
    ['RUN', 'SHTDN', 'deleting'],
    ['RUN', 'HSHTD', 'deleting'],
    ['NSTOP', 'NULL', 'failed'],
    ['NSTOP', 'START', 'building'],
    ['NSTOP', 'CHNG', 'building'],
    ['NSTOP', 'TERMT', 'deleting'],
    ['TERMT', 'NULL', 'deleting'],
    ['FSTOP', 'NULL', 'failed'],
    ['SD_FL', 'SHTDX', 'failed'],
    ['RS_FL', 'NULL', 'failed'],
    ['ST_FL', 'NULL', 'failed'],
    ['NEVER', 'NULL', 'building'],
    ['RUN', 'NEVER', 'building'],
  ] as const
  for (const [status, operation, state] of STATES) {
    it(`are ${state} with status ${status} and operation ${operation}`, () => {
      expect(stateOf(read(inState(status, operation)))).to.equal(state)
    })
  }

  it('carry name, owner, cluster, address and time of creation', () => {
    expect(nodeOf()).to.deep.equal({
      providerInstanceId: '501',
      name: `${GROUP}-1`,
      owner: { installationId: INSTALLATION, allocationId: ALLOCATION, group: GROUP },
      clusterId: CLUSTER,
      state: 'ready',
      inFabric: false,
      address: '10.0.0.7',
      createdAt: Date.UTC(2026, 10, 30, 6, 5, 7),
      failure: null,
    })
  })

  it('have no owner where the description is not a tag', () => {
    for (const serverDescription of ['', null, undefined, 'gpu-broker/ins_x/alc_y/gbz-000'])
      expect(nodeOf({ serverDescription }).owner).to.equal(null)
  })

  it('say why they failed, in words of the operator', () => {
    expect(nodeOf(inState('FSTOP', 'NULL', 'repairing')).failure).to.deep.equal({
      code: 'FSTOP',
      message: 'repairing',
      kind: 'fault',
    })
    expect(nodeOf(inState('FSTOP', 'NULL', '')).failure?.message).to.equal('FSTOP')
  })

  it('are in the fabric in mode CLUSTER only', () => {
    expect(nodeOf({ fabricClusterMode: 'CLUSTER' }).inFabric).to.equal(true)
    expect(nodeOf({ fabricClusterMode: '' }).inFabric).to.equal(false)
  })

  it('count as in the fabric where their cluster has none to join', () => {
    const settings = someSettings({}, { fabricPoolNo: undefined })
    expect(nodeOf({ fabricClusterPoolNo: '', fabricClusterMode: '' }, settings).inFabric).to.equal(true)
  })

  it('are reached by their public address only in a cluster whose nodes have one', () => {
    expect(nodeOf({ publicIp: '203.0.113.9' }).address).to.equal('10.0.0.7')
    expect(nodeOf({ publicIp: '203.0.113.9' }, someSettings({}, { publicAddress: true })).address).to.equal(
      '203.0.113.9',
    )
    expect(nodeOf({ publicIp: '' }, someSettings({}, { publicAddress: true })).address).to.equal('10.0.0.7')
  })

  it('are read with ids as numbers, codes as texts, and members that are missing or new', () => {
    const server = Server.parse({
      serverInstanceNo: 501,
      serverName: 'x',
      serverInstanceStatus: 'RUN',
      serverInstanceOperation: { code: 'NULL' },
      isProtectServerTermination: 'true',
      fabricClusterPoolNo: 5001,
      somethingNew: {},
    })
    expect(server.isProtectServerTermination).to.equal(true)
    expect(server).to.include({ serverInstanceNo: '501', fabricClusterPoolNo: '5001', fabricClusterMode: '' })
    expect(stateOf(server)).to.equal('ready')
  })
})

describe("naver's clusters", () => {
  const settings = (() => {
    const { clusters } = someSettings()
    const [cluster] = Object.values(clusters)
    return someSettings({
      clusters: {
        first: { ...cluster },
        second: { ...cluster, fabricPoolNo: '5002' },
        'without-a-pool': { ...cluster, zoneCode: 'KR-2', fabricPoolNo: undefined },
      },
    })
  })()
  const clusterOf = (members: Record<string, unknown>) => nodeOf(members, settings).clusterId

  it('are told apart by their fabric pool', () => {
    expect(clusterOf({ fabricClusterPoolNo: '5001' })).to.equal('first')
    expect(clusterOf({ fabricClusterPoolNo: 5002 })).to.equal('second')
    expect(clusterOf({ fabricClusterPoolNo: '5003' })).to.equal(null)
  })

  it('are told by zone, VPC and spec where the server names no pool', () => {
    expect(clusterOf({ fabricClusterPoolNo: '', zoneCode: 'KR-2' })).to.equal('without-a-pool')
    expect(clusterOf({ fabricClusterPoolNo: '', zoneCode: 'KR-2', vpcNo: '9' })).to.equal(null)
    expect(clusterOf({ fabricClusterPoolNo: '', zoneCode: 'KR-2', serverSpecCode: 's2-g3' })).to.equal(null)
  })

  it('are never guessed where two would do', () => {
    expect(clusterOf({ fabricClusterPoolNo: '', zoneCode: 'KR-1' })).to.equal(null)
  })
})

describe("naver's dates", () => {
  it('are read with an offset without a colon', () => {
    expect(instantOf('2020-08-19T15:05:07+0900')).to.equal(Date.UTC(2020, 7, 19, 6, 5, 7))
    expect(instantOf('2020-08-19T15:05:07-0130')).to.equal(Date.UTC(2020, 7, 19, 16, 35, 7))
  })

  it('are null where there is none', () => {
    for (const text of ['', 'yesterday']) expect(instantOf(text)).to.equal(null)
  })
})
