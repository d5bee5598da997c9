/**
 * From the start of the process to `/readyz` saying yes, with ten thousand live allocations in the store: how long a
 * rolling restart waits for each replica. The floor is the same start on an empty store.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { table } from '../../broker/cli/screen/table.ts'
import { approvalBody, approve, days } from '../api/requests.ts'
import { HOUR_MS, toIso } from '../../shared/time.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { createApiClient, tokenFor } from '../support/api-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'

const LIVE = Number(process.env['BENCH_LIVE'] ?? '10000')
const STARTS = 5
const CONNECTIONS = 16
const HOURS_AHEAD = 17_000
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
  const answer = await fetch(`${broker.url}/readyz`)
  const ms = performance.now() - startedAt
  if (!answer.ok) throw new Error(await answer.text())
  await broker.terminate()
  return ms
}

async function starts(what: string, env: Readonly<Record<string, string>>): Promise<Line> {
  say(`${what} …`)
  const ms: number[] = []
  for (let nth = 0; nth < STARTS; nth += 1) ms.push(await readyMs(env))
  return { what, ms: ms.toSorted((a, b) => a - b) }
}

/** Small ones at many different times to come, each placed by the broker itself. */
async function fill(env: Readonly<Record<string, string>>, token: string): Promise<void> {
  const broker = await startBrokerProcess(env)
  const client = createApiClient({ url: () => broker.url, authorization: `Bearer ${token}` })
  const limits = approvalBody()['limits'] as object
  const approvalId = await approve(client, { limits: { ...limits, maxNodes: 100_000, validTo: days(1_000) } })
  let next = 0
  const ask = async (): Promise<void> => {
    while (next < LIVE) {
      const nth = (next += 1)
      const start = Date.now() + 48 * HOUR_MS + ((nth * 7) % HOURS_AHEAD) * HOUR_MS
      const period = { start: toIso(start), end: toIso(start + (2 + (nth % 72)) * HOUR_MS) }
      const got = await client.post('/v1/allocations', {
        approvalId,
        name: `ready-${nth}`,
        demand: { nodes: 1 + (nth % 8) },
        period,
      })
      if (got.status !== 201) throw new Error(got.text)
      if (nth % 1_000 === 0) say(`  ${nth}`)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, ask))
  await broker.terminate()
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
    await fill(env, token)
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
