/** The listener under the application: its time limits, and an answer for what never becomes a request. */
import { type RequestListener, STATUS_CODES, type Server, createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { SECOND_MS } from '../../shared/time.ts'

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
  return server
}

const BROKEN_STATUS: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

function answerBroken(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = BROKEN_STATUS[error.code ?? ''] ?? 400
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
}
