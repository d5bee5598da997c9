/**
 * From the start of the process to `/readyz` saying yes, with ten thousand live allocations in the store: how long a
 * rolling restart waits for each replica. The floor is the same start on an empty store.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { table } from '../../broker/cli/screen/table.ts'
import type { Database } from '../../broker/store/database.ts'
import { approve } from '../api/requests.ts'
import { HOUR_MS, toIso } from '../../shared/time.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { createApiClient, tokenFor } from '../support/api-client.ts'
import { openAt } from '../support/database.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'

const LIVE = 10_000
const STARTS = 5
const BAR_MS = 5_000

interface Line {
  readonly what: string
  /** Sorted. */
  readonly ms: readonly number[]
}

const say = (text: string): void => void process.stderr.write(`${text}\n`)

async function readyMs(env: Readonly<Record<string, string>>): Promise<number> {
  const startedAt = performance.now()
  const broker = await startBrokerProcess(env)
  while (!(await fetch(`${broker.url}/readyz`)).ok) say('  not yet')
  const ms = performance.now() - startedAt
  await broker.terminate()
  return ms
}

async function starts(what: string, env: Readonly<Record<string, string>>): Promise<Line> {
  say(`${what} …`)
  const ms: number[] = []
  for (let nth = 0; nth < STARTS; nth += 1) ms.push(await readyMs(env))
  return { what, ms: ms.toSorted((a, b) => a - b) }
}

/** Placed by the broker itself, small ones at many different times to come; the others are copies of these, hours later. */
const PLACED = 100

async function fill(env: Readonly<Record<string, string>>): Promise<void> {
  const broker = await startBrokerProcess(env)
  const client = createApiClient({ url: () => broker.url, authorization: `Bearer ${token}` })
  const approvalId = await approve(client)
  for (let nth = 0; nth < PLACED; nth += 1) {
    const start = Date.now() + (48 + nth * 100) * HOUR_MS
    const period = { start: toIso(start), end: toIso(start + (2 + (nth % 72)) * HOUR_MS) }
    const body = { approvalId, name: `ready-${nth}`, demand: { nodes: 1 + (nth % 8) }, period }
    const got = await client.post('/v1/allocations', body)
    if (got.status !== 201) throw new Error(got.text)
  }
  await broker.terminate()
  const database = await openAt({ url: env['DATABASE_URL'] ?? null, folder: env['DATA_DIR'] ?? '' })
  await copyRows(database, 'allocations', { ids: 'id', moved: ['start_at', 'end_at', 'asked_start_at'] })
  await copyRows(database, 'reservations', { ids: 'allocation_id', moved: ['start_at', 'end_at', 'held_until'] })
  await database.close()
}

/** So many copies of each row that there are `LIVE`, each an hour after the one before. */
async function copyRows(
  { queries }: Database,
  table: string,
  { ids, moved }: { readonly ids: string; readonly moved: readonly string[] },
): Promise<void> {
  const { rows } = await sql<{ name: string }>`select column_name as name from information_schema.columns
    where table_name = ${table} and table_schema = current_schema()`.execute(queries)
  const names = rows.map(({ name }) => name)
  const values = names.map((name) => {
    if (name === ids) return sql`${sql.ref(name)} || '-' || nth`
    if (name === 'sequence') return sql`sequence + 1000 * nth`
    return moved.includes(name) ? sql`${sql.ref(name)} + nth * ${sql.lit(HOUR_MS)}` : sql.ref(name)
  })
  await sql`insert into ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
    select ${sql.join(values)} from ${sql.table(table)}, generate_series(1, ${sql.lit(LIVE / PLACED - 1)}) as nth`.execute(
    queries,
  )
}

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const folder = await mkdtemp(join(tmpdir(), 'gpu-broker-bench-'))
const token = await tokenFor(sandbox.identityUrl, 'platform')
const common = { ...files.env, RATE_LIMIT_PER_SECOND: '100000', DATA_DIR: join(folder, 'data') }
const lines: Line[] = []
try {
  for (const [name, env] of [
    ['PostgreSQL', { ...common, DATABASE_URL: (await postgres.createDatabase()).url }],
    ['PGlite', common],
  ] as const) {
    await readyMs(env) // makes the tables
    lines.push(await starts(`${name}, empty`, env))
    await fill(env)
    lines.push(await starts(`${name}, ${LIVE} live allocations`, env))
  }
  const ms = (value: number | undefined): string => (value ?? Number.NaN).toFixed(0)
  process.stdout.write(
    table<Line>(
      [
        { head: '', value: (line) => line.what },
        { head: 'best ms', align: 'right', value: (line) => ms(line.ms[0]) },
        { head: 'middle ms', align: 'right', value: (line) => ms(line.ms[STARTS >> 1]) },
        { head: 'worst ms', align: 'right', value: (line) => ms(line.ms.at(-1)) },
        { head: 'bar', value: ({ what }) => (what.endsWith('empty') ? 'floor' : `≤ ${BAR_MS}`) },
      ],
      lines,
    ),
  )
  if (lines.some((line) => (line.ms[STARTS >> 1] ?? Infinity) > BAR_MS)) process.exitCode = 1
} finally {
  await postgres.stop()
  await sandbox.close()
  await files.remove()
  await rm(folder, { recursive: true, force: true })
}
