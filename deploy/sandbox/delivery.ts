/** How an answer reaches the client, or does not: an operator's response put on the wire, with the fault that strikes it. */
import type { ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import type { Fault } from './faults.ts'
import type { SandboxResponse } from './harness.ts'

const DEFAULT_DELAY_MS = 1_000
/** A slow drip sends the body in at most so many pieces. */
const DRIPS = 100
const UNREADABLE = '{"truncated": ['

/** @param act does what was asked and gives the operator's answer; called at most once */
export async function deliver(
  outgoing: ServerResponse,
  fault: Fault | null,
  act: () => Promise<SandboxResponse>,
): Promise<void> {
  if (fault === null) return send(outgoing, await act())
  const delayMs = fault.delayMs ?? DEFAULT_DELAY_MS
  switch (fault.effect) {
    case 'drop-before':
      outgoing.socket?.destroy()
      return
    case 'drop-after':
      await act()
      outgoing.socket?.destroy()
      return
    case 'reset-before':
      outgoing.socket?.resetAndDestroy()
      return
    case 'reset-after':
      await act()
      outgoing.socket?.resetAndDestroy()
      return
    case 'black-hole':
      return
    case 'delay':
      await pause(delayMs)
      return send(outgoing, await act())
    case 'slow-drip':
      return drip(outgoing, await act(), delayMs)
    case 'status':
      return send(outgoing, { status: fault.status ?? 503, body: bodyOf(fault) ?? '', headers: fault.headers ?? {} })
    case 'malformed': {
      const { headers = {} } = await act()
      return send(outgoing, {
        status: 200,
        body: bodyOf(fault) ?? UNREADABLE,
        headers: { 'content-type': 'application/json', ...headers },
      })
    }
  }
}

export function send(outgoing: ServerResponse, response: SandboxResponse): void {
  if (outgoing.destroyed) return
  const { bytes, headers } = onTheWire(response)
  outgoing.writeHead(response.status, { ...headers, 'content-length': String(bytes.length) })
  outgoing.end(bytes)
}

async function drip(outgoing: ServerResponse, response: SandboxResponse, overMs: number): Promise<void> {
  const { bytes, headers } = onTheWire(response)
  const piece = Math.max(1, Math.ceil(bytes.length / DRIPS))
  const pieces = Math.ceil(bytes.length / piece)
  outgoing.writeHead(response.status, { ...headers, 'content-length': String(bytes.length) })
  outgoing.flushHeaders()
  for (let at = 0; at < bytes.length && !outgoing.destroyed; at += piece) {
    await pause(overMs / pieces)
    outgoing.write(bytes.subarray(at, at + piece))
  }
  outgoing.end()
}

function onTheWire({ body = '', headers = {} }: SandboxResponse): { bytes: Buffer; headers: Record<string, string> } {
  if (typeof body === 'string') return { bytes: Buffer.from(body), headers: { ...headers } }
  if (Buffer.isBuffer(body)) return { bytes: body, headers: { ...headers } }
  return { bytes: Buffer.from(JSON.stringify(body)), headers: { 'content-type': 'application/json', ...headers } }
}

function bodyOf({ body }: Fault): string | object | undefined {
  if (body === undefined || typeof body === 'string') return body
  return typeof body === 'object' && body !== null ? body : JSON.stringify(body)
}
