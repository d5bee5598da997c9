/**
 * A client of the simulated Naver Cloud that knows nothing of how it is made: it signs for itself, from the operator's
 * documentation, and moves the sandbox's clock instead of waiting.
 */
import { createHmac } from 'node:crypto'
import { startOperator } from '../../deploy/sandbox/harness.ts'
import { naver } from '../../deploy/sandbox/naver.ts'
import { NAVER } from '../../deploy/sandbox/settings.ts'

/** Far longer than any test runs: what a state is depends on the shifted clock alone. */
export const BOOT_MS = 1_000_000

type Row = Readonly<Record<string, unknown>>

export interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: Headers
}

interface SignOptions {
  readonly accessKey?: string
  readonly secretKey?: string
  readonly atMs?: number
  readonly signatureHeader?: string
}

export interface Account {
  readonly url: string
  /** The wrapper of a success as JSON; fails the test for anything else. */
  call(action: string, parameters?: Row, service?: string): Promise<Row>
  /** The rows of the answer's only list. */
  rows(action: string, parameters?: Row, service?: string): Promise<Row[]>
  /** The `returnCode` of a refusal by a service. */
  refusal(action: string, parameters?: Row): Promise<string>
  /** Any call, signed for its very target. */
  raw(
    method: string,
    target: string,
    options?: SignOptions & { form?: string; headers?: Record<string, string> },
  ): Promise<Answer>
  /** Moves the operator's clock on. */
  pass(ms: number): Promise<void>
  behave(change: Row): Promise<void>
  ledger(): Promise<{ nodes: Row[]; others: Row[] }>
  /** What of the ledger exists still, as `kind` or `node`. */
  left(): Promise<string[]>
  close(): Promise<void>
}

export async function openAccount({ dir = null }: { readonly dir?: string | null } = {}): Promise<Account> {
  const options = { dir, bootMs: BOOT_MS, latencyMs: 0, ratePerSecond: 100_000, port: 0 }
  const operator = await startOperator(naver, options)
  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const init = body === undefined ? { method } : { method, body: JSON.stringify(body) }
    const response = await fetch(`${operator.url}/_sandbox/${path}`, init)
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return response.json()
  }
  let { offsetMs } = (await control('GET', 'clock')) as { offsetMs: number }

  const raw: Account['raw'] = async (method, target, given = {}) => {
    const timestamp = String(given.atMs ?? Date.now() + offsetMs)
    const accessKey = given.accessKey ?? NAVER.accessKey
    const signed = `${method} ${target}\n${timestamp}\n${accessKey}`
    const response = await fetch(`${operator.url}${target}`, {
      method,
      headers: {
        'x-ncp-apigw-timestamp': timestamp,
        'x-ncp-iam-access-key': accessKey,
        [given.signatureHeader ?? 'x-ncp-apigw-signature-v2']: createHmac('sha256', given.secretKey ?? NAVER.secretKey)
          .update(signed)
          .digest('base64'),
        ...(given.form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
        ...given.headers,
      },
      ...(given.form === undefined ? {} : { body: given.form }),
    })
    return { status: response.status, text: await response.text(), headers: response.headers }
  }

  const post = (action: string, parameters: Row, service: string): Promise<Answer> => {
    const form = encoded({ responseFormatType: 'json', ...parameters })
    return raw('POST', `/${service}/v2/${action}`, { form })
  }

  const call: Account['call'] = async (action, parameters = {}, service = 'vserver') => {
    const answer = await post(action, parameters, service)
    if (answer.status !== 200) throw new Error(`${action}: ${answer.status} ${answer.text}`)
    const body = JSON.parse(answer.text) as Record<string, Row>
    return body[`${action}Response`] ?? {}
  }

  const ledger: Account['ledger'] = async () => (await control('GET', 'ledger')) as { nodes: Row[]; others: Row[] }

  return {
    url: operator.url,
    raw,
    call,
    async rows(action, parameters, service) {
      const body = await call(action, parameters, service)
      const list = Object.entries(body).find(([name]) => name.endsWith('List'))?.[1]
      return list as Row[]
    },
    async refusal(action, parameters = {}) {
      const answer = await post(action, parameters, 'vserver')
      if (answer.status !== 400) throw new Error(`${action}: ${answer.status} ${answer.text}`)
      const body = JSON.parse(answer.text) as { responseError: { returnCode: string } }
      return body.responseError.returnCode
    },
    async pass(ms) {
      offsetMs += ms
      await control('PUT', 'clock', { offsetMs })
    },
    behave: async (change) => void (await control('PUT', 'behaviour', change)),
    ledger,
    async left() {
      const { nodes, others } = await ledger()
      return [...nodes.map((node): Row => ({ ...node, kind: 'node' })), ...others]
        .filter((entry) => entry['deletedAt'] === null)
        .map((entry) => String(entry['kind']))
    },
    close: () => operator.close(),
  }
}

/** The least that a server needs. */
export const serverOrder = (more: Row = {}): Row => ({
  serverImageNo: NAVER.gpuImageNo,
  serverSpecCode: NAVER.specCode,
  vpcNo: NAVER.vpcNo,
  subnetNo: NAVER.privateSubnetNo,
  'networkInterfaceList.1.networkInterfaceOrder': 0,
  'networkInterfaceList.1.accessControlGroupNoList.1': NAVER.accessControlGroupNo,
  ...more,
})

/** Parameters as a form or a query spells them. */
export function encoded(parameters: Row): string {
  const form = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) form.set(name, String(value))
  return form.toString()
}

/** Makes servers and answers their numbers. */
export async function makeServers(account: Account, more: Row = {}): Promise<string[]> {
  const rows = await account.rows('createServerInstances', serverOrder(more))
  return rows.map((row) => String(row['serverInstanceNo']))
}

/** As made and booted, disk and all. */
export async function makeReady(account: Account, more: Row = {}): Promise<string[]> {
  const numbers = await makeServers(account, more)
  await account.pass(1.2 * BOOT_MS)
  return numbers
}

/** `{name.1: …, name.2: …}` */
export const numbered = (name: string, values: readonly string[]): Row =>
  Object.fromEntries(values.map((value, i) => [`${name}.${i + 1}`, value]))

export const codeOf = (row: Row | undefined, member: string): string =>
  (row?.[member] as { code: string } | undefined)?.code ?? ''

/** `STATUS/OPERATION name`, or `gone`. */
export async function stateOf(account: Account, serverInstanceNo: string): Promise<string> {
  const [row] = await account.rows('getServerInstanceDetail', { serverInstanceNo })
  if (row === undefined) return 'gone'
  const [status, operation] = [codeOf(row, 'serverInstanceStatus'), codeOf(row, 'serverInstanceOperation')]
  return `${status}/${operation} ${String(row['serverInstanceStatusName'])}`
}
