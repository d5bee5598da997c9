/**
 * Whole clusters through the whole broker, from the request to `active`, at the sandbox's own rates and delays: against
 * the time that rate, batch size and boot force, and against the fewest calls that could do. Then the two others again
 * beside an operator that swallows every call.
 *
 * Forced is what no broker could do without: the calls that the rate does not let through at once, one after the other;
 * the last node's boot; and the answers that nothing can be done before, each as late as the sandbox makes every answer:
 * the last create begins its node's boot when that time has passed, and no one knows it is up before a list has said so.
 * Neither what the broker and its database take, nor the look before a create, nor what the sandbox itself computes on the
 * same machine counts as forced.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { SANDBOX_DEFAULTS } from '../../deploy/sandbox/sandbox.ts'
import { sandboxSettings } from '../../deploy/sandbox/for-broker.ts'
import { table } from '../../broker/cli/screen/table.ts'
import type { Allocation } from '../../shared/allocation.ts'
import { allocate, approve, look, release } from '../api/requests.ts'
import { brokerFiles, startBrokerProcess } from '../durability/broker-process.ts'
import { eventually } from '../durability/eventually.ts'
import { type ApiClient, createApiClient, tokenFor } from '../support/api-client.ts'
import { adjusted } from '../support/broker.ts'
import { startPostgres } from '../support/postgres-server.ts'
import type { Addresses, Counts } from './counted-sandbox.ts'

const { bootMs, latencyMs } = SANDBOX_DEFAULTS
/** As the sandbox has it where nobody says otherwise. */
const FABRIC_MS = bootMs / 2
/** What the broker is configured to ask per second, and how much of that it may ask at once. */
const RATE_PER_SECOND = 95
const BURST = RATE_PER_SECOND / 2
const BATCH = 10
/**
 * Nodes at each operator that are asked for and given back before. The last are more than a page of an operator that pages
 * by itself, so that it is known by then how it tells that there are more.
 */
const WARM_UPS = [1, 1, 1, 128]
/** As many allocations as would fill every place where looks are made. */
const STUCK = 40

interface Target {
  readonly operator: 'naver' | 'nhn' | 'kakao'
  readonly nodes: number
  /** Calls without which there would not be so many nodes; and then one list that shows them. */
  readonly creates: number
  readonly otherCalls: number
  /** After the last node is up. */
  readonly afterBootMs: number
  /** Answers that can only be waited for one after the other: the last create's, those after the boot, the last list's. */
  readonly answersInARow: number
}

const TARGETS: readonly Target[] = [
  // One call for a batch. The token, and the flavor and the image by their names, are known by then.
  { operator: 'nhn', nodes: 510, creates: Math.ceil(510 / BATCH), otherCalls: 0, afterBootMs: 0, answersInARow: 2 },
  // One call for each node.
  { operator: 'kakao', nodes: 255, creates: 255, otherCalls: 0, afterBootMs: 0, answersInARow: 2 },
  // One call for each node. Then a fabric is made, filled, and seen to be settled after each.
  { operator: 'naver', nodes: 255, creates: 255, otherCalls: 4, afterBootMs: 2 * FABRIC_MS, answersInARow: 4 },
]

/** The rate binds what does not go at once; the last node asked for boots, and is seen. */
const forcedMs = ({ creates, otherCalls, afterBootMs, answersInARow }: Target): number =>
  (Math.max(0, creates + otherCalls - BURST) / RATE_PER_SECOND) * 1_000 +
  bootMs +
  afterBootMs +
  answersInARow * latencyMs

const fewestCalls = ({ creates, otherCalls }: Target): number => creates + otherCalls + 1

interface Line extends Target {
  readonly tookMs: number
  readonly calls: number
}

const sandbox = fork(new URL('counted-sandbox.ts', import.meta.url).pathname)
const [addresses] = (await once(sandbox, 'message')) as [Addresses]
const postgres = await startPostgres({ durable: true })
const { url: databaseUrl } = await postgres.createDatabase()
const files = await brokerFiles(
  adjusted(sandboxSettings(addresses), { visibilityDelayMs: bootMs, nodes: { 'nhn-b200-510': 510 } }),
)
const lagFile = join(await mkdtemp(join(tmpdir(), 'gpu-broker-lag-')), 'p99')
const broker = await startBrokerProcess({
  ...files.env,
  DATABASE_URL: databaseUrl,
  LAG_FILE: lagFile,
  NODE_OPTIONS: `--import ${new URL('event-loop-lag.ts', import.meta.url).href}`,
})
const platform = createApiClient({
  url: () => broker.url,
  authorization: `Bearer ${await tokenFor(addresses.identity, 'platform')}`,
})
async function measure(): Promise<void> {
  const approvalId = await approve(platform)
  // Asked before, so that tokens and connections are there, and it is known how long nodes boot, as in a broker that runs.
  for (const nodes of WARM_UPS)
    await giveBack(await Promise.all(TARGETS.map((target) => provision(approvalId, { ...target, nodes }))))
  const before = await countsOf()
  const all = await Promise.all(TARGETS.map((target) => provision(approvalId, target)))
  const after = await countsOf()
  const lines = TARGETS.map((target, index) => ({
    ...target,
    tookMs: tookMs(all[index]),
    calls: sum(after, target) - sum(before, target),
  }))
  process.stdout.write(tableOf(lines))
  for (const target of TARGETS) process.stdout.write(detailOf(target, { before, after }))
  await tellOfProcess()
  await giveBack(all)
  await besideABlackHole(approvalId)
}

async function besideABlackHole(approvalId: string): Promise<void> {
  const others = TARGETS.filter(({ operator }) => operator !== 'nhn')
  const alone = await Promise.all(others.map((target) => provision(approvalId, target)))
  await giveBack(alone)
  await fetch(`${addresses.nhn}/_sandbox/faults`, {
    method: 'PUT',
    body: JSON.stringify([{ match: { path: '.' }, effect: 'black-hole' }]),
  })
  for (let stuck = 0; stuck < STUCK; stuck += 1)
    await allocate(platform, approvalId, { ...asking('nhn', 1), name: 'stuck' })
  const beside = await Promise.all(others.map((target) => provision(approvalId, target)))
  const rows = others.map(({ operator }, index) => ({
    operator,
    aloneMs: tookMs(alone[index]),
    besideMs: tookMs(beside[index]),
  }))
  process.stdout.write(
    `\n${table<(typeof rows)[number]>(
      [
        { head: `beside ${STUCK} at nhn that swallows all`, value: ({ operator }) => operator },
        { head: 'alone ms', align: 'right', value: ({ aloneMs }) => aloneMs },
        { head: 'beside ms', align: 'right', value: ({ besideMs }) => besideMs },
        { head: '×', align: 'right', value: ({ aloneMs, besideMs }) => (besideMs / aloneMs).toFixed(2) },
        { head: 'bar', value: () => '≤ 1.10' },
      ],
      rows,
    )}`,
  )
}

const asking = (operator: string, nodes: number): object => ({
  demand: { nodes },
  requires: { providers: [operator], minClusterNodes: Math.min(nodes, 255) },
  period: { durationHours: 1 },
})

async function provision(approvalId: string, { operator, nodes }: Target): Promise<Allocation> {
  const { id } = await allocate(platform, approvalId, asking(operator, nodes))
  return reached(platform, id, 'active')
}

const reached = (client: ApiClient, id: string, status: Allocation['status']): Promise<Allocation> =>
  eventually(
    `${id} ${status}`,
    () => look(client, id),
    (one) => one.status === status,
  )

async function giveBack(all: readonly Allocation[]): Promise<void> {
  for (const { id } of all) await release(platform, id)
  for (const { id } of all) await reached(platform, id, 'released')
}

/** By the broker's own record, from taken to active. */
function tookMs(one: Allocation | undefined): number {
  if (one === undefined || one.activeAt === null) throw new Error('it is active')
  return Date.parse(one.activeAt) - Date.parse(one.createdAt)
}

async function countsOf(): Promise<Counts> {
  sandbox.send('counts')
  const [counts] = (await once(sandbox, 'message')) as [Counts]
  return counts
}

const at = (counts: Counts, { operator }: Target): Readonly<Record<string, number>> =>
  counts[new URL(addresses[operator]).port] ?? {}

const sum = (counts: Counts, target: Target): number =>
  Object.values(at(counts, target)).reduce((total, count) => total + count, 0)

function tableOf(lines: readonly Line[]): string {
  return table<Line>(
    [
      { head: '', value: ({ operator, nodes }) => `${nodes} nodes at ${operator}` },
      { head: 'took ms', align: 'right', value: (line) => line.tookMs },
      { head: 'forced ms', align: 'right', value: (line) => Math.round(forcedMs(line)) },
      { head: '×', align: 'right', value: (line) => (line.tookMs / forcedMs(line)).toFixed(2) },
      { head: 'calls', align: 'right', value: ({ calls }) => calls },
      { head: 'fewest', align: 'right', value: (line) => fewestCalls(line) },
      { head: '×', align: 'right', value: (line) => (line.calls / fewestCalls(line)).toFixed(2) },
      { head: 'bar', value: () => '≤ 1.15, ≤ 1.20' },
    ],
    lines,
  )
}

function detailOf(target: Target, { before, after }: { readonly before: Counts; readonly after: Counts }): string {
  const earlier = at(before, target)
  const made = Object.entries(at(after, target))
    .map(([name, count]) => [name, count - (earlier[name] ?? 0)] as const)
    .filter(([, count]) => count > 0)
  return `${target.operator}: ${made.map(([name, count]) => `${name} × ${count}`).join(', ')}\n`
}

async function tellOfProcess(): Promise<void> {
  const status = await readFile(`/proc/${broker.pid}/status`, 'utf8')
  const lagMs = await readFile(lagFile, 'utf8')
  const [, most] = /VmHWM:\s+(\d+)/.exec(status) ?? []
  process.stdout.write(
    `memory at most ${Math.round(Number(most) / 1_024)} MB; event-loop lag p99 ${lagMs} ms (bar: ≤ 50)\n`,
  )
}

try {
  await measure()
} finally {
  await broker.terminate()
  await files.remove()
  await rm(dirname(lagFile), { recursive: true })
  await postgres.stop()
  sandbox.disconnect()
}
