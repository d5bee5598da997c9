/** A Kakao provider against nock: the configuration, calls, and payloads as Kakao's documents show them. */
import nock from 'nock'
import { createKakaoProvider } from '../../../adapters/kakao/index.ts'
import { KakaoSettings } from '../../../adapters/kakao/config.ts'
import type { Call, NodeGroup } from '../../../shared/provider.ts'
import { ownerTagText } from '../../../shared/ids.ts'

export const HOST = {
  iam: 'https://iam.kakao.test',
  bcs: 'https://bcs.kakao.test',
  image: 'https://image.kakao.test',
  vpc: 'https://vpc.kakao.test',
  network: 'https://network.kakao.test',
  volume: 'https://volume.kakao.test',
}
export const FLAVOR = '22222222-2222-4222-8222-222222222222'
export const IMAGE = '11111111-1111-4111-8111-111111111111'
export const SUBNET = '33333333-3333-4333-8333-333333333333'
export const NODE = (n: number): string => `44444444-4444-4444-8444-${String(n).padStart(12, '0')}`
export const ZONE = 'kr-central-2-a'
export const SECRET = 'the-secret-access-key'
export const NOW = Date.parse('2026-12-01T00:00:00Z')

export const OWNER = {
  installationId: 'ins_abcdefghijklmnop',
  allocationId: 'alc_abcdefghijklmnop',
  group: 'gbabcdefghijklmnop-000',
}
export const TAG = ownerTagText(OWNER)

const CLUSTER = {
  images: { ubuntu: IMAGE },
  flavorId: FLAVOR,
  zone: ZONE,
  networks: [{ name: 'net-1', subnetId: SUBNET, securityGroups: ['default'] }],
  keyName: 'broker-key',
}

export interface Changes {
  readonly settings?: object
  readonly cluster?: object
}

export const rawSettings = ({ settings = {}, cluster = {} }: Changes = {}): Record<string, unknown> => ({
  id: 'kakao',
  kind: 'kakao',
  ratePerSecond: 10_000,
  iamUrl: HOST.iam,
  bcsUrl: HOST.bcs,
  imageUrl: HOST.image,
  vpcUrl: HOST.vpc,
  networkUrl: HOST.network,
  volumeUrl: HOST.volume,
  credential: { id: 'the-key-id', secret: SECRET },
  clusters: { 'kakao-b200-255': { ...CLUSTER, ...cluster } },
  ...settings,
})

export const aSettings = (changes: Changes = {}): KakaoSettings => KakaoSettings.parse(rawSettings(changes))

export interface Clock {
  now: number
}

/** A provider that reads the time from `clock`, with the network switched off but for what nock answers. */
export function aProvider(changes: Changes & { readonly clock?: Clock } = {}) {
  const clock = changes.clock ?? { now: NOW }
  return createKakaoProvider(aSettings(changes), { now: () => clock.now })
}

export const aCall = (changes: Partial<Call> = {}): Call => ({
  operationId: 'op-1',
  deadlineAt: NOW + 5_000,
  signal: new AbortController().signal,
  ...changes,
})

export const aGroup = (changes: Partial<NodeGroup> = {}): NodeGroup => ({
  name: OWNER.group,
  size: 2,
  clusterId: 'kakao-b200-255',
  imageAlias: 'ubuntu',
  network: 'net-1',
  sshPublicKeys: [],
  owner: OWNER,
  ...changes,
})

export const anInstance = (n: number, changes: object = {}): object => ({
  id: NODE(n),
  name: `${OWNER.group}-${n}`,
  description: TAG,
  status: 'active',
  vm_state: 'active',
  task_state: null,
  power_state: 'RUNNING',
  instance_type: 'bm',
  availability_zone: ZONE,
  flavor: { id: FLAVOR, name: 'sim-b200.baremetal' },
  addresses: [{ private_ip: `10.0.0.${n}`, public_ip: null, network_interface_id: `nic-${n}` }],
  is_k8se: false,
  created_at: '2026-11-30T23:50:00Z',
  ...changes,
})

export const aPage = (noun: string, rows: readonly object[], total = rows.length, offset = 0): object => ({
  [noun]: rows,
  pagination: { total, offset, limit: 1_000 },
})

/** IAM hands out `token-1`, `token-2`, …, each good for 12 hours. @returns how often it was asked */
export function iamAnswers(options: { lifeMs?: number; clock?: Clock } = {}): { asked: number } {
  const { lifeMs = 43_200_000, clock = { now: NOW } } = options
  const count = { asked: 0 }
  nock(HOST.iam)
    .persist()
    .post('/identity/v3/auth/tokens')
    .reply(() => {
      count.asked += 1
      const body = {
        token: {
          methods: ['application_credential'],
          issued_at: new Date(clock.now).toISOString(),
          expires_at: new Date(clock.now + lifeMs).toISOString(),
        },
      }
      return [201, body, { 'X-Subject-Token': `token-${count.asked}` }]
    })
  return count
}

export const listPath = '/api/v1/instances'

/** One answer to one list of instances, whatever the query. */
export const listAnswers = (rows: readonly object[], total = rows.length): nock.Scope =>
  nock(HOST.bcs)
    .get(listPath)
    .query(true)
    .reply(200, aPage('instances', rows, total))
