/**
 * A load of so many connections, each asking again as soon as it is answered, or of so many requests each second; and what
 * came of it.
 */
import { Agent, request as httpRequest } from 'node:http'

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

/** So many each second, whether or not those before are answered. */
export async function flood(options: FloodOptions): Promise<{ readonly taken: Load; readonly turnedAway: Load }> {
  const { url, token, seconds, ask, perSecond } = options
  const agent = new Agent({ keepAlive: true, maxSockets: 2_000 })
  const send = sender({ agent, url, token })
  const spent = { taken: [] as number[], turnedAway: [] as number[] }
  const statuses = { taken: new Map<number, number>(), turnedAway: new Map<number, number>() }
  const startedAt = performance.now()
  const one = async (nth: number): Promise<void> => {
    const askedAt = performance.now()
    const status = await send(ask(nth))
    const which = status === UNAVAILABLE ? 'turnedAway' : 'taken'
    spent[which].push(performance.now() - askedAt)
    statuses[which].set(status, (statuses[which].get(status) ?? 0) + 1)
  }
  const sent: Promise<void>[] = []
  while (performance.now() - startedAt < seconds * 1_000) {
    const due = ((performance.now() - startedAt) / 1_000) * perSecond
    while (sent.length < due) sent.push(one(sent.length))
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  await Promise.all(sent)
  agent.destroy()
  const elapsedMs = performance.now() - startedAt
  return {
    taken: loadOf(spent.taken, { elapsedMs, statuses: statuses.taken }),
    turnedAway: loadOf(spent.turnedAway, { elapsedMs, statuses: statuses.turnedAway }),
  }
}

const UNAVAILABLE = 503

interface Target {
  readonly agent: Agent
  readonly url: string
  readonly token: string
}

/** @returns status, once all of the answer is there */
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
      const sent = httpRequest({ agent, hostname, port, method, path, headers }, (response) => {
        response.resume()
        response.on('end', () => resolve(response.statusCode ?? 0))
      })
      sent.on('error', reject)
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
  return { perSecond: (spentMs.length / elapsedMs) * 1_000, p50Ms: at(0.5), p99Ms: at(0.99), statuses }
}
