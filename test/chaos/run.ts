/** One run: a storm drawn from its seed, the calm after it, every node filled, drained and refilled, and the audit. */
import { setTimeout as pause } from 'node:timers/promises'
import { Allocation } from '../../shared/allocation.ts'
import { approvalBody, freshId } from '../api/requests.ts'
import { OPERATORS } from '../durability/operators.ts'
import { closeAll } from '../support/close-all.ts'
import type { Engine } from '../support/database.ts'
import { type Asker, createAsker, untilAnswered } from './ask.ts'
import {
  answersStand,
  failuresAreExplained,
  ledgersEqualStore,
  logIsWhole,
  noDoubleGrants,
  nothingIsLeft,
  standing,
  sweepsFindNothing,
} from './audit.ts'
import { type Crash, drawPlan, type Step } from './plan.ts'
import { allocationsOf, calm, releaseAll, served, settled, surely } from './settle.ts'
import { type ChaosSystem, startSystem } from './system.ts'
import { type Doubles, watchForDoubles } from './watch.ts'
import { CLASSES } from './weather.ts'

export interface RunOptions {
  readonly seed: number
  readonly engine: Engine
  readonly replicas: number
  /** Whether the storm goes on after so many steps and so much time. */
  readonly goesOn: (steps: number, elapsedMs: number) => boolean
  readonly silentSteps: number
  /** Cluster id → how many nodes it has. */
  readonly nodes: Readonly<Record<string, number>>
  readonly onProgress: (line: string) => void
}

export interface RunReport {
  readonly steps: number
  readonly allocations: number
  readonly answers: ReadonlyMap<string, number>
  readonly retries: number
  readonly kills: Readonly<Record<Crash['what'], number>>
  /** Replicas that ended by themselves. */
  readonly deaths: number
  /** How often each class of fault was set. */
  readonly faults: ReadonlyMap<string, number>
  readonly nodesBuilt: number
  readonly doubles: Doubles
  readonly errors: ReadonlyMap<string, number>
  /** What should be otherwise; empty is the aim. */
  readonly findings: readonly string[]
  readonly tookMs: Readonly<Record<string, number>>
}

/** Two nodes of one name at one time are seen and undone within a look, which may have to wait for a dead one's lease. */
const LONGEST_DOUBLE_MS = 45_000

export async function run(options: RunOptions): Promise<RunReport> {
  const system = await startSystem(options)
  const watch = watchForDoubles(system.operators)
  try {
    return await runIn(system, options, () => watch.doubles())
  } finally {
    await closeAll(
      () => watch.stop(),
      () => system.close(),
    )
  }
}

interface Storm {
  readonly steps: number
  readonly kills: Record<Crash['what'], number>
  readonly faults: Map<string, number>
}

async function runIn(system: ChaosSystem, options: RunOptions, doubles: () => Doubles): Promise<RunReport> {
  const { platform, operators } = system
  const clusters = Object.keys(options.nodes)
  const atStart = new Set((await Promise.all(OPERATORS.map((operator) => standing(system, operator)))).flat())
  const approvalId = freshId('apr')
  await surely(() => platform.put(`/v1/approvals/${approvalId}`, approvalBody()))
  const asker = createAsker({ platform, approvalId, clusters })
  const tookMs: Record<string, number> = {}
  const timed = async <T>(name: string, work: () => Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    options.onProgress(name)
    const result = await work()
    tookMs[name] = performance.now() - startedAt
    return result
  }

  const storm = await timed('storm', () => storms(system, asker, { ...options, clusters }))
  const all = await timed('calm', async () => {
    await calm(system, clusters)
    return settled(platform, approvalId)
  })
  const findings = [...(await timed('ledgers', () => ledgersEqualStore(system, approvalId)))]
  findings.push(...(await timed('answers', async () => answersStand(platform, asker, all))))
  await timed('drain', () => releaseAll(platform, approvalId))
  findings.push(...(await timed('nothing left', () => nothingIsLeft(system, atStart))))
  for (const turn of ['fill', 'refill'])
    findings.push(...(await timed(turn, () => fillAndDrain(system, { turn, nodes: options.nodes, atStart }))))
  const last = await allocationsOf(platform, approvalId)
  findings.push(...noDoubleGrants(last, options.nodes), ...failuresAreExplained(last))
  findings.push(...(await timed('log', () => logIsWhole(platform, last))))
  findings.push(...(await timed('sweeps', () => sweepsFindNothing(system))))
  const seen = doubles()
  if (seen.longestMs > LONGEST_DOUBLE_MS) findings.push(`a node stood twice for ${Math.round(seen.longestMs)} ms`)
  const ledgers = await Promise.all(OPERATORS.map((operator) => operators.ledger(operator)))
  return {
    ...storm,
    allocations: last.length,
    answers: counted(asker.answered.map(({ asking, status }) => `${asking.kind} ${status}`)),
    retries: asker.retries(),
    deaths: system.deaths(),
    nodesBuilt: ledgers.reduce((sum, { nodes }) => sum + nodes.length, 0),
    doubles: seen,
    errors: system.errors(),
    findings,
    tookMs,
  }
}

interface Around extends RunOptions {
  readonly clusters: readonly string[]
}

async function storms(system: ChaosSystem, asker: Asker, around: Around): Promise<Storm> {
  const plan = drawPlan({
    seed: around.seed,
    clusters: around.clusters.length,
    replicas: around.replicas,
    databaseCrashes: around.engine === 'postgres',
    silentSteps: around.silentSteps,
  })
  const storm = { steps: 0, kills: { replica: 0, database: 0 }, faults: new Map(CLASSES.map((name) => [name, 0])) }
  const clock = new Map(OPERATORS.map((operator) => [operator, 0]))
  const startedAt = performance.now()
  while (around.goesOn(storm.steps, performance.now() - startedAt)) {
    const step = plan.next().value
    await setWeather(system, step, clock)
    for (const { classes } of Object.values(step.weather))
      for (const name of classes) storm.faults.set(name, (storm.faults.get(name) ?? 0) + 1)
    if (step.crash !== null) storm.kills[step.crash.what] += 1
    await Promise.all([...step.askings.map((asking) => asker.ask(asking)), crash(system, asker, step)])
    await pause(step.restMs)
    storm.steps += 1
    around.onProgress(`step ${storm.steps}: ${asker.answered.length} answers, ${system.deaths()} deaths`)
  }
  return storm
}

async function setWeather({ operators }: ChaosSystem, { weather }: Step, clock: Map<string, number>): Promise<void> {
  for (const operator of OPERATORS) {
    const { faults, behaviour, clockStepMs } = weather[operator]
    await operators.setBehaviour(operator, {})
    if (Object.keys(behaviour).length > 0) await operators.setBehaviour(operator, behaviour)
    await operators.setFaults(operator, faults)
    if (clockStepMs === 0) continue
    const offsetMs = (clock.get(operator) ?? 0) + clockStepMs
    clock.set(operator, offsetMs)
    await operators.setClock(operator, offsetMs)
  }
}

async function crash(system: ChaosSystem, asker: Asker, { crash, askings }: Step): Promise<void> {
  if (crash === null) return
  // What is about something that was refused is never asked, so not every answer may come.
  await Promise.race([asker.moreAnswers(Math.min(crash.afterAnswers, askings.length)), pause(1_000)])
  await pause(crash.pauseMs)
  if (crash.what === 'database') await system.killDatabase()
  else await system.killReplica(crash.index)
}

interface Turn {
  readonly turn: string
  readonly nodes: Readonly<Record<string, number>>
  readonly atStart: ReadonlySet<string>
}

/** Every node of every cluster, in allocations of a whole cluster or of a few nodes, all at once; then all given back. */
async function fillAndDrain(system: ChaosSystem, { turn, nodes, atStart }: Turn): Promise<readonly string[]> {
  const { platform } = system
  const approvalId = freshId(turn)
  await surely(() => platform.put(`/v1/approvals/${approvalId}`, approvalBody()))
  for (const [cluster, size] of Object.entries(nodes).toSorted(([, a], [, b]) => b - a)) {
    const piece = turn === 'fill' ? size : Math.ceil(size / 3)
    for (let left = size; left > 0; left -= piece) {
      const body = {
        approvalId,
        name: turn,
        demand: { nodes: Math.min(piece, left) },
        requires: { providers: [cluster.split('-')[0]] },
        period: { durationHours: 24 },
      }
      const request = { path: '/v1/allocations', body, key: `${approvalId}-${cluster}-${left}` }
      ;(await untilAnswered(platform, request, () => undefined)).as(201, Allocation)
    }
  }
  const all = await served(platform, approvalId)
  const wanted = Object.values(nodes).reduce((sum, size) => sum + size, 0)
  const ready = all.reduce((sum, one) => sum + (one.status === 'active' ? one.nodes.ready : 0), 0)
  const findings = [...(await ledgersEqualStore(system, approvalId))]
  if (ready !== wanted) findings.push(`${ready} nodes of ${wanted} could be filled`)
  await releaseAll(platform, approvalId)
  return [...findings, ...(await nothingIsLeft(system, atStart))]
}

function counted(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const name of names.toSorted()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counts
}
