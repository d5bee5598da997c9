/**
 * What metrics and traces cost: two brokers on databases of one PostgreSQL, one of them without either, asked by turns over
 * 32 connections. Beside the throughput it measures the processor's time of each request, which the neighbours on a shared
 * machine disturb less.
 */
import { readFile } from 'node:fs/promises'
import { table } from '../../broker/cli/screen/table.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import { type BrokerProcess, brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { tokenFor } from '../support/api-client.ts'
import { startPostgres } from '../support/postgres-server.ts'
import { startTestSandbox } from '../support/sandbox.ts'
import { type Ask, load } from './load.ts'

const SECONDS = Number(process.env['BENCH_SECONDS'] ?? '4')
const PAIRS = 7
const CONNECTIONS = 32
const BAR_PERCENT = 5
const APPROVAL = 'apr-bench'
/** Of `/proc/<pid>/stat`. */
const TICKS_PER_SECOND = 100

interface Round {
  readonly perSecond: number
  readonly cpuUs: number
}

interface Line {
  readonly what: string
  readonly withUs: readonly Round[]
  readonly without: readonly Round[]
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

async function cpuSecondsOf(pid: number): Promise<number> {
  const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

function create(nth: number): Ask {
  const start = Date.now() + 30 * DAY_MS + ((nth * 7) % 20_000) * HOUR_MS
  const period = { start: toIso(start), end: toIso(start + 2 * HOUR_MS) }
  const body = JSON.stringify({ approvalId: APPROVAL, name: `bench-${nth}`, demand: { nodes: 1 }, period })
  return { method: 'POST', path: '/v1/allocations', body }
}

const sandbox = await startTestSandbox()
const files = await brokerFiles(sandbox.settings)
const postgres = await startPostgres({ durable: true })
const token = await tokenFor(sandbox.identityUrl, 'platform')
const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }

async function start(env: Readonly<Record<string, string>>): Promise<BrokerProcess> {
  const { url } = await postgres.createDatabase()
  const common = { ...files.env, LOG_LEVEL: 'info', RATE_LIMIT_PER_SECOND: '100000', DATABASE_URL: url }
  const broker = await startBrokerProcess({ ...common, ...env })
  const limits = {
    maxNodes: 100_000,
    gpuHours: 1e9,
    architectures: ['blackwell', 'hopper'],
    validFrom: toIso(Date.now() - DAY_MS),
    validTo: toIso(Date.now() + 1_090 * DAY_MS),
  }
  const body = JSON.stringify({ organizationId: 'bench', program: 'bench', priority: 'standard', limits })
  const answer = await fetch(`${broker.url}/v1/approvals/${APPROVAL}`, { method: 'PUT', headers, body })
  if (!answer.ok) throw new Error(await answer.text())
  return broker
}

async function round({ url, pid }: BrokerProcess, ask: (nth: number) => Ask, seconds = SECONDS): Promise<Round> {
  const before = await cpuSecondsOf(pid)
  const got = await load({ url, token, connections: CONNECTIONS, seconds, ask })
  const answers = [...got.statuses.values()].reduce((sum, count) => sum + count, 0)
  return { perSecond: got.perSecond, cpuUs: (((await cpuSecondsOf(pid)) - before) / answers) * 1e6 }
}

async function firstIdOf({ url }: BrokerProcess): Promise<string> {
  const answer = await fetch(`${url}/v1/allocations?limit=1`, { headers })
  const { items } = (await answer.json()) as { items: readonly { id: string }[] }
  return items[0]?.id ?? ''
}

/** By turns, and each second pair the other way round. */
async function compare(
  what: string,
  withUs: BrokerProcess,
  without: BrokerProcess,
  asks: readonly ((nth: number) => Ask)[],
) {
  const line = { what, withUs: [] as Round[], without: [] as Round[] }
  const [askWith, askWithout] = asks
  if (askWith === undefined || askWithout === undefined) throw new RangeError('each broker is asked for its own')
  for (let pair = 0; pair < PAIRS; pair += 1) {
    process.stderr.write(`${what}, pair ${pair + 1} of ${PAIRS} …\n`)
    const first = pair % 2 === 0
    if (first) line.withUs.push(await round(withUs, askWith))
    line.without.push(await round(without, askWithout))
    if (!first) line.withUs.push(await round(withUs, askWith))
  }
  return line
}

/** How much less there is with them, in percent, of the rounds that neighbours disturbed the least. */
const lossPercent = ({ withUs, without }: Line, of: (round: Round) => number): number =>
  (1 - Math.max(...withUs.map(of)) / Math.max(...without.map(of))) * 100

try {
  const without = await start({
    NODE_OPTIONS: `--import ${new URL('without-instruments.ts', import.meta.url).href}`,
  })
  const withUs = await start({})
  for (const broker of [without, withUs]) await round(broker, create, 3) // warm
  const get = async (broker: BrokerProcess) => {
    const id = await firstIdOf(broker)
    return (): Ask => ({ method: 'GET', path: `/v1/allocations/${id}` })
  }
  const lines = [
    await compare('get', withUs, without, [await get(withUs), await get(without)]),
    await compare('create', withUs, without, [create, create]),
  ]
  const all = (rounds: readonly Round[], of: (round: Round) => number) => middle(rounds.map(of)).toFixed(0)
  process.stdout.write(
    table<Line>(
      [
        { head: '', value: (line) => line.what },
        { head: 'per second', align: 'right', value: (line) => all(line.withUs, (one) => one.perSecond) },
        { head: 'without', align: 'right', value: (line) => all(line.without, (one) => one.perSecond) },
        { head: 'loss %', align: 'right', value: (line) => lossPercent(line, (one) => one.perSecond).toFixed(1) },
        { head: 'CPU µs', align: 'right', value: (line) => all(line.withUs, (one) => one.cpuUs) },
        { head: 'without', align: 'right', value: (line) => all(line.without, (one) => one.cpuUs) },
        { head: 'loss %', align: 'right', value: (line) => lossPercent(line, (one) => 1 / one.cpuUs).toFixed(1) },
        { head: 'bar', value: () => `≤ ${BAR_PERCENT} %` },
      ],
      lines,
    ),
  )
  if (lines.some((line) => lossPercent(line, (one) => 1 / one.cpuUs) > BAR_PERCENT)) process.exitCode = 1
  await withUs.terminate()
  await without.terminate()
} finally {
  await postgres.stop()
  await sandbox.close()
  await files.remove()
}
