/** A bare client of the simulated KakaoCloud: what tests send, written from the operator's documentation. */
import { startOperator } from '../../deploy/sandbox/harness.ts'
import type { SandboxOptions } from '../../deploy/sandbox/harness.ts'
import type { LedgerView } from '../../deploy/sandbox/ledger.ts'
import type { KakaoKnobs } from '../../deploy/sandbox/kakao-knobs.ts'
import { kakaoWith } from '../../deploy/sandbox/kakao.ts'
import { KAKAO } from '../../deploy/sandbox/settings.ts'

/** Long enough that nothing changes by itself within a test: the sandbox's clock is set forward instead. */
export const BOOT_MS = 100_000
export const STOP_MS = 25_000

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** What stands in the JSON body under a path like `instances.0.name`; undefined where there is nothing. */
  get(path: string): unknown
  /** One member of every row of a list. */
  each(list: string, member: string): unknown[]
}

export interface KakaoClient {
  readonly url: string
  /** Without a token. */
  raw(call: string, options?: { body?: unknown; headers?: Record<string, string> }): Promise<Answer>
  /** With the token of `token()`. */
  call(call: string, body?: unknown): Promise<Answer>
  token(): Promise<string>
  control(path: string, body: unknown): Promise<void>
  /** Sets the sandbox's clock so far ahead of the real one. */
  at(offsetMs: number): Promise<void>
  ledger(): Promise<LedgerView>
  close(): Promise<void>
}

export const credentials = (credential: object): object => ({
  auth: { identity: { methods: ['application_credential'], application_credential: credential } },
})
export const OWN_KEY = credentials({ id: KAKAO.accessKeyId, secret: KAKAO.accessKeySecret })

export async function startKakao(
  knobs: Partial<KakaoKnobs> = {},
  options: Partial<SandboxOptions> = {},
): Promise<KakaoClient> {
  const operator = await startOperator(kakaoWith(knobs), {
    dir: null,
    bootMs: BOOT_MS,
    latencyMs: 0,
    ratePerSecond: 10_000,
    port: 0,
    ...options,
  })
  let known: Promise<string> | null = null
  const client: KakaoClient = {
    url: operator.url,
    async raw(call, { body, headers = {} } = {}) {
      const [method = 'GET', path = '/'] = call.split(' ')
      const response = await fetch(`${operator.url}${path}`, {
        method,
        headers: { 'content-type': 'application/json', ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await response.text()
      const json = parsed(text)
      return {
        status: response.status,
        headers: response.headers,
        text,
        get: (path) => under(json, path),
        each: (list, member) => (under(json, list) as unknown[]).map((row) => under(row, member)), // a list, says the test
      }
    },
    async call(call, body) {
      return client.raw(call, { body, headers: { 'x-auth-token': await client.token() } })
    },
    token() {
      known ??= client
        .raw('POST /iam/identity/v3/auth/tokens', { body: OWN_KEY })
        .then(({ headers }) => headers.get('x-subject-token') ?? '')
      return known
    },
    async control(path, body) {
      const { status, text } = await client.raw(`PUT /_sandbox/${path}`, { body })
      if (status !== 200) throw new Error(`the sandbox refused: ${text}`)
    },
    at: async (offsetMs) => client.control('clock', { offsetMs }),
    async ledger() {
      return JSON.parse((await client.raw('GET /_sandbox/ledger')).text) as LedgerView // the sandbox's own shape
    },
    close: async () => operator.close(),
  }
  return client
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function under(json: unknown, path: string): unknown {
  let at = json
  for (const part of path.split('.')) at = (at as Readonly<Record<string, unknown>> | null | undefined)?.[part] // or undefined
  return at
}

export const INSTANCES = '/bcs/api/v1/instances'

/** A bare-metal node as the documentation's example asks for it. */
export const aNode = (changes: Readonly<Record<string, unknown>> = {}): { instance: Record<string, unknown> } => ({
  instance: {
    name: 'gb-k3v9q2m7xa4c-n00',
    description: 'alloc k3v9q2m7xa4c node 0',
    count: 1,
    image_id: KAKAO.gpuImageId,
    flavor_id: KAKAO.flavorId,
    availability_zone: KAKAO.zone,
    subnets: [{ id: KAKAO.subnetId }],
    volumes: null,
    security_groups: [{ name: KAKAO.securityGroup }],
    key_name: KAKAO.keyName,
    user_data: Buffer.from('#!/bin/sh\ntrue\n').toString('base64'),
    is_disable_hyper_threading: false,
    is_bonding: true,
    ...changes,
  },
})

export const GPU_FLAVOR_ID = 'f1000000-0000-4000-8000-000000000007'
export const GPU_IMAGE_ID = '2a000000-0000-4000-8000-000000000003'

/** A virtual GPU machine with a root volume. */
export const aGpuMachine = (changes: Readonly<Record<string, unknown>> = {}): { instance: Record<string, unknown> } =>
  aNode({
    name: 'gpu-machine-1',
    flavor_id: GPU_FLAVOR_ID,
    image_id: GPU_IMAGE_ID,
    volumes: [{ size: 50, is_delete_on_termination: true }],
    is_bonding: false,
    ...changes,
  })

/** Makes one and tells its id. */
export async function made(client: KakaoClient, body: object = aNode()): Promise<string> {
  const answer = await client.call(`POST ${INSTANCES}`, body)
  if (answer.status !== 202) throw new Error(`not accepted: ${answer.status} ${answer.text}`)
  return String(answer.get('instance.id'))
}

/** One more client for a test of a knob, closed when the test is through with it. */
export async function withKakao(
  knobs: Partial<KakaoKnobs>,
  use: (client: KakaoClient) => Promise<void>,
  options: Partial<SandboxOptions> = {},
): Promise<void> {
  const client = await startKakao(knobs, options)
  try {
    await use(client)
  } finally {
    await client.close()
  }
}
