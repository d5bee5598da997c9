/** The order in which those waiting are served, and what they are promised. */
import { PRIORITIES, type Priority } from '../../shared/approval.ts'
import type { EpochMs } from '../../shared/time.ts'
import type { WaitingEntry } from './calendar-op.ts'
import type { Policy } from './placement/policy.ts'

/** 0 is served first. */
export const rankOf = (priority: Priority): number => PRIORITIES.indexOf(priority)

/** What the order is made of. */
type Served = Pick<WaitingEntry, 'priority' | 'since' | 'order'>

/** Negative: `a` is served before `b`. Total: `order` is never shared. */
export function compareServing(a: Served, b: Served): number {
  return rankOf(a.priority) - rankOf(b.priority) || a.since - b.since || a.order - b.order
}

/** Priority first, then who has waited longer, then who came first. */
export const servingOrder = (entries: Iterable<WaitingEntry>): WaitingEntry[] => [...entries].toSorted(compareServing)

/**
 * The latest start that a caller is told: the planned start plus the policy's slack, never after `latestStart`. Null
 * where nothing is planned. Set once; what later arrives cannot push it, because nobody's plan is made later for others.
 */
export function promiseFor(plan: {
  readonly plannedStart: EpochMs | null
  readonly now: EpochMs
  readonly latestStart: EpochMs | null
  readonly policy: Policy
}): EpochMs | null {
  if (plan.plannedStart === null) return null
  const { leastMs, waitDivisor } = plan.policy.promiseSlack
  const shareOfWait = Math.floor(Math.max(0, plan.plannedStart - plan.now) / waitDivisor)
  const promised = plan.plannedStart + Math.max(leastMs, shareOfWait)
  return plan.latestStart === null ? promised : Math.min(promised, plan.latestStart)
}
