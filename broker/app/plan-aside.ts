/**
 * Plans on a copy of the calendar, in slices: between two of them everybody else has a turn, and nobody waits for a lock.
 * What of a plan still holds when it is ready is for whoever writes it down to see (write-plan.ts).
 */
import type { Calendar } from '../core/calendar.ts'
import { cloneCalendar, copySteps } from '../core/calendar-copy.ts'
import type { Reservation, WaitingEntry } from '../core/calendar-op.ts'
import { waitingEntryOf } from '../core/calendar-reads.ts'
import { serveIdleSteps, someoneWaitsForIdle } from '../core/idle/serve.ts'
import { type PlanChange, type Slip, waitIsOver } from '../core/plan-change.ts'
import { replanSteps } from '../core/replan.ts'
import type { App } from './app.ts'
import type { SeenCalendar } from './calendar-cache.ts'
import type { PlannedBy } from './occupy.ts'
import { inSlices } from './slices.ts'

/** One line of a plan, with what it was made on. */
export interface PlanLine {
  readonly change: PlanChange
  readonly entry: WaitingEntry
  /** Where its place was; null: nowhere. */
  readonly had: Reservation | null
  /** Null: it is not moved past its promise for a higher priority. */
  readonly slip: Slip | null
}

export interface PlanAside {
  /** Whose wait is over comes first, then in serving order: who is in somebody's way has most likely made way by then. */
  readonly lines: readonly PlanLine[]
  /** Stored with each decision, so that it can be made again. */
  readonly origin: PlannedBy
  readonly calendarVersion: number
  /** Somebody was left to the next plan. */
  readonly isCut: boolean
  /** Who has no place in it, and will have none when it is written. */
  readonly placeless: ReadonlySet<string>
  /** The calendar that was copied. */
  readonly seen: Calendar
  /** Whether it is still what the plan was made on, whatever came since: it was not built anew, and nothing taken back. */
  readonly isOf: (calendar: Calendar) => boolean
}

/** What one plan may change of those whom the search does not move: enough to be done soon, few enough to be written soon. */
const MOST_CHANGES = 256

/** So often the calendar may change while it is copied; then it is copied in one go, or a busy one would never be. */
const COPIES_IN_SLICES = 3

export async function planAside(app: App): Promise<PlanAside> {
  const { seen, copy, calendarVersion, isOf } = await copied(app)
  const origin = { now: app.now(), calendarVersion, seed: seedFor(calendarVersion), most: MOST_CHANGES }
  const entries = new Map(copy.waiting)
  const { changes, slips, tried, before, isCut } = await inSlices(replanSteps(copy, { ...origin, policy: app.policy }))
  const slipOf = new Map(slips.map((slip) => [slip.allocationId, slip]))
  const lines = changes.flatMap((change): PlanLine[] => {
    const entry = entries.get(change.allocationId)
    const [had, slip] = [before.get(change.allocationId) ?? null, slipOf.get(change.allocationId) ?? null]
    return entry === undefined ? [] : [{ change, entry, had, slip }]
  })
  const placeless = new Set<string>()
  for (const id of entries.keys()) if (!copy.reservedAt.has(id)) placeless.add(id)
  return {
    lines: [...lines.filter(isOver), ...lines.filter((line) => !isOver(line))],
    origin: { replan: { ...origin, tried } },
    ...{ calendarVersion, isCut, placeless, seen, isOf },
  }
}

const isOver = ({ change }: PlanLine): boolean => waitIsOver(change)

/** Who waits for idle-use is served from what those who reserve have left; null where nobody does. */
export async function serveIdleAside(app: App): Promise<PlanAside | null> {
  const { calendar } = await app.cache.see()
  if (!someoneWaitsForIdle(calendar)) return null
  const { seen, copy, calendarVersion, isOf } = await copied(app)
  const now = app.now()
  const changes = await inSlices(serveIdleSteps(copy, now, app.policy))
  const lines = changes.flatMap((change): PlanLine[] => {
    const entry = waitingEntryOf(copy, change.allocationId)
    return entry === null ? [] : [{ change, entry, had: null, slip: null }]
  })
  return {
    lines,
    origin: { idle: { calendarVersion, now } },
    calendarVersion,
    isCut: false,
    placeless: new Set(),
    seen,
    isOf,
  }
}

interface Copied extends Pick<PlanAside, 'seen' | 'calendarVersion' | 'isOf'> {
  readonly copy: Calendar
}

async function copied({ cache }: App): Promise<Copied> {
  for (let tries = 0; tries < COPIES_IN_SLICES; tries += 1) {
    const kept = await cache.see()
    const { calendar: seen, version: calendarVersion } = kept
    const isOf = stillThatOf(kept)
    const copy = await inSlices(copySteps(seen))
    if (kept.version === calendarVersion && isOf(seen)) return { seen, copy, calendarVersion, isOf }
  }
  const kept = await cache.see()
  const { calendar: seen, version: calendarVersion } = kept
  return { seen, copy: cloneCalendar(seen), calendarVersion, isOf: stillThatOf(kept) }
}

function stillThatOf(kept: SeenCalendar): (calendar: Calendar) => boolean {
  const { calendar: seen, takenBack } = kept
  return (calendar) => calendar === seen && kept.takenBack === takenBack
}

/** Another calendar, other tries: what one search has missed the next may find. */
export const seedFor = (calendarVersion: number): number => calendarVersion % 2 ** 31
