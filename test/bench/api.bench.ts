/**
 * The API, whole, over sockets: a broker in a process of its own, on PostgreSQL and on PGlite, asked over 32 connections.
 * Creating is held against a bare express route in the same run, with the same token check and one INSERT.
 */
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { sql } from 'kysely'
import { table } from '../../broker/cli/screen/table.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { tokenFor } from '../support/api-client.ts'
import { openAt } from '../support/database.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { type Ask, type Load, load } from './load.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? '10')
const CONNECTIONS = 32
const ROWS = 100_000
const APPROVAL = 'apr-bench'

interface Line {
  readonly what: string
  readonly load: Load
  readonly floor: Load | null
  readonly rssMb: number
  readonly bar: string
}

const lines: Line[] = []
const say = (text: string): void => void process.stderr.write(`${text}\n`)

async function rssMbOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1_024)
}

/** Small ones at many different times to come, so that each is placed, and nothing is built meanwhile. */
function create(nth: number): Ask {
  const start = Date.now() + 30 * DAY_MS + ((nth * 7) % 20_000) * HOUR_MS
  const period = { start: toIso(start), end: toIso(start + 2 * HOUR_MS) }
  const body = JSON.stringify({ approvalId: APPROVAL, name: `bench-${nth}`, demand: { nodes: 1 }, period })
  return { method: 'POST', path: '/v1/allocations', body }
}

const preview = (nth: number): Ask => {
  const { body = '{}' } = create(nth)
  const { demand, period } = JSON.parse(body) as { demand: object; period: object } // just written
  return { method: 'POST', path: '/v1/placements/preview', body: JSON.stringify({ demand, period }) }
}

async function put(url: string, token: string): Promise<void> {
  const answer = await fetch(`${url}/v1/approvals/${APPROVAL}`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      organizationId: 'bench',
      program: 'bench',
      priority: 'standard',
      limits: {
        maxNodes: 100_000,
        gpuHours: 1e9,
        architectures: ['blackwell', 'hopper'],
        validFrom: toIso(Date.now() - DAY_MS),
        validTo: toIso(Date.now() + 1_090 * DAY_MS),
      },
    }),
  })
  if (!answer.ok) throw new Error(await answer.text())
}

async function startFloor(env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [new URL('floor-server.ts', import.meta.url).pathname], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => resolve((JSON.parse(line) as { url: string }).url))
    child.once('exit', (status) => reject(new Error(`the floor ended with ${status}`)))
  })
  return { url, pid: child.pid ?? 0, stop: () => child.kill('SIGTERM') }
}

/** Copies of one that was created, so that lists have a hundred thousand rows to go through. */
async function fill(place: { readonly url: string | null; readonly folder: string }): Promise<void> {
  const database = await openAt(place)
  const columns = await sql<{ name: string }>`select column_name as name from information_schema.columns
    where table_name = 'allocations' and column_name not in ('id', 'sequence', 'status', 'next_look_at')`.execute(
    database.queries,
  )
  const rest = sql.join(columns.rows.map(({ name }) => sql.ref(name)))
  await database.transaction(async (trx) => {
    await sql`insert into allocations (id, sequence, status, next_look_at, ${rest})
      select 'alc_' || lpad(translate(nth::text, '0189', 'abcd'), 16, 'z'), 1000000 + nth, 'released', null, ${rest}
      from (select * from allocations order by sequence limit 1) as one, generate_series(1, ${ROWS}::int) as nth`.execute(
      trx,
    )
  })
  await sql`analyze`.execute(database.queries)
  await database.close()
}

const statusesOf = ({ statuses }: Load): string =>
  [...statuses].map(([status, count]) => `${status}×${count}`).join(' ')

function print(): void {
  process.stdout.write(
    table<Line>(
      [
        { head: '', value: (line) => line.what },
        { head: 'per second', align: 'right', value: (line) => line.load.perSecond.toFixed(0) },
        { head: 'p50 ms', align: 'right', value: (line) => line.load.p50Ms.toFixed(1) },
        { head: 'p99 ms', align: 'right', value: (line) => line.load.p99Ms.toFixed(1) },
        {
          head: '× floor',
          align: 'right',
          value: ({ load: got, floor }) => (floor === null ? '' : (got.perSecond / floor.perSecond).toFixed(2)),
        },
        { head: 'RSS MB', align: 'right', value: (line) => String(line.rssMb) },
        { head: 'answers', value: (line) => statusesOf(line.load) },
        { head: 'bar', value: (line) => line.bar },
      ],
      lines,
    ),
  )
}

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const token = await tokenFor(sandbox.identityUrl, 'platform')
const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))
const common = { ...files.env, LOG_LEVEL: 'info', RATE_LIMIT_PER_SECOND: '100000', DATA_DIR: join(folder, 'data') }

async function measure(
  name: string,
  place: { readonly url: string | null; readonly folder: string },
  floor: Load | null,
) {
  const env = place.url === null ? common : { ...common, DATABASE_URL: place.url }
  let broker = await startBrokerProcess(env)
  const run = async (what: string, ask: (nth: number) => Ask, bar: string, against: Load | null = null) => {
    say(`${name}: ${what} …`)
    const asked = { url: broker.url, token, connections: CONNECTIONS, ask }
    const got = await load({ ...asked, seconds: SECONDS })
    lines.push({ what: `${name}: ${what}`, load: got, floor: against, rssMb: await rssMbOf(broker.pid), bar })
  }
  await put(broker.url, token)
  await load({ url: broker.url, token, connections: CONNECTIONS, seconds: 2, ask: create }) // warm
  await run('create', create, '≥ 1 × floor, p99 ≤ 50 ms', floor)
  await run('preview', preview, '')
  const listed = await fetch(`${broker.url}/v1/allocations?limit=50`, { headers: { authorization: `Bearer ${token}` } })
  const ids = ((await listed.json()) as { items: { id: string }[] }).items.map(({ id }) => id)
  await broker.terminate()
  await fill(place)
  broker = await startBrokerProcess(env)
  await run('get', (nth) => ({ method: 'GET', path: `/v1/allocations/${ids[nth % ids.length] ?? ''}` }), 'p99 ≤ 50 ms')
  const list = (query: string) => (): Ask => ({ method: 'GET', path: `/v1/allocations?limit=50${query}` })
  await run(`list of ${ROWS}`, list(''), 'p99 ≤ 50 ms')
  await run('list, by status', list('&status=released'), 'p99 ≤ 50 ms')
  await run('list, by organisation and label', list('&organizationId=bench&label=task:none'), 'p99 ≤ 50 ms')
  await broker.terminate()
}

try {
  const database = await postgres.createDatabase()
  const floorServer = await startFloor({ ...files.env, DATABASE_URL: database.url })
  const ask = { url: floorServer.url, token, connections: CONNECTIONS, ask: create }
  await load({ ...ask, seconds: 2 })
  say('floor …')
  const floor = await load({ ...ask, seconds: SECONDS })
  const what = 'bare express, token check, one INSERT'
  lines.push({ what, load: floor, floor: null, rssMb: await rssMbOf(floorServer.pid), bar: '' })
  floorServer.stop()
  await measure('PostgreSQL', { url: (await postgres.createDatabase()).url, folder: '' }, floor)
  await measure('PGlite', { url: null, folder: join(folder, 'data') }, null)
  print()
} finally {
  await postgres.stop()
  await sandbox.close()
  await files.remove()
  await rm(folder, { recursive: true, force: true })
}
