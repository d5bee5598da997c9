/** When a cluster has less than is reserved there: who has not started gets another place, or waits. */
import type { Displacement } from '../../shared/promise.ts'
import type { Interval } from '../../shared/time.ts'
import { reservationsOn, waitingEntryOf } from '../core/calendar-reads.ts'
import { withOps } from '../core/calendar-undo.ts'
import { overbooked, shortfallWithin } from '../core/overbooked.ts'
import { placeAgain } from '../core/placement/place.ts'
import type { AllocationRow } from '../store/changes.ts'
import type { Affected } from '../store/schema.ts'
import type { Draft } from './draft.ts'
import { summaryOf, transition } from './announce.ts'
import { type Decided, putInLine, schedule } from './occupy.ts'
import { requestOfRow } from './placement-request.ts'

/** @param by what took the room @returns what became of whom */
export function relocateOverbooked(draft: Draft, clusterId: string, by: Displacement): Affected[] {
  const affected: Affected[] = []
  for (const reservation of overbooked(draft.calendar, clusterId, draft.now)) {
    const found = draft.allocation(reservation.allocationId)
    if (found === null) continue
    const row = { ...found, displacedBy: by }
    draft.apply({ op: 'release', allocationId: row.id })
    if (row.status !== 'scheduled') {
      draft.save(row)
      affected.push({ allocationId: row.id, effect: 'waitlisted' }) // it is planned again by the next re-plan
      continue
    }
    placeElsewhere(draft, row)
    const moved = draft.allocation(row.id) ?? row
    affected.push({ allocationId: row.id, effect: moved.status === 'scheduled' ? 'relocated' : 'waitlisted' })
    draft.event({
      type: 'allocation.relocated',
      subject: `allocations/${row.id}`,
      allocation: moved,
      data: summaryOf(moved),
    })
  }
  return affected
}

/** Who runs on while more is reserved than there is: theirs to end early, or the operator's to wait for. */
export function stillRunning(draft: Draft, clusterId: string, during: Interval): Affected[] {
  if (!shortfallWithin(draft.calendar, clusterId, during)) return []
  return reservationsOn(draft.calendar, clusterId)
    .filter(({ phase, priority }) => phase === 'running' && priority !== 'idle')
    .filter(({ start, heldUntil }) => start < during.end && heldUntil > during.start)
    .map(({ allocationId }) => ({ allocationId, effect: 'running' }))
}

/** What was built is gone: another place, or the waitlist; the decision says what was in the way. */
export function placeElsewhere(draft: Draft, row: AllocationRow): void {
  const approval = draft.approval(row.approvalId)
  if (approval === null) throw new Error('an allocation has its approval')
  const gpuMs = Number.MAX_SAFE_INTEGER // it holds its GPU-time already; only its place is asked for
  const request = waitingEntryOf(draft.calendar, row.id)?.request ?? requestOfRow(row, approval, gpuMs)
  const placement = withOps(draft.calendar, [{ op: 'release', allocationId: row.id }], () =>
    placeAgain(draft.calendar, request, draft.now, draft.policy),
  )
  const { best } = placement
  const decided: Decided = { kind: 'relocate', request, placement, again: true }
  if (best !== null && (placement.startsAsAsked || best.start <= draft.now)) {
    transition(draft, row, 'replaced', schedule(draft, row, decided, best))
    return
  }
  draft.apply({ op: 'release', allocationId: row.id })
  transition(draft, row, 'requeued', putInLine(draft, row, approval, decided))
}
