/** The listener under the application: its time limits, and an answer for what never becomes a request. */
import { randomUUID } from 'node:crypto'
import { type RequestListener, STATUS_CODES, type Server, createServer } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SECOND_MS } from '../../shared/time.ts'
import { BROKEN_REQUESTS, NOT_HTTP } from './problem.ts'

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
  const server = createServer({ ...SERVER_TIMEOUTS, maxHeaderSize: MAX_HEADER_BYTES }, listener)
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => answerBroken(error, socket))
  const unused = new Set<Socket>()
  UNUSED.set(server, unused)
  server.on('connection', (socket) => {
    unused.add(socket)
    socket.once('close', () => unused.delete(socket))
  })
  server.on('request', ({ socket }) => unused.delete(socket))
  return server
}

/** Connections on which nothing was asked yet: Node takes them for busy ones, and clients open some in advance. */
const UNUSED = new WeakMap<Server, ReadonlySet<Socket>>()

/** Takes no new connection, and resolves when what was asked on the others is answered. */
export function closeNodeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    for (const socket of UNUSED.get(server) ?? []) socket.destroy()
  })
}

function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { status, detail } = BROKEN_REQUESTS[error.code ?? ''] ?? NOT_HTTP
  const title = STATUS_CODES[status] ?? ''
  // No route was reached, so the problem is of no kind of ours: RFC 9457 calls that about:blank.
  const body = JSON.stringify({ type: 'about:blank', title, status, detail, instance: '', code: 'invalid-request' })
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nConnection: close\r\nX-Request-Id: ${randomUUID()}\r\n` +
      `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}
