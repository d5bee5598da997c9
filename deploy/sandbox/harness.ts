/**
 * What every simulated operator shares: a server on loopback that puts rate limit, faults and latency in front of the
 * operator's own answers, keeps its records on disk, and has the control endpoints under `/_sandbox/`.
 *
 * An operator keeps plain records with instants and derives every state from the clock when asked, so it needs no timers,
 * follows a shifted clock, and resumes exactly after the sandbox was killed.
 */
import { createServer } from 'node:http'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { bestDay } from './behaviour.ts'
import type { Behaviour } from './behaviour.ts'
import { answerControl, CONTROL_PREFIX } from './control.ts'
import type { Control } from './control.ts'
import { deliver, send } from './delivery.ts'
import { planFaults } from './faults.ts'
import type { FaultPlan } from './faults.ts'
import { openLedger } from './ledger.ts'
import type { Ledger, LedgerView } from './ledger.ts'
import { rateLimit } from './rate.ts'
import { openStore } from './store.ts'
import type { Store } from './store.ts'

export interface SandboxOptions {
  /** Where records live; null keeps them in memory. */
  readonly dir: string | null
  /** A node's way from accepted to ready; its other delays scale with it. */
  readonly bootMs: number
  /** Before every answer. */
  readonly latencyMs: number
  /** Calls per second and operator, and as many at once. */
  readonly ratePerSecond: number
}

export interface SandboxRequest {
  readonly method: string
  /** Path and query exactly as transmitted. */
  readonly target: string
  /** The target without its query, still percent-encoded. */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** How the client addresses this operator, without a slash at the end. */
  readonly baseUrl: string
}

export interface SandboxResponse {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A text or bytes as they are; an object as JSON. */
  readonly body?: string | Buffer | object
}

/** One simulated operator, as naver.ts, nhn.ts and kakao.ts make it. */
export interface Operator {
  /** Answers one request that passed rate limit, faults and latency; unknown paths get the operator's own 404. */
  handle(request: SandboxRequest): SandboxResponse | Promise<SandboxResponse>
  /** The operator's own answer to too many calls. */
  throttled(request: SandboxRequest): SandboxResponse
  /** After all records were cleared: puts back what is there from the start. */
  reset?(): void
  /** A node that was up is in the operator's failed state from now on. @returns whether there is such a node */
  breakNode?(id: string): boolean
}

export interface OperatorContext {
  /** Epoch ms on the sandbox's clock, which `PUT /_sandbox/clock` can shift. */
  readonly now: () => number
  /** Changed in place by `PUT /_sandbox/behaviour`: read it at each use. */
  readonly behaviour: Behaviour
  readonly store: Store
  readonly ledger: Ledger
  /** Accepted to ready. */
  readonly bootMs: () => number
  /** Deletion asked to gone. */
  readonly stopMs: () => number
  /** An interconnect group asked to changed. */
  readonly fabricMs: () => number
  /** Whether what was made then has surfaced in lists and detail by now. */
  readonly visible: (createdAtMs: number) => boolean
  /** Nodes that could still be built; null where stock is unlimited. */
  readonly freeNodes: () => number | null
}

export interface RunningOperator {
  /** Without a slash at the end. */
  readonly url: string
  readonly port: number
  close(): Promise<void>
}

export interface OperatorSetup {
  /** Names its records on disk. */
  readonly name: string
  create(context: OperatorContext): Operator
}

const HOST = '127.0.0.1'
const MAX_BODY_BYTES = 4 * 1024 * 1024
/** Parts of `bootMs` that a node's other delays take by default. */
const STOP_PART = 0.25
const FABRIC_PART = 0.5

/** Starts one operator on loopback. @param options.port 0 takes any free one */
export async function startOperator(
  setup: OperatorSetup,
  options: SandboxOptions & { readonly port: number },
): Promise<RunningOperator> {
  const store = openStore(options.dir === null ? null : join(options.dir, `${setup.name}.jsonl`))
  const host = openHost(store, options, () => operator)
  const operator: Operator = setup.create(host.context)
  const sockets = new Set<Socket>()
  const server = createServer((incoming, outgoing) => {
    serve({ incoming, outgoing, operator, host, options }).catch((error: unknown) => {
      console.error(`sandbox ${setup.name}: a request was not answered`, error)
      incoming.socket.destroy()
    })
  })
  server.keepAliveTimeout = 65_000
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, HOST, resolve)
  })
  const { port } = server.address() as AddressInfo // listening on TCP
  return {
    url: `http://${HOST}:${port}`,
    port,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      // Black holes and slow drips would otherwise keep it open.
      for (const socket of sockets) socket.destroy()
      await closed
      store.close()
    },
  }
}

interface Host extends Control {
  readonly context: OperatorContext
  readonly faults: FaultPlan
  takeCall(): boolean
}

/** @param operatorOf asked later than now: the operator is made with what this returns */
function openHost(store: Store, options: SandboxOptions, operatorOf: () => Operator): Host {
  const behaviour = bestDay()
  const faults = planFaults()
  const ledger = openLedger(store)
  const clock = store.table<number>('clock')
  const now = (): number => Date.now() + (clock.get('offsetMs') ?? 0)
  const bootMs = (): number => behaviour.bootMs ?? options.bootMs
  let stock: number | null = null
  const takeCall = rateLimit(() => behaviour.ratePerSecond ?? options.ratePerSecond)
  const context: OperatorContext = {
    now,
    behaviour,
    store,
    ledger,
    bootMs,
    stopMs: () => behaviour.stopMs ?? bootMs() * STOP_PART,
    fabricMs: () => behaviour.fabricMs ?? bootMs() * FABRIC_PART,
    visible: (createdAtMs) => now() - createdAtMs >= behaviour.listLagMs,
    freeNodes: () => (stock === null ? null : Math.max(0, stock - ledger.nodesOnHardware(now()))),
  }
  return {
    context,
    faults,
    behaviour,
    takeCall,
    ledgerView: (): LedgerView => ledger.view(now()),
    clockOffsetMs: () => clock.get('offsetMs') ?? 0,
    setClockOffset: (offsetMs) => clock.set('offsetMs', offsetMs),
    stockChanged() {
      stock = behaviour.freeNodes === null ? null : behaviour.freeNodes + ledger.nodesOnHardware(now())
    },
    clearRecords() {
      store.clear()
      operatorOf().reset?.()
      store.flush()
    },
    breakNode(id) {
      const isThere = operatorOf().breakNode?.(id) ?? false
      store.flush()
      return isThere
    },
    flush: () => store.flush(),
  }
}

interface Exchange {
  readonly incoming: IncomingMessage
  readonly outgoing: ServerResponse
  readonly operator: Operator
  readonly host: Host
  readonly options: SandboxOptions
}

async function serve({ incoming, outgoing, operator, host, options }: Exchange): Promise<void> {
  const request = await readRequest(incoming)
  if (request === null) return
  if (request.path.startsWith(CONTROL_PREFIX)) {
    send(outgoing, answerControl(request, host))
    return
  }
  outgoing.setHeader('Date', new Date(host.context.now()).toUTCString()) // of its own clock, as everything that it says
  if (!host.takeCall()) {
    send(outgoing, operator.throttled(request))
    return
  }
  const fault = host.faults.strike(request.method, request.path)
  if (options.latencyMs > 0) await pause(options.latencyMs)
  await deliver(outgoing, fault, async () => {
    const response = await operator.handle(request)
    host.flush()
    return response
  })
}

/** Null when the client left, or sent more than any operator takes: its connection is closed. */
async function readRequest(incoming: IncomingMessage): Promise<SandboxRequest | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > MAX_BODY_BYTES) {
        incoming.socket.destroy()
        return null
      }
      chunks.push(chunk)
    }
  } catch {
    return null
  }
  const target = incoming.url ?? '/'
  const mark = target.indexOf('?')
  return {
    method: incoming.method ?? 'GET',
    target,
    path: mark === -1 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1)),
    headers: incoming.headers,
    body: Buffer.concat(chunks),
    baseUrl: `http://${incoming.headers.host ?? HOST}`,
  }
}
