/**
 * A small programme on a virtual clock, as the broker runs it: who asks is placed or waits, whoever must give way is told
 * at the very instant, and what was given back is planned and served again. Nothing is decided here.
 */
import fc from 'fast-check'
import type { Priority } from '../../../shared/approval.ts'
import { MINUTE_MS, type EpochMs } from '../../../shared/time.ts'
import { applyOp, type Calendar } from '../../../broker/core/calendar.ts'
import type { Reservation, WaitingEntry } from '../../../broker/core/calendar-op.ts'
import { clustersIn, reservationsOn, waitingEntryOf } from '../../../broker/core/calendar-reads.ts'
import { nextNoticeAt, type Notice, noticesDue, underNotice } from '../../../broker/core/idle/notices.ts'
import { serveIdle } from '../../../broker/core/idle/serve.ts'
import { opsOfChange, reservationFor, type PlanChange } from '../../../broker/core/plan-change.ts'
import { place } from '../../../broker/core/placement/place.ts'
import type { Policy } from '../../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../../broker/core/placement/request.ts'
import { replan } from '../../../broker/core/replan.ts'
import { anEntry, aRequest, fixed, flexible } from '../fleet.ts'

export interface World {
  readonly calendar: Calendar
  readonly policy: Policy
  now: EpochMs
}

export interface Witness {
  /** After everything that happened at one instant. */
  settled(world: World): void
  told(world: World, notice: Notice): void
  asked(world: World, request: PlacementRequest): void
}

export interface Ask {
  readonly nodes: number
  readonly hours: number
  readonly inMinutes: number
  readonly isFixed: boolean
  readonly priority: Priority
}

export type Happening =
  | { readonly kind: 'asks'; readonly ask: Ask }
  | { readonly kind: 'passes'; readonly minutes: number }
  /** The nth of those who hold nodes gives them back. */
  | { readonly kind: 'ends'; readonly nth: number }

const anyAsk: fc.Arbitrary<Ask> = fc.record({
  nodes: fc.integer({ min: 1, max: 6 }),
  hours: fc.integer({ min: 1, max: 60 }),
  inMinutes: fc.constantFrom(0, 0, 17, 49, 50, 51, 180, 1_000),
  isFixed: fc.boolean(),
  priority: fc.constantFrom('national' as const, 'standard' as const, 'idle' as const, 'idle' as const),
})

export const anyHappenings: fc.Arbitrary<Happening[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: anyAsk.map((ask): Happening => ({ kind: 'asks', ask })) },
    {
      weight: 2,
      arbitrary: fc.integer({ min: 1, max: 400 }).map((minutes): Happening => ({ kind: 'passes', minutes })),
    },
    { weight: 1, arbitrary: fc.nat(20).map((nth): Happening => ({ kind: 'ends', nth })) },
  ),
  { maxLength: 25 },
)

export function live(world: World, happenings: readonly Happening[], witness: Witness): void {
  for (const happening of happenings) {
    if (happening.kind === 'passes') pass(world, world.now + happening.minutes * MINUTE_MS, witness)
    else if (happening.kind === 'asks') ask(world, happening.ask, witness)
    else end(world, happening.nth)
    settle(world, witness)
  }
}

function ask(world: World, asked: Ask, witness: Witness): void {
  const { calendar, now, policy } = world
  const start = now + asked.inMinutes * MINUTE_MS
  const period = asked.isFixed ? fixed(start, asked.hours) : flexible(asked.hours, start)
  const request = aRequest({ demand: { nodes: asked.nodes }, period, priority: asked.priority })
  witness.asked(world, request)
  const { best, startsAsAsked } = place(calendar, request, now, policy)
  const entry = anEntry({ priority: asked.priority, since: now, request })
  if (best !== null && startsAsAsked) {
    applyOp(calendar, { op: 'reserve', reservation: reservationFor(entry, best, 'scheduled') })
    return
  }
  applyOp(calendar, { op: 'wait', entry })
  if (best !== null && asked.priority !== 'idle')
    applyOp(calendar, { op: 'reserve', reservation: reservationFor(entry, best, 'planned') })
}

const all = ({ calendar }: World): Reservation[] =>
  clustersIn(calendar).flatMap(({ id }) => reservationsOn(calendar, id))

function end(world: World, nth: number): void {
  const running = all(world).filter(({ phase, start }) => phase !== 'planned' && start <= world.now)
  const leaving = running[nth % Math.max(1, running.length)]
  if (leaving !== undefined) applyOp(world.calendar, { op: 'release', allocationId: leaving.allocationId })
}

/** Stops wherever something is due on the way. */
function pass(world: World, until: EpochMs, witness: Witness): void {
  for (;;) {
    const due = [
      nextNoticeAt(world.calendar, world.now) ?? until,
      ...all(world).flatMap(({ start, heldUntil }) => [start, heldUntil]),
    ].filter((at) => at > world.now)
    world.now = Math.min(until, ...due)
    settle(world, witness)
    if (world.now === until) return
  }
}

function settle(world: World, witness: Witness): void {
  const { calendar, now, policy } = world
  for (const reservation of all(world)) if (reservation.heldUntil <= now) leave(world, reservation)
  tell(world, witness)
  for (const change of replan(calendar, { now, policy, seed: 1 }).changes) carryOut(calendar, change)
  for (const change of serveIdle(calendar, now, policy)) carryOut(calendar, change)
  // One that was given nodes for just as long as it takes to have them back is told at once.
  tell(world, witness)
  witness.settled(world)
}

function tell(world: World, witness: Witness): void {
  const { calendar, now } = world
  for (const notice of noticesDue(calendar, now)) {
    witness.told(world, notice)
    const turnoverMs = clustersIn(calendar).find(({ id }) => id === notice.grant.clusterId)?.turnoverMs ?? 0
    applyOp(calendar, { op: 'reserve', reservation: underNotice(notice, turnoverMs) })
  }
}

/** One that was told waits again, for what is left of its time. */
function leave(
  { calendar }: World,
  { allocationId, reclaimedAt, end: grantedUntil, order, ...rest }: Reservation,
): void {
  applyOp(calendar, { op: 'release', allocationId })
  if (reclaimedAt === undefined || grantedUntil <= reclaimedAt) return
  const request = aRequest({
    demand: { nodes: rest.nodes },
    period: { kind: 'flexible', durationMs: grantedUntil - reclaimedAt, earliestStart: rest.start, latestStart: null },
    priority: 'idle',
  })
  applyOp(calendar, {
    op: 'wait',
    entry: anEntry({ allocationId, order, priority: 'idle', since: rest.start, request }),
  })
}

function carryOut(calendar: Calendar, change: PlanChange): void {
  const entry: WaitingEntry | null = waitingEntryOf(calendar, change.allocationId)
  if (entry !== null) for (const op of opsOfChange(entry, change)) applyOp(calendar, op)
}
