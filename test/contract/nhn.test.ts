/** NHN's adapter against the simulated NHN, over real sockets. */
import { createNhnProvider, NhnSettings } from '../../adapters/nhn/index.ts'
import { nhn } from '../../deploy/sandbox/nhn.ts'
import { NHN } from '../../deploy/sandbox/settings.ts'
import type { ContractWorld } from './contract-world.ts'
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
    clusterId: 'nhn-b200-510',
    installationId: 'ins_contractofnhnaaa',
    calls: {
      create: { method: 'POST', path: '/compute/v2/[^/]+/servers$' },
      list: { method: 'GET', path: '/compute/v2/[^/]+/servers/detail$' },
      remove: { method: 'DELETE', path: '/compute/v2/[^/]+/servers/[^/]+$' },
    },
    unknownInstanceId: '99999999-0000-4000-8000-000000000999',
    pastOnePage: 2 * PAGE_SIZE + 3,
    setFaults: (faults) => operator.setFaults(faults),
    setBehaviour: (behaviour) => operator.setBehaviour(behaviour),
    ledger: () => operator.ledger(),
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
}

describeProviderContract('NHN', setUp)
