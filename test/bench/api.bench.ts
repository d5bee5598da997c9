/**
 * The API, whole, over sockets: a broker in a process of its own, on PostgreSQL and on PGlite, asked over 32 connections.
 * Each is held against a bare express route in the same run and on the same engine, with the same token check and one
 * statement; and then it is asked for twice what it could create.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { type BrokerProcess, brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { tokenFor } from '../support/api-client.ts'
import { openAt } from '../support/database.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { type Ask, flood, type Load, load } from './load.ts'
import { type Line, putApproval, rssMbOf, type Served, startFloor, tableOf } from './processes.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? '10')
/** Before each row: code that runs for the first time is compiled, and a database reads its files. */
const WARM_SECONDS = 2
const CONNECTIONS = 32
/** Connections that only ask what would be, beside those that write. */
const WHAT_IFS = 8
const ROWS = 100_000
const APPROVAL = 'apr-bench'
const IN_TIME = 'p99 ≤ 50 ms'

const lines: Line[] = []
const say = (text: string): void => void process.stderr.write(`${text}\n`)

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
const list = (query: string) => (): Ask => ({ method: 'GET', path: `/v1/allocations?limit=50${query}` })

interface Place {
  readonly url: string | null
  readonly folder: string
}

/** Copies of one that was created, so that lists have a hundred thousand rows to go through. */
async function fill(place: Place): Promise<void> {
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

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const token = await tokenFor(sandbox.identityUrl, 'platform')
const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))
const common = { ...files.env, LOG_LEVEL: 'info', RATE_LIMIT_PER_SECOND: '100000' }
const envOf = ({ url, folder: dir }: Place): Record<string, string> =>
  url === null ? { ...common, DATA_DIR: dir } : { ...common, DATA_DIR: dir, DATABASE_URL: url }
const newPlace = async (name: string): Promise<Place> => ({
  url: name === 'PGlite' ? null : (await postgres.createDatabase()).url,
  folder: await mkdtemp(join(folder, 'data-')),
})

const started: BrokerProcess[] = []

async function startBroker(place: Place): Promise<BrokerProcess> {
  const broker = await startBrokerProcess(envOf(place))
  started.push(broker)
  return broker
}

async function run(server: Served, what: string, ask: (nth: number) => Ask, bar = '', floor: Load | null = null) {
  say(`${what} …`)
  const all = { url: server.url, token, connections: CONNECTIONS, ask }
  await load({ ...all, seconds: WARM_SECONDS })
  const got = await load({ ...all, seconds: SECONDS })
  lines.push({ what, load: got, floor, rssMb: await rssMbOf(server), bar })
  return got
}

async function measureFloor(name: string) {
  const server = await startFloor(envOf(await newPlace(name)))
  const floor = {
    create: await run(server, `${name}, bare: create`, create),
    preview: await run(server, `${name}, bare: preview`, preview),
    get: await run(server, `${name}, bare: get`, () => ({ method: 'GET', path: '/v1/allocations/1' })),
    list: await run(server, `${name}, bare: list`, list('')),
  }
  server.stop()
  return floor
}

/** What it takes is answered in time; the rest is told at once that it is not taken. */
async function overload(server: Served, name: string, { perSecond }: Load): Promise<void> {
  const what = `${name}: create, asked for ${(2 * perSecond).toFixed(0)} per second`
  say(`${what} …`)
  const asked = { url: server.url, token, perSecond: 2 * perSecond, ask: create }
  await flood({ ...asked, seconds: WARM_SECONDS })
  const got = await flood({ ...asked, seconds: SECONDS })
  say(`whoever asked was late himself by ${got.lagP99Ms.toFixed(1)} ms (p99), which is in both of the rows`)
  const rssMb = await rssMbOf(server)
  lines.push({ what: `${what}, taken`, load: got.taken, floor: null, rssMb, bar: IN_TIME })
  lines.push({ what: `${what}, not taken`, load: got.turnedAway, floor: null, rssMb, bar: 'p99 ≤ 10 ms' })
}

/** What-ifs while all connections write: neither may starve the other. */
async function whatIfs(server: Served, name: string, alone: { readonly created: Load; readonly asked: Load }) {
  say(`${name}: what-ifs beside writes …`)
  const both = { url: server.url, token, seconds: SECONDS }
  const [writes, answers] = await Promise.all([
    load({ ...both, connections: CONNECTIONS, ask: create }),
    load({ ...both, connections: WHAT_IFS, ask: preview }),
  ])
  const rssMb = await rssMbOf(server)
  lines.push({ what: `${name}: create, what-ifs beside it`, load: writes, floor: alone.created, rssMb, bar: '' })
  lines.push({ what: `${name}: what-if beside full writes`, load: answers, floor: alone.asked, rssMb, bar: '' })
}

async function measure(name: string): Promise<void> {
  const floor = await measureFloor(name)
  const place = await newPlace(name)
  let broker = await startBroker(place)
  await putApproval(broker, token, APPROVAL)
  const created = await run(broker, `${name}: create`, create, `≥ 1 × floor, ${IN_TIME}`, floor.create)
  const asked = await run(broker, `${name}: preview`, preview, '', floor.preview)
  await whatIfs(broker, name, { created, asked })
  await overload(broker, name, created)
  const listed = await fetch(`${broker.url}/v1/allocations?limit=50`, { headers: { authorization: `Bearer ${token}` } })
  const ids = ((await listed.json()) as { items: { id: string }[] }).items.map(({ id }) => id)
  await broker.terminate()
  await fill(place)
  broker = await startBroker(place)
  const get = (nth: number): Ask => ({ method: 'GET', path: `/v1/allocations/${ids[nth % ids.length] ?? ''}` })
  await run(broker, `${name}: get`, get, IN_TIME, floor.get)
  await run(broker, `${name}: list of ${ROWS}`, list(''), IN_TIME, floor.list)
  await broker.terminate()
}

try {
  await measure('PostgreSQL')
  await measure('PGlite')
} finally {
  process.stdout.write(tableOf(lines))
  for (const broker of started) await broker.kill()
  await postgres.stop()
  await sandbox.close()
  await files.remove()
  await rm(folder, { recursive: true, force: true })
}
