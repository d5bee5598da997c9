/** A server on loopback that answers as it is told and notes what it was asked: what the client's and the command line's tests call. */
import { type IncomingHttpHeaders, type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  readonly method: string
  /** With its query. */
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Parsed; undefined for none. */
  readonly body: unknown
}

export interface Scripted {
  /** Default 200. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly json?: unknown
  /** Sent as it is instead of `json`. */
  readonly text?: string
  /** `cut`: the connection ends without an answer. `silent`: nothing is answered at all. */
  readonly fault?: 'cut' | 'silent'
}

export interface Loopback {
  readonly url: string
  readonly received: Received[]
  close(): Promise<void>
}

/**
 * @param answer called once per request, in the order in which they came
 * @param parse reads a body that is not empty; default JSON
 */
export async function startLoopback(
  answer: (received: Received, nth: number) => Scripted,
  parse: (text: string) => unknown = JSON.parse,
): Promise<Loopback> {
  const received: Received[] = []
  const server = createServer((request, response) => {
    void (async () => {
      const one = await read(request, parse)
      received.push(one)
      reply(response, answer(one, received.length))
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://127.0.0.1:${port}`,
    received,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}

async function read(request: IncomingMessage, parse: (text: string) => unknown): Promise<Received> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer) // no encoding is set
  const text = Buffer.concat(parts).toString()
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body: text === '' ? undefined : parse(text),
  }
}

function reply(response: ServerResponse, { status = 200, headers = {}, json, text, fault }: Scripted): void {
  if (fault === 'silent') return
  if (fault === 'cut') {
    response.destroy()
    return
  }
  const type = status < 400 ? 'application/json' : 'application/problem+json'
  response.writeHead(status, { 'content-type': type, ...headers })
  response.end(text ?? JSON.stringify(json ?? {}))
}

/** A problem document as the broker sends it. */
export const problem = (status: number, code: string, members: object = {}): Scripted => ({
  status,
  headers: { 'x-request-id': 'req-1' },
  json: {
    type: `/problems/${code}`,
    title: 'A title',
    status,
    detail: 'A detail with 3 figures.',
    instance: '/v1/allocations',
    code,
    ...members,
  },
})
