/** The order in which those waiting are served. */
import { PRIORITIES, type Priority } from '../../shared/approval.ts'
import type { WaitingEntry } from './calendar-op.ts'

/** 0 is served first. */
export const rankOf = (priority: Priority): number => PRIORITIES.indexOf(priority)

/** What the order is made of. `standing`: of the organisation, by what it has consumed lately. */
export type Served = Pick<WaitingEntry, 'priority' | 'since' | 'order'> & { readonly standing: number }

/** Negative: `a` is served before `b`. Total: `order` is never shared. */
export function compareServing(a: Served, b: Served): number {
  return rankOf(a.priority) - rankOf(b.priority) || a.standing - b.standing || a.since - b.since || a.order - b.order
}

/** Priority first, then whose organisation has consumed less, then who has waited longer, then who came first. */
export const servingOrder = (
  entries: Iterable<WaitingEntry>,
  standingOf: (entry: WaitingEntry) => number,
): WaitingEntry[] =>
  Array.from(entries, (entry) => {
    const { priority, since, order } = entry
    return { entry, priority, since, order, standing: standingOf(entry) }
  })
    .toSorted(compareServing)
    .map(({ entry }) => entry)
