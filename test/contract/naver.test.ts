/** The NAVER Cloud adapter against the simulated operator, over real sockets. */
import { NAVER } from '../../deploy/sandbox/settings.ts'
import { naver } from '../../deploy/sandbox/naver.ts'
import { type NaverSettings as Settings, NaverSettings, createNaverProvider } from '../../adapters/naver/index.ts'
import type { ContractWorld } from './contract-world.ts'
import { describeProviderContract } from './provider-contract.ts'
import { startSandboxOperator } from './sandbox-operator.ts'

const PAGE_SIZE = 4

describeProviderContract('naver', async (): Promise<ContractWorld> => {
  const operator = await startSandboxOperator(naver)
  const settings = settingsFor(operator.url)
  const context = { now: () => Date.now() }
  const provider = createNaverProvider(settings, context)
  const wrongKeyProvider = createNaverProvider({ ...settings, secretKey: 'wrong-key' }, context)
  return {
    ...operator,
    provider,
    wrongKeyProvider,
    clusterId: 'naver-h200-255',
    installationId: 'ins_contractsuiteins',
    calls: {
      create: { path: '/createServerInstances$' },
      list: { path: '/getServerInstanceList$' },
      remove: { path: '/(stop|terminate)ServerInstances$' },
    },
    unknownInstanceId: '99999999',
    pastOnePage: PAGE_SIZE + 2,
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
})

const settingsFor = (url: string): Settings =>
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
      'naver-h200-255': clusterIn('5001'),
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
