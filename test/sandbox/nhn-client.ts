/** A bare client of the simulated NHN Cloud for its tests, written from the operator's documents. */
import { startOperator } from '../../deploy/sandbox/harness.ts'
import { nhn } from '../../deploy/sandbox/nhn.ts'

const TENANT = '0123456789abcdef0123456789abcdef'
const LOGIN = {
  tenantId: TENANT,
  passwordCredentials: { username: 'gpu-broker@sandbox.example', password: 'sandbox-nhn-password-not-a-secret' },
}

/** The least that `POST /servers` takes, root volume and all. */
export const aServer = {
  name: 'node',
  flavorRef: 'b2000000-0000-4000-8000-000000000008',
  imageRef: '1a000000-0000-4000-8000-000000000001',
  networks: [{ uuid: '4e000000-0000-4000-8000-000000000001' }],
  key_name: 'sandbox-key',
  availability_zone: 'kr-pub-a',
  block_device_mapping_v2: [
    {
      source_type: 'image',
      uuid: '1a000000-0000-4000-8000-000000000001',
      boot_index: 0,
      destination_type: 'volume',
      volume_size: 100,
      volume_type: 'General SSD',
      delete_on_termination: true,
    },
  ],
}

interface Item {
  readonly id: string
  readonly name: string
  readonly status: string
}

export interface Server extends Item {
  readonly metadata: Record<string, string>
  readonly image: unknown
  readonly links: { readonly href: string }[]
  readonly addresses: Record<string, { readonly addr: string; readonly 'OS-EXT-IPS:type': string }[]>
  readonly fault?: { readonly message: string }
  readonly 'OS-EXT-STS:vm_state': string
  readonly 'OS-EXT-STS:task_state': string | null
  readonly 'OS-EXT-STS:power_state': number
  readonly 'OS-EXT-AZ:availability_zone': string
}

interface Fault {
  readonly code: number
  readonly title: string
  readonly type: string
  readonly message: string
  readonly retryAfter?: string
}

/** Every member that some answer has; a test reads those that its call brings. */
export interface Answer {
  readonly server: Server
  readonly servers: Server[]
  readonly reservation_id: string
  readonly access: {
    readonly token: { readonly id: string; readonly issued_at: string; readonly expires: string }
    readonly serviceCatalog: { readonly type: string; readonly endpoints: unknown }[]
  }
  readonly volumes: (Item & { readonly attachments: unknown })[]
  readonly flavors: Item[]
  readonly images: Item[]
  readonly vpcs: Item[]
  readonly vpcsubnets: Item[]
  readonly security_groups: Item[]
  readonly networks: Item[]
  readonly port: Item
  readonly ports: Item[]
  readonly floatingip: Item
  readonly server_group: { readonly id: string; readonly policies: string[]; readonly members: string[] }
  readonly server_groups: Item[]
  readonly keypair: { readonly name: string; readonly private_key: string }
  readonly keypairs: { readonly keypair: { readonly name: string } }[]
  readonly availabilityZoneInfo: { readonly zoneName: string }[]
  readonly limits: { readonly absolute: object }
  readonly error: Fault
  readonly badRequest: Fault
  readonly forbidden: Fault
  readonly itemNotFound: Fault
  readonly conflictingRequest: Fault
  readonly overLimit: Fault
  readonly NeutronError: Fault
}

export interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly body: Answer
}

export interface LedgerAnswer {
  readonly nodes: { readonly id: string; readonly name: string; readonly deletedAt: string | null }[]
  readonly others: { readonly kind: string; readonly id: string; readonly deletedAt: string | null }[]
}

export interface NhnClient {
  readonly url: string
  token(): string
  login(auth: object): Promise<Reply>
  signIn(): Promise<void>
  /** `/compute/…` and `/volume/…` with version and tenant put in. */
  call(method: string, path: string, body?: object): Promise<Reply>
  /** The path as it is. */
  raw(method: string, path: string, body?: object): Promise<Reply>
  /** `POST /servers` of `aServer` with these members changed. */
  create(change?: Record<string, unknown>): Promise<Reply>
  server(id: string): Promise<Server>
  /** `/servers/detail`. @param query with its question mark */
  servers(query?: string): Promise<Server[]>
  /** Puts the operator's clock so many hours ahead of the real one. */
  hours(count: number): Promise<void>
  control(what: 'behaviour' | 'clock' | 'faults', body: object): Promise<void>
  ledger(): Promise<LedgerAnswer>
  close(): Promise<void>
}

export const idsOf = (items: readonly { readonly id: string }[]): string[] => items.map(({ id }) => id)

/** A fresh operator in memory with a boot time of a minute, and a client with a token. */
export async function startNhn(dir: string | null = null): Promise<NhnClient> {
  const operator = await startOperator(nhn, { dir, port: 0, bootMs: 60_000, latencyMs: 0, ratePerSecond: 10_000 })
  let token = ''
  const raw = async (method: string, path: string, body?: object): Promise<Reply> => {
    const answer = await fetch(`${operator.url}${path}`, {
      method,
      headers: { 'x-auth-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    const json = text.startsWith('{') ? (JSON.parse(text) as Answer) : ({} as Answer) // no body, or HTML
    return { status: answer.status, headers: answer.headers, body: json }
  }
  const call: NhnClient['call'] = async (method, path, body) =>
    raw(method, path.replace(/^\/\w+/, `$&/v2/${TENANT}`), body)
  const login = async (auth: object): Promise<Reply> => raw('POST', '/identity/v2.0/tokens', { auth })
  const signIn = async (): Promise<void> => {
    token = (await login(LOGIN)).body.access.token.id
  }
  const control: NhnClient['control'] = async (what, body) => {
    const answer = await fetch(`${operator.url}/_sandbox/${what}`, { method: 'PUT', body: JSON.stringify(body) })
    if (!answer.ok) throw new Error(await answer.text())
  }
  await signIn()
  return {
    url: operator.url,
    token: () => token,
    login,
    signIn,
    call,
    raw,
    server: async (id) => (await call('GET', `/compute/servers/${id}`)).body.server,
    create: async (change = {}) => call('POST', '/compute/servers', { server: { ...aServer, ...change } }),
    servers: async (query = '') => (await call('GET', `/compute/servers/detail${query}`)).body.servers,
    control,
    hours: async (count) => control('clock', { offsetMs: count * 3_600_000 }),
    ledger: async () => (await (await fetch(`${operator.url}/_sandbox/ledger`)).json()) as LedgerAnswer,
    close: () => operator.close(),
  }
}
