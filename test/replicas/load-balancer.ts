/**
 * A load balancer as production has one in front of the replicas: it asks each for `/readyz`, sends requests in turn to
 * those that say yes over connections that it keeps, and never sends a request twice. What it cannot deliver is the
 * caller's 502: a real one that tries again would hide what this test is about.
 */
import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request as httpRequest, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'

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
  /** In a row. */
  failedProbes: number
  ready: boolean
  removed: boolean
}

const PROBE_EVERY_MS = 100
/** On a machine that has other things to do, too. */
const PROBE_TIMEOUT_MS = 2_000
/** One that says no is believed at once; one that says nothing may only be slow. */
const PROBES_WITHOUT_ANSWER = 3

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
  const remove = (backend: Backend): void => {
    backends.splice(backends.indexOf(backend), 1)
    backend.removed = true
    backend.agent.destroy()
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // it listens on TCP
    failures,
    add(url) {
      const agent = new Agent({ keepAlive: true, maxFreeSockets: 64 })
      const backend: Backend = { url, agent, failedProbes: 0, ready: false, removed: false }
      backends.push(backend)
      void watch(backend)
    },
    remove(url) {
      for (const backend of backends.filter((one) => one.url === url)) remove(backend)
    },
    isServing: (url) => backends.some((backend) => backend.url === url && backend.ready),
    async close() {
      for (const backend of [...backends]) remove(backend)
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** One probe after the other: an answer that is late tells nothing that a later one has not told. */
async function watch(backend: Backend): Promise<void> {
  while (!backend.removed) {
    const answer = await fetch(`${backend.url}/readyz`, { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) }).catch(
      () => null,
    )
    await answer?.arrayBuffer().catch(() => undefined)
    backend.failedProbes = answer === null ? backend.failedProbes + 1 : 0
    if (answer !== null) backend.ready = answer.ok
    else if (backend.failedProbes >= PROBES_WITHOUT_ANSWER) backend.ready = false
    await pause(PROBE_EVERY_MS)
  }
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
