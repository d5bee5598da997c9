/** The NAVER Cloud adapter against the simulated operator, over real sockets: the contract, and what only Naver has. */
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { NAVER } from '../../deploy/sandbox/settings.ts'
import { naver } from '../../deploy/sandbox/naver.ts'
import { type NaverSettings as Settings, NaverSettings, createNaverProvider } from '../../adapters/naver/index.ts'
import {
  type ContractWorld,
  aCall,
  aGroup,
  eventually,
  listOf,
  rejection,
  release,
  untilReady,
} from './contract-world.ts'
import { describeProviderContract } from './provider-contract.ts'
import { startSandboxOperator } from './sandbox-operator.ts'

const PAGE_SIZE = 4

describeProviderContract('naver', () => setUp())

async function setUp(cluster: object = {}): Promise<ContractWorld> {
  const operator = await startSandboxOperator(naver)
  const settings = settingsFor(operator.url, cluster)
  const context = { now: () => Date.now() }
  const provider = createNaverProvider(settings, context)
  const wrongKeyProvider = createNaverProvider({ ...settings, secretKey: 'wrong-key' }, context)
  return {
    ...operator,
    provider,
    freshProvider: () => createNaverProvider(settings, context),
    wrongKeyProvider,
    clusterId: 'naver-h200-255',
    installationId: 'ins_contractsuiteins',
    calls: {
      create: { path: '/createServerInstances$' },
      list: { path: '/getServerInstanceList$' },
      remove: { path: '/(stop|terminate)ServerInstances$' },
    },
    unknownInstanceId: '99999999',
    pageSize: PAGE_SIZE,
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
}

const settingsFor = (url: string, cluster: object): Settings =>
  NaverSettings.parse({
    id: 'naver',
    kind: 'naver',
    ratePerSecond: 1_000,
    maxConcurrent: 32,
    vserverUrl: `${url}/vserver/v2`,
    vpcUrl: `${url}/vpc/v2`,
    accessKey: NAVER.accessKey,
    secretKey: NAVER.secretKey,
    pageSize: PAGE_SIZE,
    busyRetryMs: 10,
    clusters: {
      'naver-h200-255': { ...clusterIn('5001'), ...cluster },
      'naver-h200-32': clusterIn('5002'),
    },
  })

const clusterIn = (fabricPoolNo: string) => ({
  images: { 'ubuntu-22.04-cuda': '4001', other: '4002' },
  zoneCode: 'KR-1',
  vpcNo: '1001',
  networks: [{ name: 'private', subnetNo: '2001', accessControlGroupNos: ['3001'] }],
  spec: 'sim-h200x8-g3',
  fabricPoolNo,
  loginKeyName: 'sandbox-key',
})

describe('the naver adapter and its simulated operator', function naverOnly() {
  this.timeout(120_000)
  let world: ContractWorld

  const ready = async (options: Parameters<typeof aGroup>[1] = {}) => {
    const group = await aGroup(world, options)
    await world.provider.createNodes(group, aCall())
    return { group, nodes: await untilReady(world, group) }
  }
  const stillThere = async () => (await world.ledger()).others.filter(({ deletedAt }) => deletedAt === null)
  const sweep = (...ended: string[]) =>
    world.provider.sweepLeftovers({ installationId: world.installationId, allocationsEnded: new Set(ended) }, aCall())

  describe('with a fabric', () => {
    beforeEach(async () => {
      world = await setUp()
    })
    afterEach(() => world.tearDown())

    const join = async (group: Awaited<ReturnType<typeof aGroup>>, ids: readonly string[]) => {
      const request = { clusterId: group.clusterId, owner: group.owner, providerInstanceIds: ids }
      await eventually(
        'a settled fabric',
        async () => await world.provider.joinFabric?.(request, aCall()),
        (answer) => answer?.settled === true,
      )
    }

    it('removes the init script of an allocation that goes on once its nodes are up', async () => {
      const { group } = await ready({ keyComment: 'contract@example' })
      expect((await stillThere()).map(({ kind }) => kind)).to.deep.equal(['init-script'])
      const swept = await sweep()
      expect(swept.map(({ kind, name, action }) => [kind, name, action])).to.deep.equal([
        ['init-script', group.name, 'removed'],
      ])
      expect(await stillThere()).to.deep.equal([])
    })

    it('deletes a node that is still in the fabric cluster, and the others stay in it', async () => {
      const { group, nodes } = await ready({ size: 3 })
      const ids = nodes.map((node) => node.providerInstanceId)
      await join(group, ids)
      const request = { clusterId: group.clusterId, providerInstanceIds: ids.slice(0, 1) }
      const left = await eventually(
        'two nodes in the fabric',
        async () => {
          await world.provider.deleteNodes(request, aCall()).catch((error: unknown) => {
            expect(error).to.have.property('kind', 'busy')
          })
          return await listOf(world, group)
        },
        (found) => found.length === 2,
      )
      expect(left.every(({ inFabric }) => inFabric)).to.equal(true)
    })

    it('takes a node more into the fabric cluster, and one out of it', async () => {
      const { group, nodes } = await ready({ size: 3 })
      const ids = nodes.map((node) => node.providerInstanceId)
      await join(group, ids.slice(0, 2))
      await join(group, ids.slice(1))
      const found = await listOf(world, group)
      const joined = found.filter(({ inFabric }) => inFabric).map((node) => node.providerInstanceId)
      expect(joined.toSorted()).to.deep.equal(ids.slice(1).toSorted())
      expect((await stillThere()).map(({ kind }) => kind)).to.deep.equal(['fabric-cluster'])
    })

    it('leaves no fabric cluster after a release that never dissolved it', async () => {
      const { group, nodes } = await ready()
      await join(
        group,
        nodes.map((node) => node.providerInstanceId),
      )
      await release(world, group)
      await eventually(
        'nothing left',
        async () => {
          await sweep(group.owner.allocationId)
          return await stillThere()
        },
        (left) => left.length === 0,
      )
    })

    it('asks for nothing again after a create whose answer was lost, when it looks and finds it', async () => {
      const group = await aGroup(world, { size: 4 })
      await world.setFaults([{ match: world.calls.create, times: 1, effect: 'drop-after' }])
      expect((await rejection(world.provider.createNodes(group, aCall()))).effect).to.equal('maybe')
      await world.provider.createNodes(group, aCall())
      await untilReady(world, group)
      expect((await world.ledger()).nodes).to.have.length(4)
    })
  })

  describe('with public addresses', () => {
    beforeEach(async () => {
      const networks = [
        { name: 'public', subnetNo: NAVER.publicSubnetNo, accessControlGroupNos: [NAVER.accessControlGroupNo] },
      ]
      world = await setUp({ networks, publicAddress: true })
    })
    afterEach(() => world.tearDown())

    it('finds nothing missing, shows the public address, and leaves no public IP behind', async () => {
      const described = await world.provider.describe(aCall())
      expect(described.find(({ clusterId }) => clusterId === world.clusterId)?.problems).to.deep.equal([])
      const { group, nodes } = await ready()
      const ips = await stillThere()
      expect(ips.map(({ kind }) => kind)).to.deep.equal(['public-ip', 'public-ip'])
      expect(nodes.every(({ address }) => address !== null && !address.startsWith('10.'))).to.equal(true)
      await release(world, group)
      await eventually(
        'no public IP',
        async () => {
          await sweep(group.owner.allocationId)
          return await stillThere()
        },
        (left) => left.length === 0,
      )
    })
  })
})
