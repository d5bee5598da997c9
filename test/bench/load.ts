/** A load of so many connections, each asking again as soon as it is answered, for a time; and what came of it. */
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
  const { hostname, port } = new URL(url)
  const spent: number[] = []
  const statuses = new Map<number, number>()
  let nth = 0
  const startedAt = performance.now()
  const endAt = startedAt + seconds * 1_000
  const once = ({ method, path, body }: Ask): Promise<number> =>
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
  const connection = async (): Promise<void> => {
    while (performance.now() < endAt) {
      const askedAt = performance.now()
      const status = await once(ask(nth++))
      spent.push(performance.now() - askedAt)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: connections }, connection))
  agent.destroy()
  const sorted = spent.toSorted((a, b) => a - b)
  const at = (share: number): number => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0
  return {
    perSecond: (spent.length / (performance.now() - startedAt)) * 1_000,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    statuses,
  }
}
