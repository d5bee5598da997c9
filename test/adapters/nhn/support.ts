/** An NHN provider on the documents' own URLs, and payloads as NHN's documents show them, answered by nock. */
import nock from 'nock'
import { createNhnProvider, NhnSettings } from '../../../adapters/nhn/index.ts'
import { ownerTagText } from '../../../shared/ids.ts'
import type { Call, NodeGroup, Provider } from '../../../shared/provider.ts'

export const IDENTITY = 'https://api-identity-infrastructure.nhncloudservice.com'
export const COMPUTE = 'https://kr1-api-instance-infrastructure.nhncloudservice.com'
export const IMAGE = 'https://kr1-api-image-infrastructure.nhncloudservice.com'
export const NETWORK = 'https://kr1-api-network-infrastructure.nhncloudservice.com'
export const VOLUME = 'https://kr1-api-block-storage-infrastructure.nhncloudservice.com'

export const TENANT = '6cdebe3eb0094910bc41f1d42ebe4cb7'
export const PASSWORD = 'api-password-of-the-account'
export const FLAVOR_ID = 'b2000000-1111-4000-8000-000000000008'
export const IMAGE_ID = '3a000000-2222-4000-8000-000000000001'
export const VPC_ID = '5e000000-3333-4000-8000-000000000001'
export const INSTALLATION = 'ins_abcdefghijklmnop'
export const ALLOCATION = 'alc_abcdefgh23456777'
export const GROUP = 'gbabcdefgh23456777-000'
export const SERVERS = `/v2/${TENANT}/servers`

const CLUSTER = {
  availabilityZone: 'kr-pub-a',
  flavor: 'sim.b200x8',
  images: { 'ubuntu-22.04': IMAGE_ID },
  networks: [{ name: 'main', interfaces: [{ uuid: VPC_ID }] }],
  keyName: 'broker-key',
}

export interface ProviderOptions {
  readonly settings?: object
  readonly cluster?: object
  readonly now?: () => number
}

export const settingsOf = ({ settings = {}, cluster = {} }: ProviderOptions = {}): NhnSettings =>
  NhnSettings.parse({
    id: 'nhn',
    ratePerSecond: 10_000,
    identityUrl: `${IDENTITY}/v2.0`,
    computeUrl: `${COMPUTE}/v2`,
    imageUrl: `${IMAGE}/v2`,
    networkUrl: `${NETWORK}/v2.0`,
    volumeUrl: `${VOLUME}/v2`,
    tenantId: TENANT,
    username: 'broker@agency.example',
    password: PASSWORD,
    region: 'KR1',
    clusters: { 'nhn-b200-510': { ...CLUSTER, ...cluster } },
    ...settings,
  })

export const aProvider = (options: ProviderOptions = {}): Provider & { close(): void } =>
  createNhnProvider(settingsOf(options), { now: options.now ?? Date.now })

export const aCall = (overrides: Partial<Call> = {}): Call => ({
  operationId: 'op-1',
  deadlineAt: Date.now() + 5_000,
  signal: new AbortController().signal,
  ...overrides,
})

export const aGroup = (overrides: Partial<NodeGroup> = {}): NodeGroup => ({
  name: GROUP,
  size: 3,
  clusterId: 'nhn-b200-510',
  imageAlias: 'ubuntu-22.04',
  network: 'main',
  sshPublicKeys: [],
  owner: { installationId: INSTALLATION, allocationId: ALLOCATION, group: GROUP },
  ...overrides,
})

/** `access` as NHN's token page shows it. */
export const tokenBody = (overrides: { id?: string; issuedAt?: string; expires?: string } = {}): object => ({
  access: {
    token: {
      id: overrides.id ?? 'b587ae461278419da6ecc10a2344c8aa',
      issued_at: overrides.issuedAt ?? '2026-11-23T03:32:28.000405',
      expires: overrides.expires ?? '2026-11-23T15:31:21Z',
      tenant: { id: TENANT, name: 'project', groupId: 'XEj2zkHrbA7modGU', description: '', enabled: true },
    },
    serviceCatalog: [],
    user: { id: 'f0ed', username: '2e3e', name: '2e3e', roles: [{ name: 'project_admin' }], roles_links: [] },
    metadata: { roles: ['9fe2ff'], is_admin: 0 },
  },
})

/** Answers every request for a token. */
export const grantTokens = (): nock.Scope => nock(IDENTITY).persist().post('/v2.0/tokens').reply(200, tokenBody())

export interface ServerOptions {
  readonly id?: string
  readonly name?: string
  readonly status?: string
  readonly taskState?: string | null
  readonly owner?: string | null
  readonly metadata?: object
  readonly addresses?: object
  readonly more?: object
}

export const TAG = ownerTagText({ installationId: INSTALLATION, allocationId: ALLOCATION, group: GROUP })

/** A server as `GET /servers/detail` shows it, of our group unless the options say otherwise. */
export const aServer = (options: ServerOptions = {}): object => ({
  id: options.id ?? '11111111-0000-4000-8000-000000000001',
  name: options.name ?? `${GROUP}-1`,
  status: options.status ?? 'ACTIVE',
  tenant_id: TENANT,
  created: '2026-11-23T05:00:00Z',
  updated: '2026-11-23T05:03:00Z',
  hostId: 'e1',
  key_name: 'broker-key',
  metadata: {
    os_distro: 'Ubuntu',
    login_username: 'ubuntu',
    ...(options.owner === null ? {} : { 'gpu-broker': options.owner ?? TAG, 'gpu-broker-cluster': 'nhn-b200-510' }),
    ...options.metadata,
  },
  accessIPv4: '',
  progress: 0,
  config_drive: '',
  links: [{ rel: 'self', href: 'http://nova.iaas.tcc1.cloud.toastoven.net:8774/v2.1/servers/11111111' }],
  image: '',
  flavor: { id: FLAVOR_ID, links: [] },
  addresses: options.addresses ?? {
    'Default Network': [
      { addr: '180.210.1.2', version: 4, 'OS-EXT-IPS:type': 'floating', 'OS-EXT-IPS-MAC:mac_addr': 'fa:16' },
      { addr: '192.168.0.10', version: 4, 'OS-EXT-IPS:type': 'fixed', 'OS-EXT-IPS-MAC:mac_addr': 'fa:16' },
    ],
  },
  'OS-EXT-AZ:availability_zone': 'kr-pub-a',
  'OS-EXT-STS:task_state': options.taskState ?? null,
  'OS-EXT-STS:vm_state': 'active',
  'OS-SRV-USG:launched_at': '2026-11-23T05:02:30.000000',
  'NHN-EXT-ATTR:protect': false,
  ...options.more,
})

export const listAnswers = (servers: readonly object[], times = 1): nock.Scope =>
  nock(COMPUTE).get(`${SERVERS}/detail`).query(true).times(times).reply(200, { servers })

export const flavorsAnswer = (): nock.Scope =>
  nock(COMPUTE)
    .get(`/v2/${TENANT}/flavors/detail`)
    .query(true)
    .reply(200, {
      flavors: [
        {
          id: FLAVOR_ID,
          name: 'sim.b200x8',
          ram: 2_000_000,
          vcpus: 192,
          disk: 0,
          swap: '',
          extra_specs: {},
          links: [],
        },
        { id: '35a73b57-58a7-434d-aa08-5249aaa95b3e', name: 'm2.c2m4', ram: 4_096, vcpus: 2, disk: 0, swap: '' },
      ],
    })

/** What was posted to `/servers`. */
export interface Posted {
  readonly server: {
    readonly name: string
    readonly min_count: number
    readonly max_count: number
    readonly user_data?: string
    readonly [member: string]: unknown
  }
  readonly [member: string]: unknown
}

/** Accepts creates as Nova does, and keeps their bodies. */
export function acceptCreates(times = 1): Posted[] {
  const posted: Posted[] = []
  nock(COMPUTE)
    .post(SERVERS, (body: Posted) => {
      posted.push(body)
      return true
    })
    .times(times)
    .reply(202, {
      server: { id: '11111111-0000-4000-8000-000000000009', links: [], security_groups: [{ name: 'default' }] },
    })
  return posted
}

export const switchNetworkOff = (): void => nock.disableNetConnect()

export function forgetAnswers(): void {
  nock.cleanAll()
  nock.abortPendingRequests()
}

export function switchNetworkOn(): void {
  forgetAnswers()
  nock.enableNetConnect()
}
