/**
 * A re-plan on a copy of the calendar, in slices: between two of them everybody else has a turn, and nobody waits for a
 * lock. Whether it still holds when it is ready is for whoever writes it down to see.
 */
import { type Calendar, cloneCalendar } from '../core/calendar.ts'
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
const SLICE_MS = 3

const othersTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

export async function planAside({ cache, database, policy, now: clock }: App): Promise<PlanAside> {
  const { calendar: seen, version: calendarVersion } = await cache.see(database.queries)
  const options = { now: clock(), policy, seed: seedFor(calendarVersion) }
  const steps = replanSteps(cloneCalendar(seen), options)
  await othersTurn()
  let sliceFrom = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return { ...planFrom(step.value, { ...options, calendarVersion }), seen }
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
