/** A remote provider against nock: the configuration, calls, and answers as the protocol's page shows them. */
import nock from 'nock'
import { type RemoteProvider, RemoteSettings, createRemoteProvider } from '../../../adapters/remote/index.ts'
import type { Call, NodeGroup } from '../../../shared/provider.ts'

export const HOST = 'https://gpu.operator.test'
const IDENTITY = 'https://identity.operator.test'
export const SECRET = 'the-client-secret'
export const NOW = Date.parse('2026-12-01T00:00:00Z')
export const CLUSTER = 'seoul-b200'

export const OWNER = {
  installationId: 'ins_abcdefghijklmnop',
  allocationId: 'alc_abcdefghijklmnop',
  group: 'gbabcdefghijklmnop-000',
}
export const FILTER = { installationId: OWNER.installationId }

export const rawSettings = (changes: object = {}): object => ({
  id: 'operator',
  kind: 'remote',
  baseUrl: `${HOST}/gpu`,
  token: { url: `${IDENTITY}/token`, clientId: 'broker', clientSecret: SECRET, parameters: { scope: 'nodes' } },
  ratePerSecond: 10_000,
  joinsFabric: true,
  reportsFreeCapacity: true,
  clusters: {
    [CLUSTER]: { images: { ubuntu: 'img-22.04' }, networks: [{ name: 'private' }], visibilityDelayMs: 1_000 },
  },
  ...changes,
})

export interface Clock {
  now: number
}

/** Reads the time from `clock`; the network is switched off but for what nock answers. */
export const aProvider = (options: { readonly settings?: object; readonly clock?: Clock } = {}): RemoteProvider => {
  const clock = options.clock ?? { now: NOW }
  return createRemoteProvider(RemoteSettings.parse(rawSettings(options.settings)), { now: () => clock.now })
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
  clusterId: CLUSTER,
  imageAlias: 'ubuntu',
  network: 'private',
  sshPublicKeys: ['ssh-ed25519 AAAA 김연구'],
  owner: OWNER,
  ...changes,
})

export const aNode = (n: number, changes: object = {}): object => ({
  id: `node-${n}`,
  name: `${OWNER.group}-${n}`,
  owner: OWNER,
  clusterId: CLUSTER,
  state: 'ready',
  address: `10.0.0.${n}`,
  createdAt: '2026-11-30T23:50:00Z',
  ...changes,
})

/** `token-1`, `token-2`, …, an hour each. @returns how often it was asked */
export function identityAnswers(): { asked: number } {
  const count = { asked: 0 }
  nock(IDENTITY)
    .persist()
    .post('/token')
    .reply(() => {
      count.asked += 1
      return [200, { access_token: `token-${count.asked}`, token_type: 'Bearer', expires_in: 3_600 }]
    })
  return count
}

export const identityRefuses = (status: number, body: object | string, headers: Record<string, string> = {}) =>
  nock(IDENTITY).post('/token').reply(status, body, headers)

export const identityFails = () =>
  nock(IDENTITY)
    .post('/token')
    .replyWithError(Object.assign(new Error('reset'), { code: 'ECONNRESET' }))

/** What the next request for a token must look like. */
export const identityExpects = () =>
  nock(IDENTITY)
    .post('/token', { grant_type: 'client_credentials', scope: 'nodes' })
    .basicAuth({ user: 'broker', pass: SECRET.replaceAll('-', '%2D') }) // form-encoded first: RFC 6749, 2.3.1
    .reply(200, { access_token: 'the-token', token_type: 'bearer' })
