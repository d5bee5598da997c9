/** The KakaoCloud adapter against the simulated operator, over real sockets. */
import { KakaoSettings, createKakaoProvider } from '../../adapters/kakao/index.ts'
import { kakao } from '../../deploy/sandbox/kakao.ts'
import { KAKAO } from '../../deploy/sandbox/settings.ts'
import type { ContractWorld } from './contract-world.ts'
import { describeProviderContract } from './provider-contract.ts'
import { startSandboxOperator } from './sandbox-operator.ts'

const LIST_LIMIT = 4

describeProviderContract('kakao', async (): Promise<ContractWorld> => {
  const operator = await startSandboxOperator(kakao)
  const context = { now: () => Date.now() }
  const provider = createKakaoProvider(settingsFor(operator.url, KAKAO.accessKeySecret), context)
  const wrongKeyProvider = createKakaoProvider(settingsFor(operator.url, 'wrong-key'), context)
  return {
    ...operator,
    provider,
    wrongKeyProvider,
    clusterId: 'kakao-b200-255',
    installationId: 'ins_contractsuiteins',
    calls: {
      create: { method: 'POST', path: '/api/v1/instances$' },
      list: { method: 'GET', path: '/api/v1/instances(\\?|$)' },
      remove: { method: 'DELETE', path: '/api/v1/instances/[^/]+$' },
    },
    unknownInstanceId: '99999999-9999-4999-8999-999999999999',
    pastOnePage: LIST_LIMIT + 2,
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
})

const settingsFor = (url: string, secret: string): KakaoSettings =>
  KakaoSettings.parse({
    id: 'kakao',
    kind: 'kakao',
    ratePerSecond: 1_000,
    maxConcurrent: 32,
    iamUrl: `${url}/iam`,
    bcsUrl: `${url}/bcs`,
    imageUrl: `${url}/image`,
    vpcUrl: `${url}/vpc`,
    networkUrl: `${url}/network`,
    volumeUrl: `${url}/volume`,
    credential: { id: KAKAO.accessKeyId, secret },
    listLimit: LIST_LIMIT,
    clusters: {
      'kakao-b200-255': {
        images: { 'ubuntu-22.04-cuda': KAKAO.gpuImageId, other: KAKAO.secondImageId },
        flavorId: KAKAO.flavorId,
        zone: KAKAO.zone,
        networks: [{ name: 'private', subnetId: KAKAO.subnetId, securityGroups: [KAKAO.securityGroup] }],
        keyName: KAKAO.keyName,
        visibilityDelayMs: 200,
      },
    },
  })
