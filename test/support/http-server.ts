/** The real server on a free port of loopback, with use cases and tokens made for the test. */
import { type IncomingHttpHeaders, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Caller, SCOPES } from '../../broker/app/command.ts'
import { createNodeServer } from '../../broker/http/node-server.ts'
import { type Answered, type ServerOptions, createServer } from '../../broker/http/server.ts'
import { Refusal } from '../../shared/refusal.ts'
import { type FakeUseCases, fakeUseCases } from './fake-use-cases.ts'

export interface Sent {
  readonly method?: string
  readonly path: string
  /** Null sends none. Default: `all`, a token with every scope. `catalog` has only `catalog:read`. */
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  /** Sent as JSON with its content type. */
  readonly json?: unknown
  /** Sent as it is, chunk by chunk, without a content type. */
  readonly chunks?: readonly (string | Buffer)[]
}

export interface Got {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Parsed; fails the test if it is not JSON. */
  json(): Record<string, unknown>
}

export interface TestServer extends FakeUseCases {
  readonly port: number
  readonly logged: { readonly fields: Readonly<Record<string, unknown>>; readonly sentence: string }[]
  readonly answered: Answered[]
  send(sent: Sent): Promise<Got>
  close(): Promise<void>
}

export const NOW = Date.parse('2026-11-24T09:00:00Z')

const CALLERS: Readonly<Record<string, Caller>> = {
  all: { clientId: 'all', scopes: new Set(SCOPES), organizationId: null, providerId: null },
  catalog: { clientId: 'catalog', scopes: new Set(['catalog:read']), organizationId: null, providerId: null },
}

export async function startServer(options: Partial<ServerOptions> = {}): Promise<TestServer> {
  const fakes = fakeUseCases()
  const logged: TestServer['logged'] = []
  const answered: Answered[] = []
  const app = createServer({
    useCases: fakes.useCases,
    async authenticate(header) {
      const caller = CALLERS[header?.replace('Bearer ', '') ?? '']
      if (caller === undefined) throw new Refusal('unauthorized', 'This needs an access token.')
      return caller
    },
    ready: async () => ({ ok: true, checks: { database: 'ok' } }),
    logger: { debug: () => {}, error: (fields, sentence) => void logged.push({ fields: { ...fields }, sentence }) },
    now: () => NOW,
    onAnswered: (one) => void answered.push(one),
    ...options,
  })
  const server = createNodeServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    ...fakes,
    port,
    logged,
    answered,
    send: (sent) => exchange(port, sent),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

function exchange(port: number, { method, path, token = 'all', headers = {}, json, chunks }: Sent): Promise<Got> {
  const text = json === undefined ? undefined : JSON.stringify(json)
  const sentHeaders = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(text === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    ...headers,
  }
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port, path, method: method ?? 'GET', headers: sentHeaders })
    request.on('error', reject)
    request.on('response', (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('error', reject)
      response.on('end', () => {
        const body = Buffer.concat(parts).toString()
        const status = response.statusCode ?? 0
        const json = (): Record<string, unknown> => JSON.parse(body) as Record<string, unknown>
        resolve({ status, headers: response.headers, text: body, json })
      })
    })
    for (const chunk of chunks ?? []) request.write(chunk)
    request.end(text)
  })
}
