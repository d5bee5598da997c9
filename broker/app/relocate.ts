/** When a cluster has less than is reserved there: who has not started gets another place, or waits. */
import { overbooked } from '../core/overbooked.ts'
import type { Draft } from './draft.ts'
import { placeElsewhere } from './give-back.ts'
import { summaryOf } from './announce.ts'

export function relocateOverbooked(draft: Draft, clusterId: string): void {
  for (const reservation of overbooked(draft.calendar, clusterId, draft.now)) {
    const row = draft.allocation(reservation.allocationId)
    if (row === null) continue
    draft.apply({ op: 'release', allocationId: row.id })
    if (row.status !== 'scheduled') continue // one that waits is planned again by the next re-plan
    placeElsewhere(draft, row)
    const moved = draft.allocation(row.id) ?? row
    draft.event({
      type: 'allocation.relocated',
      subject: `allocations/${row.id}`,
      allocation: moved,
      data: summaryOf(moved),
    })
  }
}
