/** The listener under the application: its time limits, and an answer for what never becomes a request. */
import { randomUUID } from 'node:crypto'
import {
  type IncomingMessage,
  type RequestListener,
  STATUS_CODES,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SECOND_MS } from '../../shared/time.ts'
import { createRoster, type Roster } from './roster.ts'
import { BROKEN_REQUESTS, NOT_HTTP, NO_HOST, TWO_HOSTS, UNKNOWN_EXPECTATION, brokenProblem } from './problem.ts'

const SERVER_TIMEOUTS = {
  /** Line and headers, from the first byte. */
  headersTimeout: 10 * SECOND_MS,
  /** The whole request; a body is at most 256 KiB. */
  requestTimeout: 30 * SECOND_MS,
  /** Longer than the idle time of usual load balancers (60 s), so that they never send into a closing connection. */
  keepAliveTimeout: 65 * SECOND_MS,
} as const

/** Room for a token that is too long to be refused as such, by us. */
const MAX_HEADER_BYTES = 32 * 1024

export function createNodeServer(listener: RequestListener): Server {
  // Node's own answers to a missing host and to an unknown expectation would be empty, and without an id; of two hosts it
  // takes the first, and somebody on the way may have taken the other (RFC 9112, 3.2).
  const options = { ...SERVER_TIMEOUTS, maxHeaderSize: MAX_HEADER_BYTES, requireHostHeader: false }
  const server = createServer(options, (request, response) => {
    const hosts = hostsNamed(request)
    if (hosts === 0 && request.httpVersion === '1.1') refuseBroken(response, NO_HOST)
    else if (hosts > 1) refuseBroken(response, TWO_HOSTS)
    else listener(request, response)
  })
  server.on('checkExpectation', (_request, response) => refuseBroken(response, UNKNOWN_EXPECTATION))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerBroken(error, socket))
  const state: State = { unused: new Set(), inFlight: createRoster(), isDraining: false }
  STATES.set(server, state)
  server.on('connection', (socket) => {
    state.unused.add(socket)
    socket.once('close', () => state.unused.delete(socket))
  })
  server.prependListener('request', ({ socket }, response) => {
    state.unused.delete(socket)
    if (state.isDraining) return lastOnItsConnection(response)
    response.once('close', state.inFlight.add(response))
  })
  return server
}

interface State {
  /** Connections on which nothing was asked yet: Node takes them for busy ones, and clients open some in advance. */
  readonly unused: Set<Socket>
  readonly inFlight: Roster<ServerResponse>
  isDraining: boolean
}

const STATES = new WeakMap<Server, State>()

/**
 * Goes on answering, and says with each answer that its connection ends: whoever keeps connections sends the next request
 * on a new one, which a load balancer opens elsewhere. Twice is as good as once.
 */
export function drainNodeServer(server: Server): void {
  const state = STATES.get(server)
  if (state === undefined) return
  state.isDraining = true
  for (const response of state.inFlight) if (!response.headersSent) lastOnItsConnection(response)
}

const lastOnItsConnection = (response: ServerResponse): void => void response.setHeader('Connection', 'close')

/** Half of what a stop may take: the other half is for what is given back once nobody asks any more. */
const CLOSE_WITHIN_MS = 5 * SECOND_MS

/**
 * Takes no new connection, and resolves when what was asked on the others is answered. Whose request or answer has not
 * passed by then, as of one who sends or reads slowly, is cut off.
 */
export function closeNodeServer(server: Server, withinMs = CLOSE_WITHIN_MS): Promise<void> {
  drainNodeServer(server) // or a connection whose answer comes later would be waited for until it has been idle for long
  return new Promise((resolve) => {
    const late = setTimeout(() => server.closeAllConnections(), withinMs)
    server.close(() => {
      clearTimeout(late)
      resolve()
    })
    server.closeIdleConnections()
    for (const socket of STATES.get(server)?.unused ?? []) socket.destroy()
  })
}

/** How many `Host` lines came; `headers` has one of them at most. */
function hostsNamed({ rawHeaders }: IncomingMessage): number {
  let hosts = 0
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts += 1
  return hosts
}

function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, headers, body } = brokenAnswer(BROKEN_REQUESTS[error.code ?? ''] ?? NOT_HTTP)
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`)
}

function refuseBroken(response: ServerResponse, kind: Parameters<typeof brokenProblem>[0]): void {
  const { status, headers, body } = brokenAnswer(kind)
  response.writeHead(status, headers).end(body)
}

function brokenAnswer(kind: Parameters<typeof brokenProblem>[0]) {
  const body = JSON.stringify(brokenProblem(kind))
  const headers = {
    Connection: 'close',
    'X-Request-Id': randomUUID(),
    'Content-Type': 'application/problem+json',
    'Content-Length': String(Buffer.byteLength(body)),
  }
  return { status: kind.status, headers, body }
}
