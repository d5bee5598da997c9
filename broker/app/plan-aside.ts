/**
 * A re-plan on a copy of the calendar, in slices: between two of them everybody else has a turn, and nobody waits for a
 * lock. Whether it still holds when it is ready is for whoever writes it down to see.
 */
import type { Calendar } from '../core/calendar.ts'
import { cloneCalendar, copySteps } from '../core/calendar-copy.ts'
import type { PlanOrigin } from '../core/decisions/input.ts'
import { type Replan, replanSteps } from '../core/replan.ts'
import type { App } from './app.ts'

export interface Plan extends Replan {
  /** Stored with each decision, so that it can be made again. */
  readonly origin: PlanOrigin
}

export interface PlanAside extends Plan {
  /** The calendar that was copied; another one was built anew since. */
  readonly seen: Calendar
}

/** Less than the 5 ms for which nobody notices, because the last step of a slice still ends. */
const SLICE_MS = 2

/** So often the calendar may change while it is copied; then it is copied in one go, or a busy one would never be. */
const COPIES_IN_SLICES = 3

const othersTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export async function planAside(app: App): Promise<PlanAside> {
  const { seen, copy, calendarVersion } = await copied(app)
  const options = { now: app.now(), policy: app.policy, seed: seedFor(calendarVersion) }
  const replan = await inSlices(replanSteps(copy, options))
  return { ...planFrom(replan, { ...options, calendarVersion }), seen }
}

interface Copied {
  readonly seen: Calendar
  readonly copy: Calendar
  readonly calendarVersion: number
}

async function copied({ cache }: App): Promise<Copied> {
  for (let tries = 0; tries < COPIES_IN_SLICES; tries += 1) {
    const kept = await cache.see()
    const { calendar: seen, version: calendarVersion } = kept
    const copy = await inSlices(copySteps(seen))
    if (kept.version === calendarVersion) return { seen, copy, calendarVersion }
  }
  const { calendar: seen, version: calendarVersion } = await cache.see()
  return { seen, copy: cloneCalendar(seen), calendarVersion }
}

async function inSlices<T>(steps: Iterator<undefined, T>): Promise<T> {
  await othersTurn()
  let sliceFrom = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (performance.now() - sliceFrom < SLICE_MS) continue
    await othersTurn()
    sliceFrom = performance.now()
  }
}

/** Another calendar, other tries: what one search has missed the next may find. */
export const seedFor = (calendarVersion: number): number => calendarVersion % 2 ** 31

export const planFrom = (replan: Replan, made: Omit<PlanOrigin, 'tried'>): Plan => ({
  ...replan,
  origin: { now: made.now, calendarVersion: made.calendarVersion, seed: made.seed, tried: replan.tried },
})
