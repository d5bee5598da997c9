/**
 * What happens, told to whoever wants to know: a thousand readers of the stream, and endpoints that are sent each event. How
 * long from the commit to the reader; beside a bare server that writes the same to as many, and bare signed POSTs.
 */
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Delivery, Webhook } from '../../shared/webhook.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { tokenFor } from '../support/api-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { type Load, loadOf } from './load.ts'
import { type Line, putApproval, rssMbOf, type Served, startFloor, tableOf } from './processes.ts'

const READERS = 1_000
const EVENTS = 100
const ENDPOINTS = 20
const PER_ENDPOINT = 100
const GIVE_UP_MS = 120_000
const TIME = /"time":"([^"]+)"/g

const lines: Line[] = []
const say = (text: string): void => void process.stderr.write(`${text}\n`)

interface Counted {
  readonly load: Load
  /** Of those that were waited for; 0 when all came in time. */
  readonly missing: number
}

/** Counts events as they come and how old each is then; what has not come in time is told, and not waited for any more. */
function counter(wanted: number) {
  const lagsMs: number[] = []
  const { promise, resolve } = Promise.withResolvers<void>()
  const beganAt = performance.now()
  return {
    /** @param text whole lines */
    see(text: string): void {
      for (const [, time = ''] of text.matchAll(TIME)) lagsMs.push(Date.now() - Date.parse(time))
      if (lagsMs.length >= wanted) resolve()
    },
    async all(): Promise<Counted> {
      const timer = setTimeout(resolve, GIVE_UP_MS)
      await promise
      clearTimeout(timer)
      const load = loadOf(lagsMs, { elapsedMs: performance.now() - beganAt })
      return { load, missing: Math.max(0, wanted - lagsMs.length) }
    },
  }
}

/** A row that is not whole says so, and the benchmark has not ended well. */
function note(what: string, { load: got, missing }: Counted, rest: Omit<Line, 'what' | 'load'>): void {
  if (missing > 0) process.exitCode = 1
  lines.push({ what: missing === 0 ? what : `${what}: ${missing} DID NOT COME in time`, load: got, ...rest })
}

async function openReaders(server: Served, see: (text: string) => void): Promise<Agent> {
  const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY })
  const headers = { authorization: `Bearer ${token}`, accept: 'text/event-stream' }
  const open = async (): Promise<void> => {
    const sent = httpRequest(`${server.url}/v1/events?after=latest`, { agent, headers }).end()
    const [response] = (await once(sent, 'response')) as [NodeJS.ReadableStream]
    let rest = ''
    response
      .setEncoding('utf8')
      .on('data', (part: string) => {
        const text = rest + part
        const cut = text.lastIndexOf('\n') + 1
        see(text.slice(0, cut))
        rest = text.slice(cut)
      })
      .on('error', () => undefined) // it is cut off at the end
  }
  for (let opened = 0; opened < READERS; opened += 50) await Promise.all(Array.from({ length: 50 }, open))
  return agent
}

async function makeEvents(server: Served, count: number): Promise<void> {
  for (let nth = 0; nth < count; nth += 1) await putApproval(server, token, `apr-${process.hrtime.bigint()}`)
}

async function fanOut(server: Served, what: string, floor: Load | null, bar = ''): Promise<Load> {
  say(`${what} …`)
  let see = (_text: string): void => undefined
  const agent = await openReaders(server, (text) => see(text))
  const counted = counter(READERS * EVENTS)
  see = counted.see
  await makeEvents(server, EVENTS)
  const got = await counted.all()
  note(what, got, { floor, rssMb: await rssMbOf(server), bar })
  agent.destroy()
  return got.load
}

async function startEndpoint(see: (text: string) => void) {
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (part: string) => (text += part))
    request.on('end', () => {
      see(text)
      response.writeHead(204).end()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() } // it listens on TCP
}

async function call<T>(server: Served, path: string, body?: object): Promise<T> {
  const answer = await fetch(`${server.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(await answer.text())
  return (await answer.json()) as T // of the API's own shape
}

/** What the log of deliveries says of those that have not arrived: one that failed is tried again after minutes. */
async function failedDeliveries(server: Served, ids: readonly string[]): Promise<string> {
  const counts = new Map<string, number>()
  for (const id of ids) {
    const { items } = await call<{ items: Delivery[] }>(server, `/v1/webhooks/${id}/deliveries?limit=500`)
    for (const { status, attempts, error } of items) {
      const kind = `${status} after ${attempts}, ${error ?? 'no error'}`
      if (status !== 'delivered') counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
  }
  return [...counts].map(([kind, count]) => `${count} × ${kind}`).join('; ') || 'none failed'
}

async function webhooks(server: Served, what: string, floor: Load | null): Promise<Load> {
  say(`${what} …`)
  const counted = counter(ENDPOINTS * PER_ENDPOINT)
  const endpoint = await startEndpoint(counted.see)
  const ids: string[] = []
  if (floor === null) {
    await call(server, '/floor/webhooks', { url: endpoint.url, endpoints: ENDPOINTS, events: PER_ENDPOINT })
  } else {
    while (ids.length < ENDPOINTS) ids.push((await call<Webhook>(server, '/v1/webhooks', { url: endpoint.url })).id)
    await makeEvents(server, PER_ENDPOINT)
  }
  const got = await counted.all()
  note(what, got, { floor, rssMb: await rssMbOf(server), bar: '' })
  if (got.missing > 0) say(`of the deliveries: ${await failedDeliveries(server, ids)}`)
  endpoint.close()
  return got.load
}

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const token = await tokenFor(sandbox.identityUrl, 'platform')
const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))
const common = { ...files.env, RATE_LIMIT_PER_SECOND: '100000', WEBHOOK_ALLOW_PRIVATE: 'true' }

try {
  const floorServer = await startFloor({ ...common, DATA_DIR: join(folder, 'floor') })
  const bareStream = await fanOut(floorServer, `bare: ${READERS} readers`, null)
  const barePosts = await webhooks(floorServer, `bare: ${ENDPOINTS} endpoints`, null)
  floorServer.stop()
  for (const name of ['PostgreSQL', 'PGlite']) {
    const url = name === 'PGlite' ? {} : { DATABASE_URL: (await postgres.createDatabase()).url }
    const broker = await startBrokerProcess({ ...common, ...url, DATA_DIR: join(folder, name) })
    await fanOut(broker, `${name}: events to ${READERS} readers`, bareStream)
    await webhooks(broker, `${name}: events to ${ENDPOINTS} endpoints`, barePosts)
    await broker.terminate()
  }
} finally {
  process.stdout.write(`per second: events handed over; ms: from the commit until then\n${tableOf(lines)}`)
  await postgres.stop()
  await sandbox.close()
  await files.remove()
  await rm(folder, { recursive: true, force: true })
}
