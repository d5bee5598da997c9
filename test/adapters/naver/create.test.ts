import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { errorOf } from '../rejection.ts'
import {
  type Answer,
  GROUP,
  TAG,
  aCall,
  aGroup,
  aServer,
  aWorld,
  disconnect,
  expectError,
  gatewayError,
  inState,
  inTurn,
  ok,
  rows,
  serviceError,
  servers,
  someSettings,
  tidyUp,
} from './support.ts'

const KEY = 'ssh-ed25519 AAAA somebody@example'

/** Makes what was asked for, as the operator answers right after it accepted. */
const makes: Answer = ok((asked, times) => ({
  totalRows: 1,
  serverInstanceList: [
    aServer(900 + times, {
      serverName: asked.form.get('serverName'),
      serverDescription: asked.form.get('serverDescription'),
      ...inState('INIT', 'NULL', 'init'),
    }),
  ],
}))

const pools = (...nos: string[]): Answer =>
  rows('fabricClusterPoolList', ...nos.map((no) => ({ fabricClusterPoolNo: no, fabricClusterPoolName: 'x' })))

const existing = (...ns: number[]) => servers(...ns.map((n) => aServer(n, { serverName: `${GROUP}-${n}` })))

describe('asking naver for nodes', () => {
  beforeEach(disconnect)
  afterEach(tidyUp)

  it('is one documented call per member, with everything that was configured', async () => {
    const settings = someSettings({}, { createParameters: { feeSystemTypeCode: 'MTRAT' } })
    const world = aWorld({ createServerInstances: makes }, settings)
    const nodes = await world.provider.createNodes(aGroup(), aCall())
    expect(nodes.map(({ name, state }) => [name, state])).to.deep.equal([
      [`${GROUP}-1`, 'building'],
      [`${GROUP}-2`, 'building'],
    ])
    const [first, ...more] = world.calls('createServerInstances')
    expect(more).to.have.length(1)
    expect(Object.fromEntries(first?.form ?? [])).to.deep.equal({
      responseFormatType: 'json',
      regionCode: 'KR',
      feeSystemTypeCode: 'MTRAT',
      serverImageNo: '4001',
      serverSpecCode: 'sim-h200x8-g3',
      vpcNo: '1001',
      subnetNo: '2001',
      'networkInterfaceList.1.networkInterfaceOrder': '0',
      'networkInterfaceList.1.subnetNo': '2001',
      'networkInterfaceList.1.accessControlGroupNoList.1': '3001',
      'networkInterfaceList.1.accessControlGroupNoList.2': '3002',
      serverName: `${GROUP}-1`,
      serverDescription: TAG,
      serverCreateCount: '1',
      loginKeyName: 'ops-key',
      isProtectServerTermination: 'false',
      fabricClusterPoolNo: '5001',
      isPreInstallGpuDriver: 'true',
    })
  })

  it('takes the image, network and public address that the group and the cluster say', async () => {
    const settings = someSettings({}, { publicAddress: true, fabricPoolNo: undefined, preinstallGpuDriver: false })
    const world = aWorld({ createServerInstances: makes }, settings)
    await world.provider.createNodes(aGroup({ size: 1, imageAlias: 'other', network: 'b' }), aCall())
    const form = Object.fromEntries(world.calls('createServerInstances')[0]?.form ?? [])
    expect(form).to.include({ serverImageNo: '4002', subnetNo: '2003', associateWithPublicIp: 'true' })
    expect(form).to.include({ isPreInstallGpuDriver: 'false' })
    expect(form).to.not.have.any.keys('fabricClusterPoolNo', 'initScriptNo')
  })

  it('looks first and asks only for the members that are missing', async () => {
    const world = aWorld({ getServerInstanceList: existing(1, 3), createServerInstances: makes })
    const nodes = await world.provider.createNodes(aGroup({ size: 4 }), aCall())
    const asked = world.calls('createServerInstances').map(({ form }) => form.get('serverName'))
    expect(asked).to.have.members([`${GROUP}-2`, `${GROUP}-4`])
    expect(nodes.map(({ name }) => name)).to.have.members([1, 2, 3, 4].map((n) => `${GROUP}-${n}`))
  })

  it('asks for nothing where the group is complete, be some of it on its way out', async () => {
    const leaving = aServer(2, { serverName: `${GROUP}-2`, ...inState('NSTOP', 'TERMT') })
    const world = aWorld({ getServerInstanceList: servers(aServer(1, { serverName: `${GROUP}-1` }), leaving) })
    await world.provider.createNodes(aGroup({ sshPublicKeys: [KEY] }), aCall())
    expect(world.changes()).to.deep.equal([])
  })

  it('asks once where several ask for one group at the same time', async () => {
    const world = aWorld({ createServerInstances: makes })
    await Promise.all(Array.from({ length: 5 }, () => world.provider.createNodes(aGroup(), aCall())))
    expect(world.changes()).to.have.length(2)
  })

  it('refuses what is not configured, and asks the operator nothing', async () => {
    const world = aWorld({ createServerInstances: makes })
    for (const wrong of [
      { clusterId: 'nhn-b200-510' },
      { imageAlias: 'windows' },
      { network: 'c' },
      { size: 0 },
      { size: 11 },
    ])
      await expectError(world.provider.createNodes(aGroup(wrong), aCall()), { kind: 'refused', effect: 'none' })
    expect(world.asked).to.deep.equal([])
  })

  it('stops at the first refusal, with nothing done where nothing was', async () => {
    const world = aWorld({ createServerInstances: serviceError('3005004') })
    const creating = world.provider.createNodes(aGroup({ size: 10 }), aCall())
    await expectError(creating, { kind: 'quota-exceeded', effect: 'none' })
    expect(world.changes()).to.have.length(1)
  })

  it('says maybe where some of the group were made before a refusal', async () => {
    const world = aWorld({ createServerInstances: inTurn(makes, makes, serviceError('3005004')) })
    const creating = world.provider.createNodes(aGroup({ size: 10 }), aCall())
    await expectError(creating, { kind: 'quota-exceeded', effect: 'maybe' })
  })

  it('says maybe where some of the group were there before a refusal', async () => {
    const world = aWorld({ getServerInstanceList: existing(1), createServerInstances: serviceError('3005004') })
    await expectError(world.provider.createNodes(aGroup(), aCall()), { kind: 'quota-exceeded', effect: 'maybe' })
  })

  it('never asks for a member again after an answer that says nothing', async () => {
    const world = aWorld({ createServerInstances: gatewayError(504, '510') })
    const creating = world.provider.createNodes(aGroup({ size: 3 }), aCall())
    await expectError(creating, { kind: 'unreachable', effect: 'maybe' })
    expect(world.changes()).to.have.length(1)
  })

  it('calls a refusal out-of-capacity where the fabric pool is missing from the available ones', async () => {
    const world = aWorld({ createServerInstances: serviceError('777777'), getFabricClusterPoolList: pools('5002') })
    const creating = world.provider.createNodes(aGroup(), aCall())
    const error = await expectError(creating, { kind: 'out-of-capacity', effect: 'none' })
    expect(error.code).to.equal('777777')
    expect(Object.fromEntries(world.calls('getFabricClusterPoolList')[0]?.form ?? [])).to.include({
      zoneCode: 'KR-1',
      serverSpecCode: 'sim-h200x8-g3',
    })
  })

  it('keeps the refusal where the pool is available, or nobody can tell', async () => {
    for (const answer of [pools('5001', '5002'), gatewayError(500, '900')]) {
      const world = aWorld({ createServerInstances: serviceError('777777'), getFabricClusterPoolList: answer })
      await expectError(world.provider.createNodes(aGroup(), aCall()), { kind: 'refused', effect: 'none' })
      tidyUp()
    }
  })

  it('keeps a refusal that has a meaning of its own, whatever the pools are', async () => {
    const world = aWorld({ createServerInstances: serviceError('3005004'), getFabricClusterPoolList: pools() })
    await expectError(world.provider.createNodes(aGroup(), aCall()), { kind: 'quota-exceeded', effect: 'none' })
    expect(world.calls('getFabricClusterPoolList')).to.deep.equal([])
  })

  describe('with SSH keys', () => {
    const scripts = (...list: object[]): Answer => rows('initScriptList', ...list)

    it('makes one init script for the group, tagged, and names it for every member', async () => {
      const world = aWorld({ createInitScript: scripts({ initScriptNo: '88' }), createServerInstances: makes })
      await world.provider.createNodes(aGroup({ sshPublicKeys: [KEY] }), aCall())
      const [script, ...more] = world.calls('createInitScript')
      expect(more).to.deep.equal([])
      expect(Object.fromEntries(script?.form ?? [])).to.include({
        initScriptName: GROUP,
        initScriptDescription: TAG,
        osTypeCode: 'LNX',
      })
      expect(script?.form.get('initScriptContent')).to.include(KEY)
      expect(world.calls('createServerInstances').map(({ form }) => form.get('initScriptNo'))).to.deep.equal([
        '88',
        '88',
      ])
    })

    it('takes the script that is there already', async () => {
      const its = { initScriptNo: '77', initScriptName: GROUP, initScriptDescription: TAG }
      const another = { ...its, initScriptNo: '76', initScriptDescription: 'somebody else' }
      const world = aWorld({ getInitScriptList: scripts(another, its), createServerInstances: makes })
      await world.provider.createNodes(aGroup({ size: 1, sshPublicKeys: [KEY] }), aCall())
      expect(world.calls('createServerInstances')[0]?.form.get('initScriptNo')).to.equal('77')
    })

    it('makes no node when the script could not be made', async () => {
      const world = aWorld({ createInitScript: scripts() })
      await expectError(world.provider.createNodes(aGroup({ sshPublicKeys: [KEY] }), aCall()), {
        kind: 'malformed',
        effect: 'maybe',
      })
      expect(world.calls('createServerInstances')).to.deep.equal([])
    })

    it('never shows a key in an error', async () => {
      const world = aWorld({ createInitScript: gatewayError(500, '900') })
      const error = await errorOf(world.provider.createNodes(aGroup({ sshPublicKeys: [KEY] }), aCall()))
      expect(`${error.stack}${JSON.stringify(error)}`).to.not.include('AAAA')
    })
  })
})
