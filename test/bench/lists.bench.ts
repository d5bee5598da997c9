/**
 * Every list and every filter of it, whole, over sockets, among a hundred thousand allocations with their decisions, a
 * million events and what webhooks were sent of them: on PostgreSQL and on PGlite. Names of rare things and of things that are not there are asked for too, which
 * is where a missing index shows.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { encodeCursor } from '../../broker/http/pagination.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { tokenFor } from '../support/api-client.ts'
import { openAt } from '../support/database.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { type Ask, load } from './load.ts'
import { type Line, putApproval, rssMbOf, type Served, tableOf } from './processes.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? '2')
/** Before each: what a start costs is for ready.bench.ts, keys, connections and code that is not yet compiled. */
const WARM_SECONDS = 0.5
const CONNECTIONS = 4
const ALLOCATIONS = 100_000
const EVENTS = 1_000_000
const DELIVERIES = 200_000
const FIRST = 1_000_000
/** Rows made at a time: a statement has a deadline. */
const STEP = 20_000
const BAR = 'p99 ≤ 50 ms'
/** What is copied happened from this instant on, one each millisecond. */
const SINCE = Date.now() - 300 * DAY_MS
const EARLY = toIso(SINCE - 1_000)
/** With a twentieth of the decisions behind it. */
const LATE = toIso(SINCE + 190_000)

interface Place {
  readonly url: string | null
  readonly folder: string
}
type Queries = Awaited<ReturnType<typeof openAt>>['queries']

const lines: Line[] = []
const say = (text: string): void => void process.stderr.write(`${text}\n`)

/** Copies of a row that the broker has written, `nth` of them in their order; some columns are another in each. */
async function copies(
  db: Queries,
  table: string,
  count: number,
  changed: Readonly<Record<string, string>>,
): Promise<void> {
  const { rows } = await sql<{ name: string }>`select column_name as name from information_schema.columns
    where table_name = ${table} and table_schema = current_schema()`.execute(db)
  const names = rows.map(({ name }) => name)
  const values = names.map((name) => changed[name] ?? `one.${name}`)
  for (let from = 1; from <= count; from += STEP) {
    const upTo = Math.min(count, from + STEP - 1)
    await sql
      .raw(
        `insert into ${table} (${names.join(', ')}) select ${values.join(', ')}
         from (select * from ${table} limit 1) as one, generate_series(${from}, ${upTo}) as nth`,
      )
      .execute(db)
  }
}

const id = (prefix: string): string => `'${prefix}_' || lpad(translate(nth::text, '0189', 'abcd'), 16, 'z')`

/** To one webhook, of every fifth event; it has come to the end of the log, and is sent nothing while others are timed. */
async function fillDeliveries(db: Queries): Promise<void> {
  const now = Date.now()
  for (const [nth, hook] of [BUSY, IDLE].entries()) {
    await sql`insert into webhooks (id, sequence, url, secret, version, created_at, updated_at, position, failures,
        paused_until) values (${hook}, ${2 * FIRST + nth}, 'https://hook.invalid/', 'whsec_bench', 1, ${now}, ${now},
        ${FIRST + EVENTS}, 0, 0)`.execute(db)
  }
  for (let from = 1; from <= DELIVERIES; from += STEP) {
    await sql
      .raw(
        `insert into webhook_deliveries (id, webhook_id, event_sequence, event_id, event_type, status, attempts,
           created_at, last_attempt_at, next_attempt_at, give_up_at, response_status, error)
         select ${id('dlv')}, '${BUSY}', ${FIRST} + 5 * nth, ${id('evt')}, 'kr.gpubroker.allocation.active',
           case when nth % 300 = 0 then 'retrying' when nth % 1000 = 0 then 'parked' else 'delivered' end, 1 + nth % 9,
           ${now}, ${now}, case when nth % 300 = 0 then ${now + DAY_MS} end, ${now + 3 * DAY_MS}, 200, null
         from generate_series(${from}, ${from + STEP - 1}) as nth`,
      )
      .execute(db)
  }
}

async function fill(place: Place): Promise<void> {
  const database = await openAt(place)
  const db = database.queries
  const since = `(${SINCE})::bigint + nth`
  const organization = `'org-' || nth % 300`
  const provider = `(array['naver', 'nhn', 'kakao'])[1 + nth % 3]`
  await copies(db, 'approvals', 1_000, {
    id: `'apr-' || nth`,
    sequence: `${FIRST} + nth`,
    organization_id: organization,
  })
  await copies(db, 'allocations', ALLOCATIONS, {
    id: id('alc'),
    sequence: `${FIRST} + nth`,
    status: `case when nth % 5000 = 0 then 'failed' when nth % 3 = 0 then 'cancelled' else 'released' end`,
    next_look_at: 'null',
    approval_id: `'apr-' || 1 + nth % 1000`,
    organization_id: organization,
    provider_id: provider,
    program: `'program-' || nth % 40`,
    labels: `('{"task":"t' || nth % 20000 || '","kind":"usual"}')::json`,
  })
  await copies(db, 'decisions', 2 * ALLOCATIONS, {
    id: id('dec'),
    sequence: `${FIRST} + nth`,
    at: `${since} * 1`,
    allocation_id: `'alc_' || lpad(translate((nth / 2)::text, '0189', 'abcd'), 16, 'z')`,
  })
  await copies(db, 'audit', 2 * ALLOCATIONS, {
    sequence: `${FIRST} + nth`,
    at: since,
    actor: `'client-' || nth % 50`,
    action: `case when nth % 1000 = 0 then 'freeze' else 'createAllocation' end`,
    organization_id: organization,
    provider_id: provider,
  })
  await copies(db, 'events', EVENTS, {
    sequence: `${FIRST} + nth`,
    id: `'evt_' || nth`,
    at: since,
    type: `case when nth % 100000 = 0 then 'kr.gpubroker.provider.frozen' else 'kr.gpubroker.allocation.active' end`,
    allocation_id: `'alc_' || lpad(translate((nth / 10)::text, '0189', 'abcd'), 16, 'z')`,
    organization_id: organization,
    provider_id: provider,
  })
  await sql`update calendar_head set event_sequence = ${FIRST + EVENTS}, audit_sequence = ${FIRST + 2 * ALLOCATIONS},
    decision_sequence = ${FIRST + 2 * ALLOCATIONS}`.execute(db)
  await fillDeliveries(db)
  await sql`analyze`.execute(db)
  await database.close()
}

const BUSY = 'whk_zzzzzzzzzzzzbusy'
const IDLE = 'whk_zzzzzzzzzzzzidle'
/** The page in the middle of a webhook's deliveries. */
const MIDDLE = encodeCursor(`deliveries to ${BUSY}`, String(FIRST + EVENTS / 2))
const SOME = 'alc_zzzzzzzzzzzd2b34' // the 92,134th, as `id` writes numbers
const LISTS: readonly (readonly [client: string, path: string])[] = [
  ...['', '&status=failed', '&status=waitlisted', '&organizationId=org-7', '&organizationId=nobody'].map(
    (query) => ['platform', `allocations?limit=50${query}`] as const,
  ),
  ...['providerId=nhn', 'clusterId=nowhere', 'approvalId=apr-7', 'program=program-7', 'program=none'].map(
    (query) => ['platform', `allocations?limit=50&${query}`] as const,
  ),
  ...['label=task:t7', 'label=kind:usual', 'label=task:none', 'label=task:t7&organizationId=org-9'].map(
    (query) => ['platform', `allocations?limit=50&${query}`] as const,
  ),
  ['platform', 'allocations?limit=50&status=failed&organizationId=org-7&program=program-7'],
  ['kaist', 'allocations?limit=50'],
  ['nhn-staff', 'allocations?limit=50'],
  ['nhn-staff', 'allocations?limit=50&status=failed'],
  ['platform', `allocations/${SOME}/decisions`],
  ['platform', 'approvals?limit=50'],
  ['kaist', 'approvals?limit=50'],
  ['nhn-staff', 'approvals?limit=50'],
  ['platform', 'waitlist'],
  ...['', '&after=1500000', '&types=provider.frozen', '&types=node.gone', '&types=provider.frozen,node.gone'].map(
    (query) => ['platform', `events?limit=50${query}`] as const,
  ),
  ['platform', `events?limit=50&allocationId=${SOME}`],
  ['platform', `events?limit=50&allocationId=${SOME}&types=node.gone`],
  ['kaist', 'events?limit=50'],
  ['kaist', 'events?limit=50&types=provider.frozen'],
  ['nhn-staff', 'events?limit=50&types=node.gone'],
  ...['', '&from=LATE', '&to=EARLY', '&from=LATE&to=EARLY'].flatMap((query) => [
    ['platform', `decisions?limit=50${query}`] as const,
    ['platform', `audit?limit=50${query}`] as const,
  ]),
  ...['actor=client-7', 'actor=nobody', 'action=freeze', 'action=none', 'actor=client-7&action=freeze&from=LATE'].map(
    (query) => ['platform', `audit?limit=50&${query}`] as const,
  ),
  ['platform', 'calendar/log?limit=50'],
  ['platform', 'webhooks?limit=50'],
  ...[BUSY, IDLE].map((hook) => ['platform', `webhooks/${hook}/deliveries?limit=50`] as const),
  ['platform', `webhooks/${BUSY}/deliveries?limit=50&cursor=MIDDLE`],
  ['platform', 'clusters'],
  ['platform', 'providers'],
]

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))
const tokens = new Map<string, string>()
for (const client of ['platform', 'kaist', 'nhn-staff']) tokens.set(client, await tokenFor(sandbox.identityUrl, client))

async function createOne(server: Served): Promise<void> {
  await putApproval(server, tokens.get('platform') ?? '', 'apr-bench')
  const start = Date.now() + 30 * DAY_MS
  const period = { start: toIso(start), end: toIso(start + HOUR_MS) }
  await fetch(`${server.url}/v1/allocations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${tokens.get('platform')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ approvalId: 'apr-bench', name: 'bench', demand: { nodes: 1 }, period }),
  })
}

async function measure(name: string): Promise<void> {
  const url = name === 'PGlite' ? null : (await postgres.createDatabase()).url
  const place: Place = { url, folder: join(folder, name) }
  const stored = url === null ? {} : { DATABASE_URL: url }
  const env = { ...files.env, ...stored, DATA_DIR: place.folder, RATE_LIMIT_PER_SECOND: '100000' }
  let broker = await startBrokerProcess(env)
  await createOne(broker)
  await broker.terminate()
  say(`${name}: filling …`)
  await fill(place)
  broker = await startBrokerProcess(env)
  for (const [client, asked] of LISTS) {
    const path = `/v1/${asked.replace('LATE', LATE).replace('EARLY', EARLY).replace('MIDDLE', MIDDLE)}`
    const token = tokens.get(client) ?? ''
    const all = { url: broker.url, token, connections: CONNECTIONS, ask: (): Ask => ({ method: 'GET', path }) }
    await load({ ...all, seconds: WARM_SECONDS })
    const got = await load({ ...all, seconds: SECONDS })
    lines.push({ what: `${name}, ${client}: ${asked}`, load: got, floor: null, rssMb: await rssMbOf(broker), bar: BAR })
  }
  await broker.terminate()
}

try {
  for (const name of ['PostgreSQL', 'PGlite']) {
    await measure(name)
    process.stdout.write(tableOf(lines.splice(0)))
  }
} finally {
  await postgres.stop()
  await sandbox.close()
  await files.remove()
  await rm(folder, { recursive: true, force: true })
}
