/**
 * What somebody who waits is promised: the latest start that the caller was told. It is made with the first plan, and
 * made later only when the plan itself no longer keeps it.
 */
import type { EpochMs } from '../../shared/time.ts'
import type { Policy } from './placement/policy.ts'
import { lastStartOf, type PlacementRequest } from './placement/request.ts'

export interface Plan {
  /** Null: there is none. */
  readonly plannedStart: EpochMs | null
  readonly now: EpochMs
  /** As the caller asked; null: any. */
  readonly latestStart: EpochMs | null
  readonly policy: Policy
}

/**
 * The planned start plus the policy's slack, never after `latestStart`. Null where nothing is planned. What later arrives
 * cannot push it, because nobody's plan is made later for others.
 */
export function promiseFor({ plannedStart, now, latestStart, policy }: Plan): EpochMs | null {
  if (plannedStart === null) return null
  const { leastMs, waitDivisor } = policy.promiseSlack
  const shareOfWait = Math.floor(Math.max(0, plannedStart - now) / waitDivisor)
  const promised = plannedStart + Math.max(leastMs, shareOfWait)
  return latestStart === null ? promised : Math.min(promised, latestStart)
}

export interface Promised extends Plan {
  readonly promisedStart: EpochMs
  /** The last start that the request and its approval allow. */
  readonly lastStart: EpochMs
}

/**
 * The later promise where the plan does not keep the one that was made; null while it does. Without any plan nothing
 * earlier than the last allowed start can be promised any more.
 */
export function laterPromise(made: Promised): EpochMs | null {
  const { plannedStart, promisedStart, lastStart } = made
  if (plannedStart !== null && plannedStart <= promisedStart) return null
  const later = plannedStart === null ? lastStart : promiseFor(made)
  return later !== null && Number.isFinite(later) && later > promisedStart ? later : null
}

export interface Asked extends Pick<Plan, 'plannedStart' | 'now' | 'policy'> {
  readonly request: PlacementRequest
  /** So far; null: nothing. */
  readonly promisedStart: EpochMs | null
}

/** What somebody is promised with this plan: the first promise, the one that there is, or a later one. */
export function promiseGiven({ request, plannedStart, promisedStart, now, policy }: Asked): EpochMs | null {
  // Idle-use is promised nothing: whoever reserves goes before it.
  if (request.priority === 'idle') return null
  const latestStart = request.period.kind === 'flexible' ? request.period.latestStart : null
  const plan = { plannedStart, now, latestStart, policy }
  if (promisedStart === null) return promiseFor(plan)
  return laterPromise({ ...plan, promisedStart, lastStart: lastStartOf(request) }) ?? promisedStart
}
