/**
 * Whether anybody waits behind the plans of ten thousand who wait: a broker in a process of its own, on PostgreSQL and on
 * PGlite, asked at a steady pace while nobody is planned again, and while everybody is, one plan after another. The floor
 * of each is the same while nobody is.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { reservationsOn } from '../../broker/core/calendar-reads.ts'
import { readHead } from '../../broker/store/head.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { type BrokerProcess, brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { tokenFor } from '../support/api-client.ts'
import { openAt } from '../support/database.ts'
import { freePort } from '../support/free-port.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { calendarWith, fillLine } from './full-calendar.ts'
import { type Ask, flood, type Load } from './load.ts'
import { type Line, rssMbOf, type Served, tableOf } from './processes.ts'
import { storeLine } from './store-line.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? '20')
const LIVE = 2_000
const WAITING = 10_000
const PER_SECOND = 20
/** The first plan after a start. */
const SETTLES_MS = 5_000
const BAR = 'p99 ≤ 50 ms'

interface Place {
  readonly url: string | null
  readonly folder: string
}

const lines: Line[] = []
const lags: string[] = []
const started: BrokerProcess[] = []
const say = (text: string): void => void process.stderr.write(`${text}\n`)

const create = ({ nodes, period }: { readonly nodes: number; readonly period: object }): Ask => ({
  method: 'POST',
  path: '/v1/allocations',
  body: JSON.stringify({ approvalId: 'apr-0', name: 'bench', demand: { nodes }, period }),
})

let asked = 0
/** Small ones at many different times to come, so that each is placed, and nobody is planned again for it. */
function placed(): Ask {
  asked += 1
  const start = Date.now() + 400 * DAY_MS + ((asked * 7) % 5_000) * HOUR_MS
  return create({ nodes: 1, period: { start: toIso(start), end: toIso(start + 2 * HOUR_MS) } })
}

/** It waits, and everybody is planned again a second later. */
const inLine = (): Ask => create({ nodes: 4 + (asked++ % 8), period: { durationHours: 72 } })
const get = (path: string) => (): Ask => ({ method: 'GET', path })

interface Stream {
  readonly what: string
  readonly perSecond: number
  readonly ask: () => Ask
}
const CREATES: Stream = { what: 'create', perSecond: PER_SECOND, ask: placed }
const READS: Stream = { what: 'read', perSecond: PER_SECOND, ask: get('/v1/clusters') }
const LIST_50: Stream = { what: 'list of 50', perSecond: 4, ask: get('/v1/waitlist') }
const LIST_500: Stream = { what: 'list of 500', perSecond: 1, ask: get('/v1/waitlist?limit=500') }

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const token = await tokenFor(sandbox.identityUrl, 'platform')
const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))

/** @returns ids of those that run, the largest first */
async function fill(place: Place): Promise<readonly string[]> {
  const database = await openAt(place)
  const now = Date.now()
  const { catalogue } = await readHead(database.queries)
  const calendar = calendarWith(LIVE, { now, clusters: catalogue })
  fillLine(calendar, WAITING, { from: LIVE, now })
  await storeLine(database, calendar, now)
  await sql`analyze`.execute(database.queries)
  await database.close()
  return calendar.listed
    .flatMap(({ cluster }) => reservationsOn(calendar, cluster.id))
    .filter(({ start, phase }) => start <= now && phase !== 'planned')
    .toSorted((a, b) => b.nodes * (b.end - now) - a.nodes * (a.end - now))
    .map(({ allocationId }) => allocationId)
}

/** Each of several streams at its pace, all at once. @returns by stream */
async function together(
  server: Served & { readonly metricsUrl: string },
  what: string,
  streams: readonly Stream[],
  floors: ReadonlyMap<string, Load> = new Map(),
): Promise<ReadonlyMap<string, Load>> {
  say(`${what} …`)
  await lagOf(server) // from here on
  const found = new Map<string, Load>()
  await Promise.all(
    streams.map(async ({ what: stream, perSecond, ask }) => {
      const { taken } = await flood({ url: server.url, token, perSecond, seconds: SECONDS, ask })
      found.set(stream, taken)
    }),
  )
  lags.push(`${what}: the event loop lags by ${await lagOf(server)} in 99 of 100\n`)
  const rssMb = await rssMbOf(server)
  for (const [stream, load] of found)
    lines.push({ what: `${what}: ${stream}`, load, floor: floors.get(stream) ?? null, rssMb, bar: BAR })
  return found
}

async function lagOf({ metricsUrl }: { readonly metricsUrl: string }): Promise<string> {
  const text = await (await fetch(metricsUrl)).text()
  const [, seconds] = /event_loop_lag_seconds\{[^}]*percentile="99"[^}]*\} (\S+)/.exec(text) ?? []
  return `${(Number(seconds) * 1_000).toFixed(1)} ms`
}

async function measure(name: string): Promise<void> {
  const dir = await mkdtemp(join(folder, 'data-'))
  const place = { url: name === 'PGlite' ? null : (await postgres.createDatabase()).url, folder: dir }
  const metricsPort = await freePort()
  const env = {
    ...files.env,
    ...(place.url !== null && { DATABASE_URL: place.url }),
    ...{ DATA_DIR: dir, METRICS_PORT: String(metricsPort) },
    ...{ RATE_LIMIT_PER_SECOND: '100000', SWEEP_INTERVAL_SECONDS: '86400' },
  }
  await (await startBrokerProcess(env)).terminate() // installs it
  say(`${name}: ${WAITING} take their place in line …`)
  const running = (await fill(place)).values()
  const releaseOne = (): Ask => ({
    method: 'POST',
    path: `/v1/allocations/${running.next().value ?? 'none'}/release`,
  })
  const releases: Stream = { what: 'release', perSecond: 1, ask: releaseOne }
  const child = await startBrokerProcess(env, say)
  started.push(child)
  const broker = { ...child, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` }
  await new Promise((resolve) => setTimeout(resolve, SETTLES_MS))
  const quiet = await together(broker, `${name}, nobody is planned again`, [CREATES, READS])
  await together(broker, `${name}, a release each second`, [CREATES, READS, releases], quiet)
  const waits: Stream = { what: 'create, waits', perSecond: 2, ask: inLine }
  await together(broker, `${name}, two more wait each second`, [CREATES, READS, waits], quiet)
  const many: Stream = { ...CREATES, what: 'many creates', perSecond: 5 * PER_SECOND }
  await together(broker, `${name}, a release each second`, [many, READS, releases], quiet)
  await together(broker, `${name}, lists`, [CREATES, READS, LIST_50], quiet)
  await together(broker, `${name}, long lists`, [CREATES, READS, LIST_500], quiet)
  await broker.terminate()
}

try {
  for (const name of (process.env['BENCH_STORES'] ?? 'PostgreSQL,PGlite').split(',')) await measure(name)
} finally {
  process.stdout.write(`${tableOf(lines)}${lags.join('')}`)
  for (const broker of started) await broker.kill()
  await postgres.stop()
  await sandbox.close()
  await files.remove()
  await rm(folder, { recursive: true, force: true })
}
