/**
 * The calendar as its log tells it, operation by operation, with the digest that vouches for each. What several decisions
 * were made on together can be asked for once more: the operations since are taken back for it.
 */
import { EMPTY_LOG_DIGEST } from '../../../shared/proof.ts'
import type { EpochMs } from '../../../shared/time.ts'
import { chainedWith, type Sha256 } from '../canonical-json.ts'
import type { CalendarOp } from '../calendar-op.ts'
import { applyOp, type Calendar, emptyCalendar } from '../calendar.ts'
import { inverseOf } from '../calendar-undo.ts'
import { noticesDue } from '../idle/notices.ts'
import { serveIdle } from '../idle/serve.ts'
import type { Policy } from '../placement/policy.ts'
import { replan } from '../replan.ts'
import { MOST_BEHIND, type PlanOrigin } from './input.ts'
import { NotDecided, type Plans } from './rederive.ts'

export interface LogRecord {
  readonly version: number
  readonly at: EpochMs
  readonly op: CalendarOp
}

export interface Replay {
  readonly calendar: Calendar
  /** Of the last operation. */
  version(): number
  digest(): string
  /** The recorded instant of the last operation. */
  at(): EpochMs
  /** @throws RangeError for what cannot be on this calendar */
  append(entry: LogRecord): void
  plans(now: EpochMs, policy: Policy): Plans
}

interface Applied {
  readonly version: number
  readonly op: CalendarOp
  readonly inverse: CalendarOp
}

const PLANS_KEPT = 16
const OPERATIONS_KEPT = 2 * MOST_BEHIND

export function createReplay(sha256: Sha256): Replay {
  const calendar = emptyCalendar([], 0)
  let version = 0
  let digest = EMPTY_LOG_DIGEST
  let at: EpochMs = 0
  /** The last operations, in order: as many as a plan may be behind, with those of the group that writes it down. */
  let applied: Applied[] = []
  /** The last plans. */
  const made = new Map<string, ReadonlyMap<string, never>>()

  const asOf = <T>(wanted: number, ask: () => T): T => {
    const back = applied.filter((one) => one.version > wanted)
    if (wanted > version || back.length !== version - wanted)
      throw new NotDecided(`calendar version ${wanted} is not one that the decision can have been made on`)
    for (const { inverse } of back.toReversed()) applyOp(calendar, inverse)
    try {
      return ask()
    } finally {
      for (const { op } of back) applyOp(calendar, op)
    }
  }
  /** Many decisions are of one plan. */
  const once = <T>(
    key: string,
    calendarVersion: number,
    make: () => ReadonlyMap<string, T>,
  ): ReadonlyMap<string, T> => {
    const kept = made.get(key)
    if (kept !== undefined) return kept
    const fresh = asOf(calendarVersion, make)
    made.set(key, fresh as ReadonlyMap<string, never>) // the key begins with what kind of thing is in it
    const [oldest = ''] = made.keys()
    if (made.size > PLANS_KEPT) made.delete(oldest)
    return fresh
  }

  return {
    calendar,
    version: () => version,
    digest: () => digest,
    at: () => at,
    append(entry) {
      if (applied.length >= 2 * OPERATIONS_KEPT) applied = applied.slice(-OPERATIONS_KEPT)
      const inverse = inverseOf(calendar, entry.op)
      applyOp(calendar, entry.op)
      applied.push({ version: entry.version, op: entry.op, inverse })
      digest = chainedWith(sha256, digest, entry.op)
      version = entry.version
      at = entry.at
    },
    plans: (now, policy) => ({
      replan: (origin) =>
        once(
          `replan ${policy.version} ${origin.calendarVersion} ${origin.now} ${origin.seed} ${origin.most}`,
          origin.calendarVersion,
          () => byAllocation(replanned(calendar, origin, policy)),
        ),
      idle: ({ calendarVersion, now: madeAt = now }) =>
        once(`idle ${policy.version} ${calendarVersion} ${madeAt}`, calendarVersion, () =>
          byAllocation(serveIdle(calendar, madeAt, policy)),
        ),
      notices: (calendarVersion) =>
        once(`notices ${calendarVersion} ${now}`, calendarVersion, () =>
          byAllocation(
            noticesDue(calendar, now).map((notice) => ({ ...notice, allocationId: notice.grant.allocationId })),
          ),
        ),
    }),
  }
}

function replanned(calendar: Calendar, { tried, ...origin }: PlanOrigin, policy: Policy) {
  const plan = replan(calendar, { ...origin, policy })
  if (plan.tried !== tried) throw new NotDecided(`the search tries ${plan.tried} placements, not ${tried}`)
  return plan.changes
}

const byAllocation = <T extends { readonly allocationId: string }>(all: readonly T[]): ReadonlyMap<string, T> =>
  new Map(all.map((one) => [one.allocationId, one]))
