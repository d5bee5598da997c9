/**
 * The KakaoCloud adapter against the simulated operator, over real sockets: as it comes, with the other answer to each
 * question that Kakao's documents leave open, and with virtual machines instead of bare metal.
 */
import { KakaoSettings, createKakaoProvider } from '../../adapters/kakao/index.ts'
import { kakaoWith } from '../../deploy/sandbox/kakao.ts'
import { KAKAO } from '../../deploy/sandbox/settings.ts'
import type { ContractWorld } from './contract-world.ts'
import { describeProviderContract } from './provider-contract.ts'
import { startSandboxOperator } from './sandbox-operator.ts'

const LIST_LIMIT = 4

const OTHER_ANSWERS = {
  availableKeys: 'hyphen',
  bareMetalShortage: 'sync-conflict',
  deletedRowsLingerMs: 300,
  actionBody: 'null',
  schemaErrors: 422,
  retryAfterSeconds: 1,
  requireContentType: true,
  futureStrings: true,
} as const

const BARE_METAL = {
  images: { 'ubuntu-22.04-cuda': KAKAO.gpuImageId, other: KAKAO.secondImageId },
  flavorId: KAKAO.flavorId,
}

/** `p2i.24xlarge` and its image, as the sandbox knows them. */
const VIRTUAL = {
  images: { 'ubuntu-22.04-cuda': '2a000000-0000-4000-8000-000000000003' },
  flavorId: 'f1000000-0000-4000-8000-000000000009',
  bareMetal: false,
}

interface Variant {
  readonly knobs?: Parameters<typeof kakaoWith>[0]
  readonly cluster?: object
}

async function setUp({ knobs = {}, cluster = BARE_METAL }: Variant): Promise<ContractWorld> {
  const operator = await startSandboxOperator(kakaoWith(knobs))
  const settingsWith = (secret: string): KakaoSettings => settingsFor(operator.url, secret, cluster)
  const context = { now: () => Date.now() }
  const provider = createKakaoProvider(settingsWith(KAKAO.accessKeySecret), context)
  const wrongKeyProvider = createKakaoProvider(settingsWith('wrong-key'), context)
  return {
    ...operator,
    provider,
    freshProvider: () => createKakaoProvider(settingsWith(KAKAO.accessKeySecret), context),
    wrongKeyProvider,
    clusterId: 'kakao-b200-255',
    installationId: 'ins_contractsuiteins',
    calls: {
      create: { method: 'POST', path: '/api/v1/instances$' },
      list: { method: 'GET', path: '/api/v1/instances(\\?|$)' },
      remove: { method: 'DELETE', path: '/api/v1/instances/[^/]+$' },
    },
    unknownInstanceId: '99999999-9999-4999-8999-999999999999',
    pageSize: LIST_LIMIT,
    async tearDown() {
      provider.close()
      wrongKeyProvider.close()
      await operator.close()
    },
  }
}

const settingsFor = (url: string, secret: string, cluster: object): KakaoSettings =>
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
        ...cluster,
        zone: KAKAO.zone,
        networks: [{ name: 'private', subnetId: KAKAO.subnetId, securityGroups: [KAKAO.securityGroup] }],
        keyName: KAKAO.keyName,
        visibilityDelayMs: 200,
      },
    },
  })

describeProviderContract('kakao', () => setUp({}))
describeProviderContract('kakao, whose documents mean the other thing', () => setUp({ knobs: OTHER_ANSWERS }))
describeProviderContract('kakao with virtual machines', () => setUp({ cluster: VIRTUAL }))
