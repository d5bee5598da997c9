/** The adapter of our own protocol in front of the reference server of docs/examples, over real sockets. */
import { createRemoteProvider, RemoteSettings } from '../../adapters/remote/index.ts'
import { moonrabbit } from '../../docs/examples/moonrabbit/operator.ts'
import type { ContractWorld } from './contract-world.ts'
import { describeProviderContract } from './provider-contract.ts'
import { startSandboxOperator } from './sandbox-operator.ts'

/** Smaller than the nodes of the cases about pages. */
const PAGE_SIZE = 4
const CLIENT = { id: 'gpu-broker', secret: 'the-secret:of the moon' }

async function setUp(): Promise<ContractWorld> {
  const operator = await startSandboxOperator(moonrabbit(CLIENT))
  const providerWith = (clientSecret: string) =>
    createRemoteProvider(
      RemoteSettings.parse({
        id: 'moonrabbit',
        kind: 'remote',
        baseUrl: operator.url,
        token: { url: `${operator.url}/token`, clientId: CLIENT.id, clientSecret },
        ratePerSecond: 10_000,
        pageSize: PAGE_SIZE,
        reportsFreeCapacity: true,
        joinsFabric: true,
        listsOthers: true,
        clusters: {
          'moonrabbit-b200-32': {
            images: { 'ubuntu-22.04-cuda': 'mr-ubuntu-22.04' },
            networks: [{ name: 'burrow' }],
            maxBatch: 8,
            visibilityDelayMs: 200,
          },
        },
      }),
      { now: Date.now },
    )
  const provider = providerWith(CLIENT.secret)
  const wrongKeyProvider = providerWith('wrong-key')
  return {
    ...operator,
    provider,
    wrongKeyProvider,
    freshProvider: () => providerWith(CLIENT.secret),
    clusterId: 'moonrabbit-b200-32',
    installationId: 'ins_contractofremote',
    calls: {
      create: { method: 'PUT', path: '^/v1/groups/' },
      list: { method: 'GET', path: '^/v1/nodes$' },
      remove: { method: 'POST', path: '^/v1/nodes/delete$' },
    },
    unknownInstanceId: 'node-999999999',
    pageSize: PAGE_SIZE,
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
}

describeProviderContract('the reference server behind the remote adapter', setUp)
