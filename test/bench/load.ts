/**
 * A load of so many connections, each asking again as soon as it is answered, or of so many requests each second; and what
 * came of it.
 */
import { Agent, request as httpRequest } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Ask {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: string
}

export interface LoadOptions {
  readonly url: string
  readonly token: string
  readonly connections: number
  readonly seconds: number
  /** Handed 0, 1, 2, … */
  readonly ask: (nth: number) => Ask
}

export interface Load {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly worstMs: number
  /** Status → how many answers had it. */
  readonly statuses: ReadonlyMap<number, number>
}

export async function load({ url, token, connections, seconds, ask }: LoadOptions): Promise<Load> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const spent: number[] = []
  const statuses = new Map<number, number>()
  const send = sender({ agent, url, token })
  let nth = 0
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1_000
  const connection = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const askedAt = performance.now()
      const status = await send(ask(nth++))
      spent.push(performance.now() - askedAt)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
  agent.destroy()
  return loadOf(spent, { elapsedMs: performance.now() - startedAt, statuses })
}

export interface FloodOptions extends Omit<LoadOptions, 'connections'> {
  readonly perSecond: number
}

export interface Flooded {
  readonly taken: Load
  readonly turnedAway: Load
  /** How late whoever asks was himself, because he has the machine to share with whom he asks: it is in both. */
  readonly lagP99Ms: number
}

/**
 * Open before it begins, as those of a load balancer are: Node takes one new connection in each turn of its loop, and with
 * all of them new it would be that which is measured. More are opened when all are busy.
 */
const OPEN_CONNECTIONS = 256
const MAX_CONNECTIONS = 2_000

/** So many each second, whether or not those before are answered. */
export async function flood(options: FloodOptions): Promise<Flooded> {
  const { url, token, seconds, ask, perSecond } = options
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, maxFreeSockets: MAX_CONNECTIONS })
  const send = sender({ agent, url, token })
  await Promise.all(Array.from({ length: OPEN_CONNECTIONS }, () => send({ method: 'GET', path: '/livez' })))
  const spent = { taken: [] as number[], turnedAway: [] as number[] }
  const statuses = { taken: new Map<number, number>(), turnedAway: new Map<number, number>() }
  const lag = monitorEventLoopDelay({ resolution: 1 })
  lag.enable()
  const startedAt = performance.now()
  const one = async (nth: number): Promise<void> => {
    const askedAt = performance.now()
    const status = await send(ask(nth)).catch(() => CUT_OFF)
    const which = status === UNAVAILABLE ? 'turnedAway' : 'taken'
    if (status !== CUT_OFF) spent[which].push(performance.now() - askedAt)
    statuses[which].set(status, (statuses[which].get(status) ?? 0) + 1)
  }
  const sent: Promise<void>[] = []
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    while (sent.length < due) {
      const each = one(sent.length)
      each.catch(() => undefined) // it fails the whole below, once all were sent
      sent.push(each)
    }
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await Promise.all(sent)
  lag.disable()
  agent.destroy()
  const elapsedMs = performance.now() - startedAt
  return {
    taken: loadOf(spent.taken, { elapsedMs, statuses: statuses.taken }),
    turnedAway: loadOf(spent.turnedAway, { elapsedMs, statuses: statuses.turnedAway }),
    lagP99Ms: lag.percentile(99) / 1e6,
  }
}

const UNAVAILABLE = 503
/** In the place of a status: no answer came. */
const CUT_OFF = 0
const ANSWER_WITHIN_MS = 30_000

interface Target {
  readonly agent: Agent
  readonly url: string
  readonly token: string
}

/** @returns status, once all of the answer is there; fails when it was cut off or did not come in time */
function sender({ agent, url, token }: Target): (ask: Ask) => Promise<number> {
  const { hostname, port } = new URL(url)
  return ({ method, path, body }) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      }
      const options = { agent, hostname, port, method, path, headers, timeout: ANSWER_WITHIN_MS }
      const sent = httpRequest(options, (response) => {
        response.on('error', reject).resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      })
      sent.on('error', reject)
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.end(body)
    })
}

/** @param spentMs of each, in any order */
export function loadOf(
  spentMs: readonly number[],
  { elapsedMs, statuses = new Map() }: { readonly elapsedMs: number; readonly statuses?: Load['statuses'] },
): Load {
  const sorted = spentMs.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return { perSecond: (spentMs.length / elapsedMs) * 1_000, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1), statuses }
}
