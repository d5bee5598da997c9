/**
 * How a broker is configured to use the sandbox: exactly as for the real operators, only URLs and keys differ. Data, read
 * by whoever starts a broker against a sandbox; the sandbox itself does not need it.
 */
import { readFileSync } from 'node:fs'
import { IDENTITY, KAKAO, NAVER, NHN, PORT_OFFSET } from './settings.ts'

export interface SandboxUrls {
  readonly naver: string
  readonly nhn: string
  readonly kakao: string
  readonly identity: string
}

export interface SandboxSettings {
  readonly providers: readonly unknown[]
  readonly readInventory: () => unknown
  readonly issuer: string
  readonly audience: string
  readonly introspection: { readonly clientId: string; readonly clientSecret: string }
}

/** Simulated nodes are gone seconds after their release; an hour's pause would only make the sandbox slow. */
const TURNOVER_SECONDS = 5
/** Simulated lists lag by nothing unless told to. */
const VISIBILITY_DELAY_MS = 2_000
const RATE_PER_SECOND = 95
const MAX_CONCURRENT = 16

const SUBSCRIBER = { ratePerSecond: RATE_PER_SECOND, maxConcurrent: MAX_CONCURRENT }

export const urlsAt = (port: number): SandboxUrls => ({
  naver: `http://127.0.0.1:${port + PORT_OFFSET.naver}`,
  nhn: `http://127.0.0.1:${port + PORT_OFFSET.nhn}`,
  kakao: `http://127.0.0.1:${port + PORT_OFFSET.kakao}`,
  identity: `http://127.0.0.1:${port + PORT_OFFSET.identity}`,
})

export const sandboxSettings = (urls: SandboxUrls): SandboxSettings => ({
  providers: [naver(urls.naver), nhn(urls.nhn), kakao(urls.kakao)],
  readInventory: () => withQuickTurnover(JSON.parse(readFileSync(PROGRAMME, 'utf8'))),
  issuer: urls.identity,
  audience: IDENTITY.audience,
  introspection: { clientId: 'gpu-broker', clientSecret: 'gpu-broker-secret' },
})

const PROGRAMME = new URL('../inventory.json', import.meta.url)

/** An inventory with the turnover of a simulation wherever it names none; what is no inventory stays as it is. */
export function withQuickTurnover(inventory: unknown): unknown {
  const { clusters } = (inventory ?? {}) as { readonly clusters?: unknown } // the broker checks it whole
  if (!Array.isArray(clusters)) return inventory
  return {
    ...(inventory as object), // it has a member
    clusters: clusters.map((cluster: object) => ({ turnoverSeconds: TURNOVER_SECONDS, ...cluster })),
  }
}

const naver = (url: string) => ({
  ...SUBSCRIBER,
  id: 'naver',
  kind: 'naver',
  vserverUrl: `${url}/vserver/v2`,
  vpcUrl: `${url}/vpc/v2`,
  accessKey: NAVER.accessKey,
  secretKey: NAVER.secretKey,
  regionCode: NAVER.regionCode,
  busyRetryMs: 200,
  outOfCapacityCodes: ['3005011'], // the sandbox's own: the operator publishes none
  clusters: Object.fromEntries(
    Object.entries(NAVER.fabricPools).map(([clusterId, fabricPoolNo]) => [
      clusterId,
      {
        images: { 'ubuntu-22.04-cuda': NAVER.gpuImageNo, 'ubuntu-24.04-cuda': NAVER.secondImageNo },
        visibilityDelayMs: VISIBILITY_DELAY_MS,
        isolation: 'shared', // a sandbox has one network for everybody
        zoneCode: NAVER.zoneCode,
        vpcNo: NAVER.vpcNo,
        networks: [
          { name: 'default', subnetNo: NAVER.privateSubnetNo, accessControlGroupNos: [NAVER.accessControlGroupNo] },
        ],
        spec: NAVER.specCode,
        fabricPoolNo,
        loginKeyName: NAVER.loginKeyName,
      },
    ]),
  ),
})

const nhn = (url: string) => ({
  ...SUBSCRIBER,
  id: 'nhn',
  kind: 'nhn',
  identityUrl: `${url}/identity/v2.0`,
  computeUrl: `${url}/compute/v2`,
  imageUrl: `${url}/image/v2`,
  networkUrl: `${url}/network/v2.0`,
  volumeUrl: `${url}/volume/v2`,
  tenantId: NHN.tenantId,
  username: NHN.username,
  password: NHN.password,
  region: NHN.region,
  clusters: Object.fromEntries(
    Object.entries(NHN.zones).map(([clusterId, availabilityZone]) => [
      clusterId,
      {
        images: { 'ubuntu-22.04-cuda': NHN.gpuImageId, 'ubuntu-24.04-cuda': NHN.secondImageId },
        visibilityDelayMs: VISIBILITY_DELAY_MS,
        isolation: 'shared', // a sandbox has one network for everybody
        availabilityZone,
        flavor: NHN.flavorName,
        networks: [{ name: 'default', interfaces: [{ uuid: NHN.networkId }], securityGroups: [NHN.securityGroup] }],
        keyName: NHN.keyName,
      },
    ]),
  ),
})

const kakao = (url: string) => ({
  ...SUBSCRIBER,
  id: 'kakao',
  kind: 'kakao',
  iamUrl: `${url}/iam`,
  bcsUrl: `${url}/bcs`,
  imageUrl: `${url}/image`,
  vpcUrl: `${url}/vpc`,
  networkUrl: `${url}/network`,
  volumeUrl: `${url}/volume`,
  credential: { id: KAKAO.accessKeyId, secret: KAKAO.accessKeySecret },
  clusters: {
    'kakao-b200-255': {
      images: { 'ubuntu-22.04-cuda': KAKAO.gpuImageId, 'ubuntu-24.04-cuda': KAKAO.secondImageId },
      visibilityDelayMs: VISIBILITY_DELAY_MS,
      isolation: 'shared', // a sandbox has one network for everybody
      flavorId: KAKAO.flavorId,
      zone: KAKAO.zone,
      networks: [{ name: 'default', subnetId: KAKAO.subnetId, securityGroups: [KAKAO.securityGroup] }],
      keyName: KAKAO.keyName,
    },
  },
})
