/** Plans again for those who wait: after a release, a lapse, a new phase, or because a planned start is at hand. */
import { MINUTE_MS, type EpochMs } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import { reservationOf, waiting } from '../core/calendar-reads.ts'
import { askedStartOf, lastStartOf } from '../core/placement/request.ts'
import type { App } from './app.ts'
import type { Member } from './decide-group.ts'
import { type PlanAside, planAside, serveIdleAside } from './plan-aside.ts'
import { brokenPromises, slipPromises } from './promises.ts'
import { inSlices } from './slices.ts'
import { LINES_AT_ONCE, type Pace, rested, writePlan } from './write-plan.ts'

export interface Replanned {
  /** How many plans changed. */
  readonly changed: number
  /** Whether there is more to plan at once: somebody was left to the next plan, or a part of this one did not hold any more. */
  readonly isPartial: boolean
}

/** Plans on a copy of the calendar while others go on deciding, and takes the lock only for moments, to write it down. */
export async function replanWaitlist(app: App, pace: Pace): Promise<Replanned> {
  const plan = await planAside(app)
  const written = await writePlan(app, plan, pace)
  const left = new Set(written.left.map(({ change }) => change.allocationId))
  if (written.isOutdated || pace.isOver()) return { changed: written.changed, isPartial: true }
  await holdPromises(app, { plan, left, pace })
  const idle = await serveIdleAside(app)
  const served = idle === null ? { changed: 0, left: [], isOutdated: false } : await writePlan(app, idle, pace)
  const changed = written.changed + served.changed
  // Where nothing could be written, another plan at once would fare no better.
  const isLeft = changed > 0 && (plan.isCut || left.size + served.left.length > 0)
  return { changed, isPartial: served.isOutdated || isLeft }
}

/** Of those who wait in vain so many are looked at after one plan: nothing changes for them but the reason that is shown. */
const MOST_IN_VAIN = 128

interface Planned {
  readonly plan: PlanAside
  /** Whose plan is still to be written: what took their places is still to be answered for. */
  readonly left: ReadonlySet<string>
  readonly pace: Pace
}

async function holdPromises(app: App, { plan, left, pace }: Planned): Promise<void> {
  const broken = plan.isCut ? [] : await inSlices(brokenPromises(plan, app.now()))
  // All of them in turn, where there are many.
  const first = broken.length > MOST_IN_VAIN ? (Math.floor(app.now() / MINUTE_MS) * MOST_IN_VAIN) % broken.length : 0
  const looked = [...broken.slice(first), ...broken.slice(0, first)].slice(0, MOST_IN_VAIN)
  for (let at = 0; at < looked.length; at += LINES_AT_ONCE) {
    const ids = looked.slice(at, at + LINES_AT_ONCE)
    await rested(pace, () => app.writer.run(slipping(ids, plan)))
  }
  for (let after: number | null = 0; after !== null; ) after = await app.writer.run(answering(after, { plan, left }))
}

/** Who has no place in a plan that was made on what was then taken back may have one in the next. */
const slipping = (ids: readonly string[], plan: PlanAside): Member<void> => ({
  needs: { allocations: ids },
  decide(draft) {
    if (plan.isOf(draft.calendar)) slipPromises(draft, ids)
  },
})

/**
 * Those who were displaced and have a place again, or none even in this plan: who has lost it since the plan was made is for
 * the next one to find a place for. @returns the sequence of the last one; null: there are no more
 */
const answering = (after: number, { plan, left }: Omit<Planned, 'pace'>): Member<number | null> => ({
  needs: { displaced: { after, limit: LINES_AT_ONCE } },
  decide(draft) {
    if (!plan.isOf(draft.calendar)) return null
    const displaced = draft
      .allocations()
      .filter(
        ({ status, displacedBy, sequence }) => status === 'waitlisted' && displacedBy !== null && sequence > after,
      )
      .slice(0, LINES_AT_ONCE)
    const isAnswered = (id: string): boolean =>
      reservationOf(draft.calendar, id) !== null || (!plan.isCut && plan.placeless.has(id))
    slipPromises(
      draft,
      displaced.map(({ id }) => id).filter((id) => !left.has(id) && isAnswered(id)),
    )
    return displaced.length < LINES_AT_ONCE ? null : (displaced.at(-1)?.sequence ?? null)
  },
})

/** When somebody's start is next at hand, or their last chance has passed; null when neither will ever be. */
export function nextTurn(calendar: Calendar, now: EpochMs): EpochMs | null {
  let next = Number.POSITIVE_INFINITY
  for (const { allocationId, priority, request } of waiting(calendar)) {
    const asked = askedStartOf(request.period)
    const turn =
      priority === 'idle' && asked > now
        ? asked // it has no place that would say so
        : (reservationOf(calendar, allocationId)?.start ?? lastStartOf(request) + 1)
    next = Math.min(next, turn)
  }
  return Number.isFinite(next) ? next : null
}
