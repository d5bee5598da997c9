import { expect } from 'chai'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'mocha'
import {
  BOOT_MS,
  codeOf,
  encoded,
  makeReady,
  makeServers,
  numbered,
  openAccount,
  serverOrder,
  stateOf,
} from './naver-account.ts'
import type { Account } from './naver-account.ts'
import { NAVER } from '../../deploy/sandbox/settings.ts'

const STOP_MS = BOOT_MS / 4
const OPERATION_IN_PROGRESS = '1100031'
const STORAGE_IN_OPERATION = '1101003'
const SERVER_LIMIT = '3005004'
const INVALID = '1000101'
const WRONG_STATUS = '1100202'

let account: Account
beforeEach(async () => {
  account = await openAccount()
})
afterEach(() => account.close())

const batch = (numbers: readonly string[]): Record<string, unknown> => ({
  ...numbered('serverInstanceNoList', numbers),
})
const stop = (no: string): Promise<unknown> => account.call('stopServerInstances', batch([no]))
const terminate = (no: string): Promise<unknown> => account.call('terminateServerInstances', batch([no]))
const makeStopped = async (more: Record<string, unknown> = {}): Promise<string> => {
  const [no = ''] = await makeReady(account, more)
  await stop(no)
  await account.pass(STOP_MS)
  return no
}

describe('simulated Naver: life of a server', () => {
  it('goes from INIT over CREAT and RUN/SETUP to RUN/NULL', async () => {
    const [no = ''] = await makeServers(account)
    const seen = [await stateOf(account, no)]
    for (const part of [0.15, 0.3, 0.2, 0.2, 0.2]) {
      await account.pass(part * BOOT_MS)
      seen.push(await stateOf(account, no))
    }
    expect(seen).to.deep.equal([
      'INIT/NULL init',
      'CREAT/CREAT creating',
      'CREAT/SETUP setting up',
      'CREAT/SETUP booting',
      'RUN/SETUP setting up',
      'RUN/NULL running',
    ])
  })

  it('cannot be stopped while its operation is not NULL, nor before its root disk is attached', async () => {
    const [no = ''] = await makeServers(account)
    const disk = async (): Promise<unknown> =>
      (await account.rows('getBlockStorageInstanceList', { serverInstanceNo: no }))[0]?.[
        'blockStorageInstanceStatusName'
      ]
    const refused = (): Promise<string> => account.refusal('stopServerInstances', batch([no]))
    expect(await refused()).to.equal(STORAGE_IN_OPERATION)
    await account.pass(0.9 * BOOT_MS)
    expect(await refused()).to.equal(OPERATION_IN_PROGRESS)
    await account.pass(0.15 * BOOT_MS)
    expect(await stateOf(account, no)).to.equal('RUN/NULL running')
    expect([await disk(), await refused()]).to.deep.equal(['attaching', STORAGE_IN_OPERATION])
    await account.pass(0.1 * BOOT_MS)
    expect(await disk()).to.equal('attached')
    await stop(no)
    expect(await stateOf(account, no)).to.equal('RUN/SHTDN shutting down')
  })

  it('is terminated only from stopped, and is gone only after a while', async () => {
    const [no = ''] = await makeReady(account)
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal(WRONG_STATUS)
    await stop(no)
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal(OPERATION_IN_PROGRESS)
    await account.pass(STOP_MS)
    expect(await stateOf(account, no)).to.equal('NSTOP/NULL stopped')
    await terminate(no)
    expect(await stateOf(account, no)).to.equal('NSTOP/TERMT terminating')
    expect(await account.left()).to.deep.equal(['node'])
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal(OPERATION_IN_PROGRESS)
    await account.pass(STOP_MS)
    expect(await stateOf(account, no)).to.equal('gone')
    expect(await account.call('getServerInstanceList')).to.deep.include({ totalRows: 0, serverInstanceList: [] })
    expect(await account.left()).to.deep.equal([])
    const [node] = (await account.ledger()).nodes
    expect(node?.['deletedAt']).to.be.a('string')
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal('1100201')
  })

  it('answers stop and terminate with the state right after acceptance', async () => {
    const [no = ''] = await makeReady(account)
    const [stopping] = await account.rows('stopServerInstances', batch([no]))
    await account.pass(STOP_MS)
    const [going] = await account.rows('terminateServerInstances', batch([no]))
    expect([stopping, going].map((row) => codeOf(row, 'serverInstanceOperation'))).to.deep.equal(['SHTDN', 'TERMT'])
  })

  it('starts again from stopped, and reboots while running', async () => {
    const no = await makeStopped()
    await account.call('startServerInstances', batch([no]))
    expect(await stateOf(account, no)).to.equal('NSTOP/START booting')
    await account.pass(BOOT_MS)
    await account.call('rebootServerInstances', batch([no]))
    expect(await stateOf(account, no)).to.equal('RUN/RESTA rebooting')
    await account.pass(BOOT_MS)
    expect(await stateOf(account, no)).to.equal('RUN/NULL running')
    expect(await account.refusal('startServerInstances', batch([no]))).to.equal(WRONG_STATUS)
  })

  it('does for all servers of a batch what is asked, or for none', async () => {
    const ready = await makeReady(account, { serverCreateCount: 2, serverName: 'pair' })
    const [late = ''] = await makeServers(account)
    expect(await account.refusal('stopServerInstances', batch([...ready, late]))).to.equal(STORAGE_IN_OPERATION)
    expect(await Promise.all(ready.map((no) => stateOf(account, no)))).to.deep.equal(Array(2).fill('RUN/NULL running'))
    await account.call('stopServerInstances', batch(ready))
    expect(await Promise.all(ready.map((no) => stateOf(account, no)))).to.deep.equal(
      Array(2).fill('RUN/SHTDN shutting down'),
    )
  })

  it('keeps a protected server until the protection is taken away', async () => {
    const no = await makeStopped({ isProtectServerTermination: true })
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal('1100203')
    const protection = { serverInstanceNo: no, isProtectServerTermination: false }
    const [row] = await account.rows('setProtectServerTermination', protection)
    expect(row?.['isProtectServerTermination']).to.equal(false)
    await terminate(no)
  })

  it('ends a build that fails in FSTOP, from where it can only be terminated', async () => {
    await account.behave({ buildFails: 1 })
    const [no = '', good = ''] = await makeReady(account, { serverCreateCount: 2, serverName: 'pair' })
    expect(await stateOf(account, no)).to.equal('FSTOP/NULL repairing')
    expect(await stateOf(account, good)).to.equal('RUN/NULL running')
    expect(await account.refusal('stopServerInstances', batch([no]))).to.equal(WRONG_STATUS)
    await terminate(no)
    await account.pass(STOP_MS)
    expect(await stateOf(account, no)).to.equal('gone')
  })

  it('acknowledges a termination that is a lie and keeps the server', async () => {
    const no = await makeStopped()
    await account.behave({ deleteLies: 1 })
    const [row] = await account.rows('terminateServerInstances', batch([no]))
    expect(codeOf(row, 'serverInstanceOperation')).to.equal('TERMT')
    await account.pass(10 * STOP_MS)
    expect(await stateOf(account, no)).to.equal('NSTOP/NULL stopped')
    await terminate(no)
    await account.pass(STOP_MS)
    expect(await stateOf(account, no)).to.equal('gone')
  })

  it('must be free of additional disks, which stay behind', async () => {
    const disk = { 'blockStorageMappingList.1.order': 1, 'blockStorageMappingList.1.blockStorageSize': 50 }
    const no = await makeStopped(disk)
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal('1100205')
    const filter = { serverInstanceNo: no, 'blockStorageTypeCodeList.1': 'SVRBS' }
    const [row] = await account.rows('getBlockStorageInstanceList', filter)
    const disks = numbered('blockStorageInstanceNoList', [String(row?.['blockStorageInstanceNo'])])
    const [leaving] = await account.rows('detachBlockStorageInstances', disks)
    expect(leaving?.['blockStorageInstanceStatusName']).to.equal('detaching')
    expect(await stateOf(account, no)).to.equal('NSTOP/SETUP setting up')
    expect(await account.refusal('terminateServerInstances', batch([no]))).to.equal(OPERATION_IN_PROGRESS)
    await account.pass(0.2 * BOOT_MS)
    await terminate(no)
    await account.pass(STOP_MS)
    expect(await account.left()).to.deep.equal(['volume'])
    await account.call('deleteBlockStorageInstances', disks)
    await account.pass(BOOT_MS)
    expect(await account.left()).to.deep.equal([])
  })
})

describe('simulated Naver: making servers', () => {
  it('answers with all of a new server, as texts, numbers and code objects', async () => {
    const order = serverOrder({ serverName: 'node-a', serverDescription: 'owner/one', fabricClusterPoolNo: '5001' })
    const [row] = await account.rows('createServerInstances', order)
    expect(row?.['serverInstanceNo']).to.match(/^\d+$/)
    expect(row).to.deep.include({
      serverName: 'node-a',
      serverDescription: 'owner/one',
      cpuCount: 192,
      memorySize: 2_048 * 1_024 ** 3,
      zoneCode: 'KR-1',
      publicIp: '',
      isProtectServerTermination: false,
      loginKeyName: NAVER.loginKeyName,
      fabricClusterPoolNo: '5001',
      fabricClusterMode: 'SINGLE',
      fabricClusterNo: '',
    })
    expect(row).not.to.have.property('privateIp')
    expect(row?.['createDate']).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+0900$/)
    expect(Math.abs(Date.parse(String(row?.['createDate'])) - Date.now())).to.be.lessThan(60_000)
    const filter = { instanceNo: row?.['serverInstanceNo'] }
    const [nic] = await account.rows('getNetworkInterfaceList', filter)
    expect(nic?.['ip']).to.match(/^10\.0\.\d+\.\d+$/)
  })

  it('takes GET with a query as well as POST with a form', async () => {
    const order = encoded(serverOrder({ serverName: 'by-get' }))
    const answer = await account.raw('GET', `/vserver/v2/createServerInstances?${order}`)
    expect(answer.status).to.equal(200)
    expect(answer.text).to.contain('<serverInstanceList><serverInstance><serverInstanceNo>')
    expect((await account.ledger()).nodes.map((node) => node['name'])).to.deep.equal(['by-get'])
  })

  it('makes up to 100 at once, told apart by three digits and by address', async () => {
    const names = async (more: Record<string, unknown>): Promise<unknown[]> => {
      const rows = await account.rows('createServerInstances', serverOrder(more))
      return rows.map((row) => row['serverName'])
    }
    expect(await names({ serverName: 'web', serverCreateCount: 2 })).to.deep.equal(['web-001', 'web-002'])
    const started = { serverName: 'data', serverCreateCount: 100, serverCreateStartNo: 900 }
    expect((await names(started)).slice(-1)).to.deep.equal(['data-999'])
    const nics = await account.rows('getNetworkInterfaceList')
    expect(new Set(nics.map((nic) => nic['ip'])).size).to.equal(102)
  })

  it('makes a second server of the same name without a word', async () => {
    await makeServers(account, { serverName: 'twin' })
    await makeServers(account, { serverName: 'twin' })
    expect((await account.ledger()).nodes.map((node) => node['name'])).to.deep.equal(['twin', 'twin'])
  })

  for (const [what, more, code] of [
    ['an upper-case name', { serverName: 'Node-a' }, INVALID],
    ['a name of 31 characters', { serverName: 'a'.repeat(31) }, INVALID],
    ['a name that is too long with its digits', { serverName: 'a'.repeat(28), serverCreateCount: 2 }, INVALID],
    ['a count of 101', { serverCreateCount: 101 }, INVALID],
    ['a count and a start over 1000', { serverCreateCount: 100, serverCreateStartNo: 999 }, INVALID],
    ['a description over 1000 bytes', { serverDescription: '가'.repeat(334) }, INVALID],
    ['two kinds of image', { serverImageProductCode: 'SW.X' }, INVALID],
    ['an unknown image', { serverImageNo: '9' }, '1000102'],
    ['an unknown spec', { serverSpecCode: 'x9' }, '1000102'],
    ['a GPU spec with an image for others', { serverImageNo: '4003' }, INVALID],
    ['another VPC', { vpcNo: '1' }, '1000102'],
    ['an unknown access control group', { 'networkInterfaceList.1.accessControlGroupNoList.1': '1' }, '1007000'],
    ['no primary interface', { 'networkInterfaceList.1.networkInterfaceOrder': 1 }, INVALID],
    ['a public IP in a private subnet', { associateWithPublicIp: true }, INVALID],
    ['public IPs for two', { associateWithPublicIp: true, subnetNo: '2002', serverCreateCount: 2 }, INVALID],
    ['an unknown key', { loginKeyName: 'nobody' }, '1000102'],
    ['an unknown init script', { initScriptNo: '1' }, '1000102'],
    ['an unknown fabric pool', { fabricClusterPoolNo: '1' }, '1000102'],
    ['a fabric pool of other hardware', { serverSpecCode: 's2-g3', fabricClusterPoolNo: '5001' }, INVALID],
    ['a flag that is none', { isProtectServerTermination: 'yes' }, INVALID],
  ] as const) {
    it(`refuses ${what}, and makes nothing`, async () => {
      expect(await account.refusal('createServerInstances', serverOrder(more))).to.equal(code)
      expect(await account.left()).to.deep.equal([])
    })
  }

  it('hides a missing image behind 503 Endpoint Error', async () => {
    const form = encoded({ vpcNo: '1001', subnetNo: '2001', responseFormatType: 'json' })
    const answer = await account.raw('POST', '/vserver/v2/createServerInstances', { form })
    expect(answer.status).to.equal(503)
    expect(JSON.parse(answer.text)).to.deep.include({
      error: { errorCode: '500', message: 'Endpoint Error', details: '' },
    })
  })

  it('refuses what is over the account limit, naming the family and the limit', async () => {
    await account.behave({ quotaNodes: 3 })
    await makeServers(account, { serverCreateCount: 2, serverName: 'pair' })
    expect(await account.refusal('createServerInstances', serverOrder({ serverCreateCount: 2 }))).to.equal(SERVER_LIMIT)
    const form = encoded(serverOrder({ serverCreateCount: 2 }))
    const answer = await account.raw('POST', '/vserver/v2/createServerInstances', { form })
    expect(answer.text).to.contain('[G3] VM &gt; GPU &gt; H200 : 3')
    expect(await makeServers(account)).to.have.length(1)
  })

  it('refuses what is over its stock whole, and gives back what was terminated', async () => {
    await account.behave({ freeNodes: 1 })
    expect(await account.refusal('createServerInstances', serverOrder({ serverCreateCount: 2 }))).to.equal('3005011')
    const no = await makeStopped()
    expect(await account.refusal('createServerInstances', serverOrder())).to.equal('3005011')
    await terminate(no)
    await account.pass(STOP_MS)
    expect(await makeServers(account)).to.have.length(1)
  })
})

describe('simulated Naver: finding servers', () => {
  it('shows a new server in lists and detail only after the lag, though it is counted', async () => {
    await account.behave({ listLagMs: 15_000 })
    const [no = ''] = await makeServers(account)
    expect(await account.call('getServerInstanceList')).to.deep.include({ totalRows: 1, serverInstanceList: [] })
    expect(await stateOf(account, no)).to.equal('gone')
    expect(await account.rows('getNetworkInterfaceList', { instanceNo: no })).to.deep.equal([])
    await account.pass(15_001)
    expect(await account.rows('getServerInstanceList')).to.have.length(1)
    expect(await stateOf(account, no)).not.to.equal('gone')
  })

  it('pages only where a page is asked for, and calls the first one 0 or 1', async () => {
    await makeServers(account, { serverCreateCount: 5, serverName: 'five' })
    const names = async (more: Record<string, unknown>): Promise<unknown[]> =>
      (await account.rows('getServerInstanceList', { sortedBy: 'serverName', ...more })).map((row) => row['serverName'])
    expect(await names({ pageSize: 2 })).to.have.length(5)
    expect(await names({ pageNo: 0, pageSize: 2 })).to.deep.equal(['five-001', 'five-002'])
    expect(await names({ pageNo: 1, pageSize: 2 })).to.deep.equal(['five-001', 'five-002'])
    expect(await names({ pageNo: 3, pageSize: 2 })).to.deep.equal(['five-005'])
    expect(await names({ pageNo: 4, pageSize: 2 })).to.deep.equal([])
    expect(await names({ pageNo: 1, pageSize: 2, sortingOrder: 'DESC' })).to.deep.equal(['five-005', 'five-004'])
    expect(await account.refusal('getServerInstanceList', { pageNo: -1 })).to.equal(INVALID)
  })

  it('searches for a name inside names, and for numbers exactly', async () => {
    const [, second = ''] = await makeServers(account, { serverCreateCount: 2, serverName: 'node' })
    await makeServers(account, { serverName: 'my-node-001', fabricClusterPoolNo: '5002' })
    const found = async (filter: Record<string, unknown>): Promise<number> =>
      (await account.rows('getServerInstanceList', filter)).length
    expect(await found({ serverName: 'node-001' })).to.equal(2)
    expect(await found(numbered('serverInstanceNoList', [second, '5']))).to.equal(1)
    expect(await found({ fabricClusterPoolNo: '5002' })).to.equal(1)
    expect(await found({ fabricClusterMode: 'SINGLE' })).to.equal(1)
    expect(await found({ serverInstanceStatusCode: 'INIT', vpcNo: '1001' })).to.equal(3)
    expect(await found({ serverInstanceStatusCode: 'RUN' })).to.equal(0)
  })

  it('takes a new name', async () => {
    const [no = ''] = await makeServers(account)
    await account.call('changeServerInstanceName', { serverInstanceNo: no, serverName: 'renamed' })
    expect(await account.rows('getServerInstanceList', { serverName: 'renamed' })).to.have.length(1)
  })
})

describe('simulated Naver: its own end', () => {
  it('loses nothing: servers boot on, and numbers go on', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'naver-'))
    const before = await openAccount({ dir })
    const [first = ''] = await makeServers(before, { serverName: 'first' })
    await before.pass(0.2 * BOOT_MS)
    await before.close()
    const after = await openAccount({ dir })
    try {
      expect(await stateOf(after, first)).to.equal('CREAT/CREAT creating')
      await after.pass(BOOT_MS)
      expect(await stateOf(after, first)).to.equal('RUN/NULL running')
      const [second = ''] = await makeServers(after)
      expect(Number(second)).to.be.greaterThan(Number(first))
      expect((await after.ledger()).nodes).to.have.length(2)
    } finally {
      await after.close()
      await rm(dir, { recursive: true })
    }
  })

  it('forgets all and keeps its own key when it is reset', async () => {
    await makeServers(account)
    await fetch(`${account.url}/_sandbox/reset`, { method: 'POST' })
    expect(await account.left()).to.deep.equal([])
    expect(await account.rows('getServerInstanceList')).to.deep.equal([])
    expect((await account.rows('getLoginKeyList')).map((key) => key['keyName'])).to.deep.equal([NAVER.loginKeyName])
  })
})
