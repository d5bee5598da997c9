/**
 * A year of a small programme in some seconds: whoever asks, releases, extends, drains or suspends does so through the use
 * cases, and what workers do when time passes is done here in their place. Nothing is decided here.
 */
import fc from 'fast-check'
import { createAllocation } from '../../broker/app/create-allocation.ts'
import type { Command } from '../../broker/app/command.ts'
import { drainCluster, liftDrain } from '../../broker/app/drain-cluster.ts'
import { endAtItsEnd } from '../../broker/app/end-at-its-end.ts'
import { extendAllocation } from '../../broker/app/extend-allocation.ts'
import { recordGiveBack } from '../../broker/app/give-back.ts'
import type { Member } from '../../broker/app/decide-group.ts'
import { isLeaving } from '../../broker/app/leaving.ts'
import { displaceFrom } from '../../broker/app/promises.ts'
import { putApproval } from '../../broker/app/put-approval.ts'
import { quarantineOverdue } from '../../broker/app/quarantine.ts'
import { releaseAllocation } from '../../broker/app/release-allocation.ts'
import { changeCatalogue } from '../../broker/app/reload-inventory.ts'
import { placeElsewhere } from '../../broker/app/relocate.ts'
import { nextTurn, replanWaitlist } from '../../broker/app/replan-waitlist.ts'
import { settleShrink, shrinkAllocation } from '../../broker/app/shrink-allocation.ts'
import { startAllocation } from '../../broker/app/start-allocation.ts'
import { transition } from '../../broker/app/announce.ts'
import { clustersIn } from '../../broker/core/calendar-reads.ts'
import { nextNoticeAt } from '../../broker/core/idle/notices.ts'
import type { AllocationRow } from '../../broker/store/changes.ts'
import type { Priority } from '../../shared/approval.ts'
import { Refusal } from '../../shared/refusal.ts'
import { DAY_MS, HOUR_MS, toIso } from '../../shared/time.ts'
import type { MemoryApp } from './memory-app.ts'

const PRIORITIES = ['national', 'standard', 'idle'] as const
const ORGANIZATIONS = ['kaist', 'etri'] as const

interface Ask {
  readonly nodes: number
  readonly hours: number
  readonly inHours: number
  readonly isFixed: boolean
  readonly priority: Priority
  readonly organization: (typeof ORGANIZATIONS)[number]
  readonly ifUnavailable: 'waitlist' | 'reject'
}

export type Happening =
  | { readonly kind: 'asks'; readonly ask: Ask }
  | { readonly kind: 'passes'; readonly hours: number; readonly isStuck: boolean }
  | { readonly kind: 'releases'; readonly nth: number }
  | { readonly kind: 'extends'; readonly nth: number; readonly hours: number }
  | { readonly kind: 'drains'; readonly nodes: number; readonly inHours: number; readonly hours: number }
  | {
      readonly kind: 'fails' | 'shrinks' | 'lifts' | 'suspends' | 'resumes' | 'slips' | 'circuit'
      readonly nth: number
    }
  | { readonly kind: 'ranks'; readonly ranks: readonly number[] }

const anyAsk: fc.Arbitrary<Ask> = fc.record({
  nodes: fc.integer({ min: 1, max: 7 }),
  hours: fc.integer({ min: 1, max: 90 }),
  inHours: fc.constantFrom(0, 0, 0.3, 5, 30),
  isFixed: fc.boolean(),
  priority: fc.constantFrom(...PRIORITIES, 'standard' as const),
  organization: fc.constantFrom(...ORGANIZATIONS),
  ifUnavailable: fc.constantFrom('waitlist' as const, 'waitlist' as const, 'reject' as const),
})
const nth = fc.nat(20)
const rare = (kind: 'shrinks' | 'fails' | 'lifts' | 'suspends' | 'resumes' | 'slips' | 'circuit') => ({
  weight: 1,
  arbitrary: nth.map((one): Happening => ({ kind, nth: one })),
})

export const anyHistory: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: anyAsk.map((ask): Happening => ({ kind: 'asks', ask })) },
    {
      weight: 5,
      arbitrary: fc
        .record({ hours: fc.constantFrom(0.2, 1, 7, 30), isStuck: fc.constantFrom(false, false, true) })
        .map((passing): Happening => ({ kind: 'passes', ...passing })),
    },
    { weight: 2, arbitrary: nth.map((one): Happening => ({ kind: 'releases', nth: one })) },
    {
      weight: 2,
      arbitrary: fc
        .record({ nth, hours: fc.integer({ min: 1, max: 50 }) })
        .map((extending): Happening => ({ kind: 'extends', ...extending })),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({
          nodes: fc.integer({ min: 1, max: 5 }),
          inHours: fc.constantFrom(0, 3),
          hours: fc.integer({ min: 1, max: 40 }),
        })
        .map((draining): Happening => ({ kind: 'drains', ...draining })),
    },
    {
      weight: 1,
      arbitrary: fc
        .array(fc.nat(2), { minLength: 2, maxLength: 2 })
        .map((ranks): Happening => ({ kind: 'ranks', ranks })),
    },
    rare('shrinks'),
    rare('fails'),
    rare('lifts'),
    rare('suspends'),
    rare('resumes'),
    rare('slips'),
    rare('circuit'),
  ),
  { minLength: 4, maxLength: 24 },
)

const COMMAND: Command = {
  caller: { clientId: 'platform', scopes: new Set(), organizationId: null, providerId: null },
  action: 'live',
  resource: 'programme',
  requestId: 'req',
  idempotency: null,
  ifMatch: null,
  onlyIfAbsent: false,
  traceparent: null,
}
const TOKEN = 'token'
/** Nobody is waited for between two parts of a plan. */
export const AT_ONCE = { rest: async (): Promise<void> => undefined, isOver: () => false }
export const BUILDING = { maxBatch: 100, pool: { networks: [], shared: true } }
const PATIENCE = { releaseConfirmMs: HOUR_MS, marginMs: 0 }

const approvalOf = ({ organization, priority }: Pick<Ask, 'organization' | 'priority'>): string =>
  `${organization}-${priority}`

/** Registers who will ask, then lets all of it happen. @param settled asked after each, once those who wait are planned again */
export async function live(
  memory: MemoryApp,
  history: readonly Happening[],
  settled: (happening: Happening) => void,
): Promise<void> {
  await registerAll(memory)
  for (const happening of history) {
    await tryTo(memory, happening)
    await replanWaitlist(memory.app, AT_ONCE)
    settled(happening)
  }
}

/** The same where those who wait are planned again while it happens: nobody waits until a plan is written down. */
export async function liveMeanwhile(
  memory: MemoryApp,
  history: readonly Happening[],
  settled: (happening: Happening) => void,
): Promise<void> {
  await registerAll(memory)
  for (const [index, happening] of history.entries()) {
    const planning = replanWaitlist(memory.app, AT_ONCE)
    // At another point of the plan and of its writing each time.
    for (let turns = (index * 5) % 8; turns > 0; turns -= 1) await new Promise((resolve) => void setImmediate(resolve))
    await tryTo(memory, happening)
    await planning
    settled(happening)
  }
}

async function registerAll(memory: MemoryApp): Promise<void> {
  for (const organization of ORGANIZATIONS)
    for (const priority of PRIORITIES) await register(memory, organization, priority)
}

async function tryTo(memory: MemoryApp, happening: Happening): Promise<void> {
  try {
    await happen(memory, happening)
  } catch (error) {
    if (!(error instanceof Refusal)) throw error // a refusal is an answer
  }
}

async function register({ app, now }: MemoryApp, organizationId: string, priority: Priority): Promise<void> {
  await putApproval(app, COMMAND, approvalOf({ organization: organizationId as Ask['organization'], priority }), {
    organizationId,
    program: 'research',
    priority,
    limits: {
      maxNodes: 9,
      gpuHours: 1e7,
      architectures: ['blackwell', 'hopper'],
      validFrom: toIso(now - DAY_MS),
      validTo: toIso(now + 300 * DAY_MS),
    },
  })
}

const by = (member: Member<unknown>['decide']): Member<unknown> => ({ needs: {}, decide: member })

const rowsIn = ({ rows }: MemoryApp, ...statuses: readonly AllocationRow['status'][]): AllocationRow[] =>
  [...rows.allocations.values()]
    .filter(({ status }) => statuses.includes(status))
    .toSorted((a, b) => a.sequence - b.sequence)

function pick<T>(all: readonly T[], index: number): T | undefined {
  return all[index % Math.max(1, all.length)]
}

async function happen(memory: MemoryApp, happening: Happening): Promise<void> {
  const { app, calendar } = memory
  switch (happening.kind) {
    case 'asks':
      await ask(memory, happening.ask)
      return
    case 'passes':
      return pass(memory, happening.hours, happening.isStuck)
    case 'releases': {
      const row = pick(rowsIn(memory, 'waitlisted', 'scheduled', 'provisioning', 'active'), happening.nth)
      if (row !== undefined) await releaseAllocation(app, COMMAND, row.id, {})
      return
    }
    case 'fails':
      return fail(memory, happening.nth)
    case 'extends': {
      const row = pick(rowsIn(memory, 'scheduled', 'provisioning', 'active'), happening.nth)
      if (row?.endAt === null || row === undefined) return
      await extendAllocation(app, COMMAND, row.id, { end: toIso(row.endAt + happening.hours * HOUR_MS) })
      return
    }
    case 'shrinks':
      return shrink(memory, happening.nth)
    case 'drains': {
      const [cluster] = clustersIn(calendar)
      const from = memory.now + happening.inHours * HOUR_MS
      const to = from + happening.hours * HOUR_MS
      const drain = { nodes: happening.nodes, from: toIso(from), to: toIso(to), reason: 'a fan' }
      if (cluster !== undefined) await drainCluster(app, COMMAND, cluster.id, drain)
      return
    }
    case 'lifts': {
      const drain = pick([...memory.rows.drains.values()], happening.nth)
      if (drain !== undefined) await liftDrain(app, COMMAND, drain.id)
      return
    }
    case 'suspends':
    case 'resumes':
      return turn(memory, happening.kind, happening.nth)
    case 'slips':
      return slip(memory, happening.nth)
    case 'circuit': {
      const cluster = pick(clustersIn(calendar), happening.nth)
      const createOpenUntil = happening.nth % 3 === 0 ? null : memory.now + happening.nth * HOUR_MS
      if (cluster !== undefined)
        await app.writer.run(
          by((draft) => draft.apply({ op: 'circuit', providerId: cluster.providerId, createOpenUntil })),
        )
      return
    }
    case 'ranks': {
      const standings = ORGANIZATIONS.map((organizationId, index) => ({
        organizationId,
        rank: happening.ranks[index] ?? 0,
      }))
      await app.writer.run(by((draft) => draft.apply({ op: 'standings', standings })))
      return
    }
  }
}

async function ask({ app, now }: MemoryApp, asked: Ask): Promise<void> {
  const start = now + asked.inHours * HOUR_MS
  await createAllocation(app, COMMAND, {
    approvalId: approvalOf(asked),
    name: 'job',
    demand: { nodes: asked.nodes },
    period: asked.isFixed
      ? { start: toIso(start), end: toIso(start + asked.hours * HOUR_MS) }
      : { durationHours: asked.hours, earliestStart: toIso(start) },
    ifUnavailable: asked.ifUnavailable,
  })
}

/** What it was built on failed: it is placed again, as after an operator without room. */
async function fail(memory: MemoryApp, index: number): Promise<void> {
  const row = pick(rowsIn(memory, 'provisioning'), index)
  if (row === undefined) return
  const displacedBy = { cause: 'fault', causeId: row.clusterId ?? row.id } as const
  await memory.app.writer.run(
    by((draft) => {
      const failed = draft.allocation(row.id)
      if (failed?.status === 'provisioning') placeElsewhere(draft, { ...failed, displacedBy })
    }),
  )
}

/** The nodes that leave go at once. */
async function shrink(memory: MemoryApp, index: number): Promise<void> {
  const { app } = memory
  const row = pick(rowsIn(memory, 'waitlisted', 'scheduled', 'provisioning', 'active'), index)
  if (row === undefined) return
  await shrinkAllocation(app, COMMAND, row.id, { nodes: Math.max(1, row.desiredNodes - 1) })
  await app.writer.run(
    by((draft) => {
      const shrunk = draft.allocation(row.id)
      if (shrunk === null || shrunk.nodes <= shrunk.desiredNodes) return
      for (const node of draft.nodesOf(row.id))
        if (node.status === 'deleting') draft.saveNode({ ...node, status: 'deleted' })
      draft.save(settleShrink(draft, shrunk))
    }),
  )
}

async function turn({ app, calendar }: MemoryApp, to: 'suspends' | 'resumes', index: number): Promise<void> {
  const cluster = pick(clustersIn(calendar), index)
  if (cluster === undefined) return
  const { id: clusterId } = cluster
  await app.writer.run(
    by((draft) => {
      draft.apply({ op: to === 'suspends' ? 'suspend-cluster' : 'resume-cluster', clusterId })
      if (to === 'suspends') displaceFrom(draft, clusterId, { cause: 'suspension', causeId: clusterId })
    }),
  )
}

/** The last phase of a cluster comes some days earlier or later. */
async function slip({ app, calendar, now }: MemoryApp, index: number): Promise<void> {
  const catalogue = clustersIn(calendar).map((cluster) => {
    const last = cluster.phases.at(-1)
    if (cluster.phases.length < 2 || last === undefined || last.from <= now) return cluster
    return { ...cluster, phases: [...cluster.phases.slice(0, -1), { ...last, from: now + (1 + index) * DAY_MS }] }
  })
  await app.writer.run(changeCatalogue({ catalogue, apply: true }))
}

/** Stops wherever something is due on the way. @param isStuck operators confirm no release meanwhile */
async function pass(memory: MemoryApp, hours: number, isStuck: boolean): Promise<void> {
  const until = memory.now + hours * HOUR_MS
  for (;;) {
    const due = [
      nextNoticeAt(memory.calendar, memory.now) ?? until,
      ...[...memory.rows.allocations.values()].flatMap(({ startAt, endAt }) => [startAt ?? until, endAt ?? until]),
      nextTurn(memory.calendar, memory.now) ?? until,
    ].filter((at) => at > memory.now)
    memory.now = Math.min(until, ...due)
    await work(memory, isStuck)
    if (memory.now >= until) return
  }
}

async function work(memory: MemoryApp, isStuck: boolean): Promise<void> {
  const { app, rows } = memory
  const { now } = memory
  await app.writer.run(by(() => undefined)) // notices that are due are given with whatever is decided
  for (const row of rowsIn(memory, 'provisioning', 'active')) {
    if (row.endAt !== null && row.endAt <= now) await app.writer.run(endAtItsEnd(claimOn(memory, row)))
  }
  for (const row of [...rows.allocations.values()]) {
    if (!isLeaving(row, now) || isStuck) continue
    const gone = { notes: [], steps: [], unanswered: [], ready: false, gone: true, counts: { ready: 0, failed: 0 } }
    await app.writer.run(recordGiveBack(claimOn(memory, row), gone))
  }
  const ids = rowsIn(memory, 'provisioning', 'active', 'releasing', 'preempting').map(({ id }) => id)
  await app.writer.run(quarantineOverdue(ids, PATIENCE))
  for (const row of rowsIn(memory, 'scheduled')) {
    if (row.startAt === null || row.startAt > now) continue
    await app.writer.run(startAllocation(claimOn(memory, row), { ...BUILDING, asks: true }))
  }
  for (const row of rowsIn(memory, 'provisioning'))
    if (row.sequence % 3 !== 0)
      await app.writer.run(
        by((draft) => {
          const ready = draft.allocation(row.id)
          if (ready?.status === 'provisioning') transition(draft, ready, 'allReady', { activeAt: now })
        }),
      )
  await replanWaitlist(app, AT_ONCE)
}

/** On the row as it is now: whoever was asked before may have changed it. */
export function claimOn({ rows }: MemoryApp, { id, ...listed }: AllocationRow) {
  const row = rows.allocations.get(id) ?? { id, ...listed }
  rows.allocations.set(id, { ...row, claimToken: TOKEN })
  return { id, token: TOKEN }
}
