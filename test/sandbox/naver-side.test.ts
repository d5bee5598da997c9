import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { BOOT_MS, codeOf, makeReady, makeServers, numbered, openAccount, serverOrder } from './naver-account.ts'
import type { Account } from './naver-account.ts'
import { NAVER } from '../../deploy/sandbox/settings.ts'

const STOP_MS = BOOT_MS / 4
const IP_MS = BOOT_MS / 10
const INVALID = '1000101'
const NOT_FOUND = '1000102'

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.close())

const inPublic = { subnetNo: NAVER.publicSubnetNo }
const remove = async (serverInstanceNo: string): Promise<void> => {
  const server = numbered('serverInstanceNoList', [serverInstanceNo])
  await account.call('stopServerInstances', server)
  await account.pass(STOP_MS)
  await account.call('terminateServerInstances', server)
  await account.pass(STOP_MS)
}

describe('simulated Naver: public IPs', () => {
  const ipOf = async (publicIpInstanceNo: unknown): Promise<Record<string, unknown> | undefined> =>
    (await account.rows('getPublicIpInstanceDetail', { publicIpInstanceNo }))[0]
  const stateOf = async (no: unknown): Promise<string> => {
    const row = await ipOf(no)
    return `${codeOf(row, 'publicIpInstanceStatus')}/${codeOf(row, 'publicIpInstanceOperation')}`
  }
  const make = async (parameters: Record<string, unknown> = {}): Promise<unknown> =>
    (await account.rows('createPublicIpInstance', parameters))[0]?.['publicIpInstanceNo']
  const deleted = (no: unknown): Promise<unknown> => account.call('deletePublicIpInstance', { publicIpInstanceNo: no })

  it('are made for a server of a public subnet that runs, and not before', async () => {
    const [serverInstanceNo = ''] = await makeServers(account, inPublic)
    expect(await account.refusal('createPublicIpInstance', { serverInstanceNo })).to.equal('1003016')
    await account.pass(1.2 * BOOT_MS)
    const no = await make({ serverInstanceNo })
    expect(await stateOf(no)).to.equal('INIT/CREAT')
    await account.pass(IP_MS)
    expect(await stateOf(no)).to.equal('RUN/NULL')
    const [server] = await account.rows('getServerInstanceDetail', { serverInstanceNo })
    expect(server?.['publicIpInstanceNo']).to.equal(no)
    expect(server?.['publicIp']).to.equal((await ipOf(no))?.['publicIp'])
    const [inPrivate = ''] = await makeReady(account)
    expect(await account.refusal('createPublicIpInstance', { serverInstanceNo: inPrivate })).to.equal(INVALID)
  })

  it('survive their server, and are deleted by themselves', async () => {
    const [server = ''] = await makeReady(account, { ...inPublic, associateWithPublicIp: true })
    const [row] = await account.rows('getPublicIpInstanceList', { isAssociated: true })
    const no = row?.['publicIpInstanceNo']
    expect(await account.refusal('deletePublicIpInstance', { publicIpInstanceNo: no })).to.equal('1080201')
    await remove(server)
    expect(await account.left()).to.deep.equal(['public-ip'])
    expect((await ipOf(no))?.['serverInstanceNo']).to.equal('')
    await deleted(no)
    expect(await stateOf(no)).to.equal('RUN/TERMT')
    await account.pass(IP_MS)
    expect([await ipOf(no), await account.left()]).to.deep.equal([undefined, []])
  })

  it('answer too early with their own codes while they are made or moved', async () => {
    const [server = ''] = await makeReady(account, inPublic)
    const no = await make()
    const ip = { publicIpInstanceNo: no }
    expect(await account.refusal('deletePublicIpInstance', ip)).to.equal('1080101')
    const pair = { ...ip, serverInstanceNo: server }
    expect(await account.refusal('associatePublicIpWithServerInstance', pair)).to.equal('1003016')
    await account.pass(IP_MS)
    expect(await account.refusal('disassociatePublicIpFromServerInstance', ip)).to.equal('28102')
    await account.call('associatePublicIpWithServerInstance', pair)
    expect(await stateOf(no)).to.equal('RUN/SET')
    expect(await account.refusal('disassociatePublicIpFromServerInstance', ip)).to.equal('25031')
    await account.pass(IP_MS)
    await account.call('disassociatePublicIpFromServerInstance', ip)
    expect((await ipOf(no))?.['serverInstanceNo']).to.equal('')
    expect(await account.refusal('deletePublicIpInstance', ip)).to.equal('25031')
    await account.pass(IP_MS)
    await deleted(no)
  })

  it('may not outnumber servers', async () => {
    expect(await account.refusal('createPublicIpInstance')).to.equal('1080202')
    await makeServers(account)
    await make()
    expect(await account.refusal('createPublicIpInstance')).to.equal('1080202')
    const order = serverOrder({ ...inPublic, associateWithPublicIp: true })
    expect(await account.rows('createServerInstances', order)).to.have.length(1)
  })
})

describe('simulated Naver: init scripts', () => {
  const script = {
    initScriptContent: '#!/bin/sh\necho a+b & c',
    initScriptName: 'script-a',
    initScriptDescription: 'own',
  }
  const make = async (): Promise<string> =>
    String((await account.rows('createInitScript', script))[0]?.['initScriptNo'])

  it('can be read as they were sent, and found by name', async () => {
    const initScriptNo = await make()
    const [row] = await account.rows('getInitScriptDetail', { initScriptNo })
    expect(row).to.deep.include({ ...script, initScriptNo })
    expect(await account.rows('getInitScriptList', { initScriptName: 'script' })).to.have.length(1)
    expect(await account.rows('getInitScriptList', { initScriptName: 'other' })).to.have.length(0)
  })

  it('stay while a server has still to run them, and survive it', async () => {
    const initScriptNo = await make()
    const numbers = numbered('initScriptNoList', [initScriptNo])
    const [server = ''] = await makeServers(account, { initScriptNo })
    expect(await account.refusal('deleteInitScripts', numbers)).to.equal('1120201')
    await account.pass(1.2 * BOOT_MS)
    await remove(server)
    expect(await account.left()).to.deep.equal(['init-script'])
    await account.call('deleteInitScripts', numbers)
    expect(await account.left()).to.deep.equal([])
    expect(await account.rows('getInitScriptDetail', { initScriptNo })).to.deep.equal([])
    expect(await account.refusal('deleteInitScripts', numbers)).to.equal(NOT_FOUND)
  })

  for (const [what, wrong] of [
    ['without an interpreter', { initScriptContent: 'echo' }],
    ['in another language than English', { initScriptContent: '#!/bin/sh\n# 한국어' }],
    ['over 1024 KB', { initScriptContent: `#!/bin/sh\n${'a'.repeat(1_024 * 1_024)}` }],
    ['of a name in capitals', { initScriptName: 'Script' }],
  ] as const) {
    it(`are refused ${what}`, async () => {
      expect(await account.refusal('createInitScript', { ...script, ...wrong })).to.equal(INVALID)
      expect(await account.left()).to.deep.equal([])
    })
  }
})

describe('simulated Naver: login keys', () => {
  it('show their private half once, directly in the wrapper', async () => {
    const made = await account.call('createLoginKey', { keyName: 'key-a' })
    expect(made).to.include({ keyName: 'key-a' })
    expect(made['privateKey']).to.match(/^-----BEGIN RSA PRIVATE KEY-----/)
    const [listed] = await account.rows('getLoginKeyList', { keyName: 'key-a' })
    expect(listed).to.have.all.keys('keyName', 'fingerprint', 'publicKey', 'createDate')
    expect(await account.refusal('createLoginKey', { keyName: 'key-a' })).to.equal('1000103')
  })

  it('can be brought along, are the default while youngest, and are deleted by name', async () => {
    await account.rows('importLoginKey', { keyName: 'key-b', publicKey: 'ssh-ed25519 AAAA' })
    const [server] = await account.rows('createServerInstances', serverOrder())
    expect(server?.['loginKeyName']).to.equal('key-b')
    expect((await account.left()).toSorted()).to.deep.equal(['keypair', 'node'])
    await account.call('deleteLoginKeys', numbered('keyNameList', ['key-b']))
    expect(await account.left()).to.deep.equal(['node'])
  })
})

describe('simulated Naver: network interfaces', () => {
  it('made by themselves are used by one server and left behind by it', async () => {
    const order = { vpcNo: '1001', subnetNo: '2001', 'accessControlGroupNoList.1': '3001', ip: '10.0.17.9' }
    const [made] = await account.rows('createNetworkInterface', order)
    const no = String(made?.['networkInterfaceNo'])
    expect(codeOf(made, 'networkInterfaceStatus')).to.equal('NOTUSED')
    const withIt = {
      'networkInterfaceList.1.accessControlGroupNoList.1': '',
      'networkInterfaceList.1.networkInterfaceNo': no,
    }
    const [server = ''] = await makeReady(account, withIt)
    const [used] = await account.rows('getNetworkInterfaceDetail', { networkInterfaceNo: no })
    expect(used).to.include({ instanceNo: server, ip: '10.0.17.9', deleteOnTermination: false })
    expect(await account.refusal('deleteNetworkInterface', { networkInterfaceNo: no })).to.equal('1110201')
    expect(await account.refusal('createServerInstances', serverOrder(withIt))).to.equal('1110201')
    await remove(server)
    expect(await account.left()).to.deep.equal(['port'])
    await account.call('deleteNetworkInterface', { networkInterfaceNo: no })
    expect(await account.left()).to.deep.equal([])
  })

  it('made with a server go with it', async () => {
    const [server = ''] = await makeReady(account)
    expect(await account.rows('getNetworkInterfaceList', { instanceNo: server })).to.have.length(1)
    await remove(server)
    expect(await account.rows('getNetworkInterfaceList')).to.deep.equal([])
  })
})

describe('simulated Naver: placement groups', () => {
  it('hold servers, and are deleted only when empty', async () => {
    const [group] = await account.rows('createPlacementGroup', { placementGroupName: 'apart' })
    const placementGroupNo = String(group?.['placementGroupNo'])
    const [server = ''] = await makeReady(account, { placementGroupNo })
    const inGroup = numbered('placementGroupNoList', [placementGroupNo])
    expect((await account.rows('getServerInstanceList', inGroup))[0]?.['placementGroupName']).to.equal('apart')
    expect(await account.refusal('deletePlacementGroup', { placementGroupNo })).to.equal('1130201')
    await account.call('removePlacementGroupServerInstance', { placementGroupNo, serverInstanceNo: server })
    await account.call('deletePlacementGroup', { placementGroupNo })
    expect(await account.left()).to.deep.equal(['node'])
  })
})

describe('simulated Naver: what is there from the start', () => {
  it('lists GPU images, and for each the specs that go with it', async () => {
    const filter = { 'platformCategoryCodeList.1': 'GPU', 'serverImageTypeCodeList.1': 'NCP' }
    const images = (await account.rows('getServerImageList', filter)).map((row) => row['serverImageNo'])
    expect(images).to.deep.equal([NAVER.gpuImageNo, NAVER.secondImageNo])
    const specs = await account.rows('getServerSpecList', { serverImageNo: images[0], zoneCode: 'KR-1' })
    const wanted = specs.find((row) => row['serverSpecCode'] === NAVER.specCode)
    expect(wanted).to.include({ gpuCount: 8, generationCode: 'G3' })
    expect(wanted?.['serverSpecDescription']).to.contain('H200')
    const plain = await account.rows('getServerSpecList', { serverImageNo: '4003' })
    expect(plain.map((row) => row['gpuCount'])).to.deep.equal([0])
  })

  it('lists the VPC and its subnets under vpc', async () => {
    const [vpc] = await account.rows('getVpcList', {}, 'vpc')
    expect([vpc?.['vpcNo'], codeOf(vpc, 'vpcStatus')]).to.deep.equal([NAVER.vpcNo, 'RUN'])
    const subnets = await account.rows('getSubnetList', { vpcNo: NAVER.vpcNo, subnetTypeCode: 'PUBLIC' }, 'vpc')
    expect(subnets.map((row) => row['subnetNo'])).to.deep.equal([NAVER.publicSubnetNo])
    const groups = await account.rows('getAccessControlGroupList', { vpcNo: NAVER.vpcNo })
    expect(groups.map((row) => row['isDefault'])).to.deep.equal([true])
  })
})
