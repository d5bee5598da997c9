/** A NAVER Cloud of canned answers, in the shapes of its documentation, and an adapter in front of it. */
import { expect } from 'chai'
import nock from 'nock'
import { NaverSettings, createNaverProvider } from '../../../adapters/naver/index.ts'
import type { Call, NodeGroup, Provider } from '../../../shared/provider.ts'
import type { ProviderError, ProviderErrorKind } from '../../../shared/provider-error.ts'
import { errorOf } from '../rejection.ts'

const HOST = 'https://ncloud.apigw.ntruss.com'
export const ACCESS_KEY = 'TESTACCESSKEY0000001'
export const SECRET_KEY = 'testSecretKey0000000000000000000000000001'
export const NOW = Date.parse('2026-12-01T00:00:00Z')

export const INSTALLATION = 'ins_aaaaaaaaaaaaaaaa'
export const ALLOCATION = 'alc_abcdefghijklmnop'
export const GROUP = 'gbabcdefghijklmnop-000'
export const TAG = `gpu-broker/${INSTALLATION}/${ALLOCATION}/${GROUP}`
export const OWNER = { installationId: INSTALLATION, allocationId: ALLOCATION, group: GROUP }
export const CLUSTER = 'naver-h200-255'

const A_CLUSTER = {
  images: { 'ubuntu-22.04-cuda': '4001', other: '4002' },
  zoneCode: 'KR-1',
  vpcNo: '1001',
  networks: [
    { name: 'a', subnetNo: '2001', accessControlGroupNos: ['3001', '3002'] },
    { name: 'b', subnetNo: '2003', accessControlGroupNos: ['3001'] },
  ],
  spec: 'sim-h200x8-g3',
  fabricPoolNo: '5001',
  loginKeyName: 'ops-key',
}

export const someSettings = (members: object = {}, cluster: object = {}): NaverSettings =>
  NaverSettings.parse({
    id: 'naver',
    kind: 'naver',
    ratePerSecond: 10_000,
    accessKey: ACCESS_KEY,
    secretKey: SECRET_KEY,
    clusters: { [CLUSTER]: { ...A_CLUSTER, ...cluster } },
    ...members,
  })

export const aGroup = (members: Partial<NodeGroup> = {}): NodeGroup => ({
  name: GROUP,
  size: 2,
  clusterId: CLUSTER,
  imageAlias: 'ubuntu-22.04-cuda',
  network: 'a',
  sshPublicKeys: [],
  owner: OWNER,
  ...members,
})

export const aCall = (members: Partial<Call> = {}): Call => ({
  operationId: 'op-1',
  deadlineAt: NOW + 10_000,
  signal: new AbortController().signal,
  ...members,
})

const coded = (code: string) => ({ code, codeName: `Server ${code} state` })

/** A server as the operator's list shows it, ready unless said otherwise. */
export const aServer = (no: number, members: Record<string, unknown> = {}): Record<string, unknown> => ({
  serverInstanceNo: String(no),
  serverName: `${GROUP}-${no % 100}`,
  serverDescription: TAG,
  cpuCount: 2,
  loginKeyName: 'ops-key',
  publicIpInstanceNo: '',
  publicIp: '',
  serverInstanceStatus: coded('RUN'),
  serverInstanceOperation: { code: 'NULL', codeName: 'Server NULL OP' },
  serverInstanceStatusName: 'running',
  createDate: '2026-11-30T15:05:07+0900',
  isProtectServerTermination: false,
  zoneCode: 'KR-1',
  regionCode: 'KR',
  vpcNo: '1001',
  subnetNo: '2001',
  networkInterfaceNoList: [String(no + 7_000)],
  initScriptNo: '',
  serverSpecCode: 'sim-h200x8-g3',
  fabricClusterPoolNo: 5001,
  fabricClusterPoolName: 'pool',
  fabricClusterMode: 'SINGLE',
  ...members,
})

export const inState = (status: string, operation: string, name = 'x'): Record<string, unknown> => ({
  serverInstanceStatus: coded(status),
  serverInstanceOperation: coded(operation),
  serverInstanceStatusName: name,
})

export const aFabric = (no: number, members: Record<string, unknown> = {}): Record<string, unknown> => ({
  fabricClusterNo: no,
  fabricClusterName: `${GROUP}-fabric`,
  fabricClusterDescription: TAG,
  fabricClusterStatus: coded('RUN'),
  fabricClusterPoolNo: '5001',
  fabricClusterServerInstanceList: [],
  ...members,
})

export const members = (...nos: number[]): Record<string, unknown>[] =>
  nos.map((no) => ({ serverInstanceNo: String(no) }))

// --- the operator

interface Asked {
  readonly action: string
  readonly service: string
  readonly form: URLSearchParams
  readonly headers: Readonly<Record<string, string | string[]>>
}

type Reply = readonly [status: number, body: unknown, headers?: Record<string, string>]
/** Rows or members of the wrapper for a success, or a whole reply. */
export type Answer = (asked: Asked, times: number) => Reply

export const ok =
  (payload: (asked: Asked, times: number) => Record<string, unknown>): Answer =>
  (asked, times) => [
    200,
    {
      [`${asked.action}Response`]: {
        requestId: '3a5c1d0e-0000-4000-8000-000000000000',
        returnCode: '0',
        returnMessage: 'success',
        ...payload(asked, times),
      },
    },
  ]

export const rows = (name: string, ...list: unknown[]): Answer => ok(() => ({ totalRows: list.length, [name]: list }))
export const servers = (...list: unknown[]): Answer => rows('serverInstanceList', ...list)
export const accepted: Answer = ok(() => ({}))
export const serviceError =
  (code: string, status = 400): Answer =>
  () => [status, { responseError: { returnCode: code, returnMessage: `what ${code} says` } }]
export const gatewayError =
  (status: number, code: string, headers: Record<string, string> = {}): Answer =>
  () => [status, { error: { errorCode: code, message: `gateway ${code}`, details: '' } }, headers]
/** One answer after the other; the last one stays. */
export const inTurn =
  (...answers: [Answer, ...Answer[]]): Answer =>
  (asked, times) =>
    (answers[times] ?? answers.at(-1) ?? answers[0])(asked, times)

const EMPTY: Readonly<Record<string, string>> = {
  getServerInstanceList: 'serverInstanceList',
  getNetworkInterfaceList: 'networkInterfaceList',
  getInitScriptList: 'initScriptList',
  getFabricClusterList: 'fabricClusterList',
  getPublicIpInstanceList: 'publicIpInstanceList',
}

export interface World {
  readonly provider: Provider
  /** All calls so far, in order. */
  readonly asked: readonly Asked[]
  /** The actions called, in order; lists left out. */
  changes(): readonly string[]
  calls(action: string): readonly Asked[]
}

const open: { close(): void }[] = []

/** What is not answered here and is a list is empty; anything else fails the call. Answers to `hold.action` wait. */
export function aWorld(
  answers: Readonly<Record<string, Answer>>,
  settings = someSettings(),
  hold?: { readonly action: string; readonly until: Promise<unknown> },
): World {
  const asked: Asked[] = []
  nock(HOST)
    .persist()
    .post(/^\/(vserver|vpc)\/v2\/\w+$/)
    .reply(async function reply(uri, body) {
      const [, service = '', , action = ''] = uri.split('/')
      const form = new URLSearchParams(typeof body === 'string' ? body : '')
      const one = { action, service, form, headers: this.req.headers as Asked['headers'] }
      const times = asked.filter((other) => other.action === action).length
      asked.push(one)
      if (action === hold?.action) await hold.until
      const list = EMPTY[action]
      const answer = answers[action] ?? (list === undefined ? undefined : rows(list))
      return [...(answer === undefined ? [404, `nothing answers ${action}`] : answer(one, times))] as [
        number,
        nock.ReplyBody,
      ]
    })
  const provider = createNaverProvider(settings, { now: () => NOW })
  open.push(provider)
  return {
    provider,
    asked,
    changes: () => asked.map(({ action }) => action).filter((action) => !action.startsWith('get')),
    calls: (action) => asked.filter((one) => one.action === action),
  }
}

export function disconnect(): void {
  nock.disableNetConnect()
}

export function tidyUp(): void {
  for (const provider of open.splice(0)) provider.close()
  nock.cleanAll()
  nock.enableNetConnect()
}

export async function expectError(
  promise: Promise<unknown>,
  expected: { readonly kind: ProviderErrorKind; readonly effect: 'none' | 'maybe' },
): Promise<ProviderError> {
  const error = await errorOf(promise)
  expect({ kind: error.kind, effect: error.effect }, error.message).to.deep.equal(expected)
  return error
}
