/** NHN's adapter against the simulated NHN, over real sockets. */
import { expect } from 'chai'
import { afterEach, beforeEach, describe, it } from 'mocha'
import { createNhnProvider, NhnSettings } from '../../adapters/nhn/index.ts'
import { nhn } from '../../deploy/sandbox/nhn.ts'
import { NHN } from '../../deploy/sandbox/settings.ts'
import { memberName } from '../../shared/ids.ts'
import { type ContractWorld, aCall, aGroup, rejectionOf, untilReady } from './contract-world.ts'
import { describeProviderContract } from './provider-contract.ts'
import { startSandboxOperator } from './sandbox-operator.ts'

/** Smaller than the nodes of the case about pages. */
const PAGE_SIZE = 4

const settingsFor = (url: string, password: string): NhnSettings =>
  NhnSettings.parse({
    id: 'nhn',
    identityUrl: `${url}/identity/v2.0`,
    computeUrl: `${url}/compute/v2`,
    imageUrl: `${url}/image/v2`,
    networkUrl: `${url}/network/v2.0`,
    volumeUrl: `${url}/volume/v2`,
    tenantId: NHN.tenantId,
    username: NHN.username,
    password,
    region: NHN.region,
    ratePerSecond: 10_000,
    pageSize: PAGE_SIZE,
    clusters: {
      'nhn-b200-510': {
        availabilityZone: NHN.zones['nhn-b200-510'],
        flavor: NHN.flavorName,
        images: { 'ubuntu-22.04-cuda': NHN.gpuImageId },
        networks: [
          { name: 'first', interfaces: [{ uuid: NHN.networkId }], securityGroups: [NHN.securityGroup] },
          { name: 'second', interfaces: [{ subnet: NHN.secondSubnetId }], securityGroups: [NHN.securityGroup] },
        ],
        keyName: NHN.keyName,
      },
    },
  })

async function setUp(): Promise<ContractWorld> {
  const operator = await startSandboxOperator(nhn)
  const provider = createNhnProvider(settingsFor(operator.url, NHN.password), { now: Date.now })
  const wrongKeyProvider = createNhnProvider(settingsFor(operator.url, 'wrong-key'), { now: Date.now })
  return {
    provider,
    wrongKeyProvider,
    freshProvider: () => createNhnProvider(settingsFor(operator.url, NHN.password), { now: Date.now }),
    clusterId: 'nhn-b200-510',
    installationId: 'ins_contractofnhnaaa',
    calls: {
      create: { method: 'POST', path: '/compute/v2/[^/]+/servers$' },
      list: { method: 'GET', path: '/compute/v2/[^/]+/servers/detail$' },
      remove: { method: 'DELETE', path: '/compute/v2/[^/]+/servers/[^/]+$' },
    },
    unknownInstanceId: '99999999-0000-4000-8000-000000000999',
    pageSize: PAGE_SIZE,
    setFaults: (faults) => operator.setFaults(faults),
    setBehaviour: (behaviour) => operator.setBehaviour(behaviour),
    setClock: (offsetMs) => operator.setClock(offsetMs),
    ledger: () => operator.ledger(),
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
}

describeProviderContract('NHN', setUp)

describe('NHN beyond the contract', function beyond() {
  this.timeout(120_000)
  let world: ContractWorld
  beforeEach(async () => {
    world = await setUp()
  })
  afterEach(() => world.tearDown())

  it('knows members of a batch that the operator numbers without a dash', async () => {
    await world.setBehaviour({ batchSuffix: 'plain' })
    const group = await aGroup(world, { size: 3 })
    await world.provider.createNodes(group, aCall())
    const nodes = await untilReady(world, group)
    expect(nodes.map(({ name }) => name).toSorted()).to.deep.equal([1, 2, 3].map((n) => memberName(group.name, n)))
    await world.provider.createNodes(group, aCall())
    expect((await world.ledger()).nodes).to.have.length(3)
  })

  it('knows a quota refusal in its older form', async () => {
    await world.setBehaviour({ quotaNodes: 0, quotaStatus: 413 })
    const group = await aGroup(world)
    const error = await rejectionOf('quota-exceeded', world.provider.createNodes(group, aCall()))
    expect(error).to.include({ effect: 'none', retryAfterMs: null })
  })

  it('makes the nodes of dozens of groups that are asked for at the same time, each once', async () => {
    const groups = await Promise.all(Array.from({ length: 24 }, (_, counter) => aGroup(world, { counter, size: 10 })))
    const createAll = (): Promise<unknown> =>
      Promise.all(groups.map((group) => world.provider.createNodes(group, aCall())))
    await createAll()
    await createAll()
    expect((await world.ledger()).nodes).to.have.length(240)
  })

  it('makes each node once when two brokers ask for the same groups one after the other', async () => {
    const group = await aGroup(world, { size: 4 })
    const other = world.freshProvider()
    await world.provider.createNodes(group, aCall())
    await other.createNodes(group, aCall())
    other.close?.()
    expect((await world.ledger()).nodes).to.have.length(4)
  })
})
