/**
 * A load balancer as production has one in front of the replicas: it asks each for `/readyz`, sends requests in turn to
 * those that say yes over connections that it keeps, and never sends a request twice. What it cannot deliver is the
 * caller's 502: a real one that tries again would hide what this test is about.
 */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'

export interface LoadBalancer {
  readonly url: string
  /** Requests that could not be delivered, or whose answer broke off, each with why. */
  readonly failures: readonly string[]
  /** Sends requests there from the next probe on that says ready. */
  add(url: string): void
  /** As when an operator takes the address of one that has gone out of the list. */
  remove(url: string): void
  /** Whether requests are sent there now. */
  isServing(url: string): boolean
  close(): Promise<void>
}

interface Backend {
  readonly url: string
  readonly agent: Agent
  ready: boolean
}

const PROBE_EVERY_MS = 100
const PROBE_TIMEOUT_MS = 1_000

export async function startLoadBalancer(): Promise<LoadBalancer> {
  const backends: Backend[] = []
  const failures: string[] = []
  let turn = 0
  const next = (): Backend | undefined => {
    const ready = backends.filter((backend) => backend.ready)
    turn += 1
    return ready[turn % ready.length]
  }
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    const backend = next()
    const fail = (why: string): void => {
      failures.push(`${request.method} ${request.url}: ${why}`)
      if (response.headersSent) response.destroy()
      else response.writeHead(502).end()
    }
    if (backend === undefined) return fail('no replica is ready')
    forward({ request, response, backend, fail })
  })
  const probing = setInterval(() => {
    for (const backend of backends) void probe(backend)
  }, PROBE_EVERY_MS)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on TCP
    failures,
    add: (url) => void backends.push({ url, agent: new Agent({ keepAlive: true, maxFreeSockets: 64 }), ready: false }),
    remove(url) {
      const index = backends.findIndex((backend) => backend.url === url)
      for (const gone of index < 0 ? [] : backends.splice(index, 1)) gone.agent.destroy()
    },
    isServing: (url) => backends.some((backend) => backend.url === url && backend.ready),
    async close() {
      clearInterval(probing)
      for (const { agent } of backends) agent.destroy()
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** One that does not answer takes no requests either. */
async function probe(backend: Backend): Promise<void> {
  backend.ready = await fetch(`${backend.url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok
    },
    () => false,
  )
}

interface Forwarded {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly backend: Backend
  readonly fail: (why: string) => void
}

function forward({ request, response, backend, fail }: Forwarded): void {
  const { connection: _ours, ...headers } = request.headers
  const onward = httpRequest(
    new URL(request.url ?? '/', backend.url),
    { method: request.method, headers, agent: backend.agent },
    (answer) => {
      const { connection: _theirs, ...answered } = answer.headers
      response.writeHead(answer.statusCode ?? 502, answered)
      pipeline(answer, response, (error) => {
        if (error !== undefined && error !== null) fail(`the answer broke off: ${error.message}`)
      })
    },
  )
  onward.once('error', (error: NodeJS.ErrnoException) => fail(`not delivered: ${error.code ?? error.message}`))
  request.pipe(onward)
}
