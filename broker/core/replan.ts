/**
 * Planning again for those who wait: after a release, a lapse, a new phase, a lifted drain, or because a planned start is
 * at hand. First each is given, in serving order, the earliest start that it can have while everybody else keeps the plan
 * of the moment: that is the present plan, and it is always a way out. Then, if the policy says so, better orders are
 * searched for, priority by priority and never past a promise (`planning/`), and the best plan found takes its place.
 */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, coverNow, stateOf, type Calendar } from './calendar.ts'
import { cloneCalendar } from './calendar-copy.ts'
import type { CalendarOp, Reservation, WaitingEntry } from './calendar-op.ts'
import { reservationOf, waiting } from './calendar-reads.ts'
import { withOps } from './calendar-undo.ts'
import { opsOfChange, reservationFor, waitIsOver, type PlanChange, type Slip } from './plan-change.ts'
import type { Policy } from './placement/policy.ts'
import { windowOfWait } from './placement/window.ts'
import { searchByPriority } from './planning/by-priority.ts'
import { changeFor, changeTo, type Turn } from './replan-entry.ts'
import { finished } from './steps.ts'

export interface ReplanOptions {
  readonly now: EpochMs
  readonly policy: Policy
  /** What chance in the search begins with; stored, so that a replay sees the same plan. */
  readonly seed: number
  /**
   * Once so many have found something better, where nobody else is moved, others are left to the next plan, but for those
   * whose time has come. Default: nobody is. Stored too.
   */
  readonly most?: number
}

export interface Replan {
  /** Who is not named keeps what he has. */
  readonly changes: readonly PlanChange[]
  /** Who was moved past his promise for a higher priority. */
  readonly slips: readonly Slip[]
  /** Placements that the search has tried. */
  readonly tried: number
  /** Where each of those that change had its place before; null: nowhere. */
  readonly before: ReadonlyMap<string, Reservation | null>
  /** Somebody was left to the next plan. */
  readonly isCut: boolean
}

/** What is to change; the calendar stays as it is. */
export const replan = (calendar: Calendar, options: ReplanOptions): Replan =>
  finished(replanSteps(cloneCalendar(calendar), options))

/**
 * The same in small steps, so that a long re-plan can be done in slices: each `next()` plans one entry, or tries one order.
 *
 * @param scratch is changed: hand in a clone
 */
export const replanSteps = (scratch: Calendar, options: ReplanOptions): Generator<undefined, Replan> =>
  options.policy.search === null ? plainSteps(scratch, options) : searchedSteps(scratch, options)

/** As `earliest-fit-1` plans: only gains, each carried out before the next is looked for. */
function* plainSteps(scratch: Calendar, { now, policy }: ReplanOptions): Generator<undefined, Replan> {
  coverNow(scratch, now)
  const changes = new Map<string, PlanChange>()
  const before = new Map<string, Reservation | null>()
  for (let pass = 0; pass < policy.replanPasses; pass += 1) {
    let gained = false
    for (const entry of waitingToReserve(scratch)) {
      // What one entry left behind may be of use to another that was asked before it.
      const change = changeFor(turnOf(scratch, entry, { now, policy, onlyNow: pass > 0 }))
      yield
      if (change === null) continue
      if (!before.has(entry.allocationId)) before.set(entry.allocationId, reservationOf(scratch, entry.allocationId))
      for (const op of opsOfChange(entry, change)) applyOp(scratch, op)
      changes.set(entry.allocationId, change)
      gained = true
    }
    if (!gained) break
  }
  return { changes: [...changes.values()], slips: [], tried: 0, before, isCut: false }
}

/** Idle-use holds no place: it is served after this, from what is left over. */
const waitingToReserve = (scratch: Calendar): WaitingEntry[] =>
  waiting(scratch).filter(({ priority }) => priority !== 'idle')

type Circumstances = Pick<Turn, 'now' | 'policy' | 'onlyNow'>

const turnOf = (scratch: Calendar, entry: WaitingEntry, circumstances: Circumstances): Turn => ({
  ...circumstances,
  scratch,
  entry,
  window: windowOfWait(entry.request.period, circumstances.now),
})

function* searchedSteps(
  scratch: Calendar,
  { now, policy, seed, most = Number.POSITIVE_INFINITY }: ReplanOptions,
): Generator<undefined, Replan> {
  coverNow(scratch, now)
  yield
  const entries = waitingToReserve(scratch)
  yield
  const before: Map<string, Reservation | null> = new Map()
  const newcomers = new Set<string>()
  const over = new Map<string, PlanChange>()
  let [found, isCut] = [0, false]
  for (const entry of entries) {
    // Nobody is moved by another's turn: what he has now is what he had.
    const had = reservationOf(scratch, entry.allocationId)
    before.set(entry.allocationId, had)
    if (had === null) newcomers.add(entry.allocationId)
    // Whose time has come is not planned again. A start that is only possible now may be worth more to another.
    const isDue = had !== null && had.start <= now
    isCut ||= found >= most
    if (isCut && !isDue) continue
    const change = changeFor(turnOf(scratch, entry, { now, policy, onlyNow: false }))
    yield
    if (change === null) continue
    found += 1
    if (isDue || change.expired) carryOut(scratch, entry, change, over)
    else applyOp(scratch, opOfPlace(entry, change))
  }
  const { slips, tried } = yield* searchByPriority(scratch, { now, policy, seed, newcomers })
  yield* startNow(scratch, { now, policy, onlyNow: true }, over)
  const changes: PlanChange[] = []
  for (const entry of entries) {
    const turn = turnOf(scratch, entry, { now, policy, onlyNow: false })
    const change = over.get(entry.allocationId) ?? moved(turn, before.get(entry.allocationId) ?? null)
    yield
    if (change !== null) changes.push(change)
  }
  return { changes, slips, tried, before, isCut }
}

/** Who can start now does: also where an order, which is planned in whole hours, has not seen it. */
function* startNow(
  scratch: Calendar,
  circumstances: Circumstances,
  over: Map<string, PlanChange>,
): Generator<undefined, void> {
  for (let pass = 0; pass < circumstances.policy.replanPasses; pass += 1) {
    let started = false
    for (const entry of waitingToReserve(scratch)) {
      const change = changeFor(turnOf(scratch, entry, circumstances))
      yield
      if (change === null) continue
      carryOut(scratch, entry, change, over)
      started = true
    }
    if (!started) return
  }
}

function carryOut(scratch: Calendar, entry: WaitingEntry, change: PlanChange, over: Map<string, PlanChange>): void {
  for (const op of opsOfChange(entry, change)) applyOp(scratch, op)
  if (waitIsOver(change)) over.set(entry.allocationId, change)
}

/** It keeps waiting, with this place. */
const opOfPlace = (entry: WaitingEntry, { placement }: PlanChange): CalendarOp =>
  placement === null
    ? { op: 'release', allocationId: entry.allocationId }
    : { op: 'reserve', reservation: reservationFor(entry, placement, 'planned') }

/** What has become of one who still waits; null when he has the place that he had. */
function moved(turn: Turn, before: Reservation | null): PlanChange | null {
  const { scratch, entry } = turn
  const after = reservationOf(scratch, entry.allocationId)
  if (after === null) return before === null ? null : changeTo(turn, null)
  if (before !== null && isSamePlace(before, after)) return null
  const { clusterId, nodes, start, end, heldUntil } = after
  const { providerId } = stateOf(scratch, clusterId).cluster
  return withOps(scratch, [{ op: 'release', allocationId: entry.allocationId }], () =>
    changeTo(turn, { clusterId, providerId, nodes, start, end, heldUntil }),
  )
}

const isSamePlace = (a: Reservation, b: Reservation): boolean =>
  a.clusterId === b.clusterId && a.nodes === b.nodes && a.start === b.start && a.heldUntil === b.heldUntil
