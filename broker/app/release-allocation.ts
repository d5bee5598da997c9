/** Gives an allocation back, now or at a later instant. Idempotent: what is ending or has ended stays as it is. */
import type { Allocation, ReleaseRequest } from '../../shared/allocation.ts'
import { invalidRequest } from '../../shared/refusal.ts'
import { toIso } from '../../shared/time.ts'
import { isFinal } from '../core/allocation-state.ts'
import { clusterOf, reservationOf } from '../core/calendar-reads.ts'
import type { App } from './app.ts'
import type { Answer, Command } from './command.ts'
import type { Draft } from './draft.ts'
import type { AllocationRow } from '../store/changes.ts'
import { endNow } from './end-allocation.ts'
import { assertFresh } from './fresh.ts'
import { ownAllocation } from './own.ts'
import { allocationView, etagOf } from './views.ts'

export function releaseAllocation(
  app: App,
  command: Command,
  id: string,
  request: ReleaseRequest,
): Promise<Answer<Allocation>> {
  return app.writer.answer(command, {
    needs: { allocations: [id] },
    decide(draft) {
      const row = ownAllocation(draft, command.caller, id)
      assertFresh(command, row)
      const released = release(draft, row, request)
      return {
        body: allocationView(released, { calendar: draft.calendar, position: undefined }),
        etag: etagOf(released),
      }
    },
  })
}

function release(draft: Draft, row: AllocationRow, request: ReleaseRequest): AllocationRow {
  const reason = request.reason ?? 'other'
  const at = request.at === undefined ? draft.now : Date.parse(request.at)
  if (at <= draft.now || isFinal(row.status)) return endNow(draft, row, reason)
  if (row.endAt === null) {
    throw invalidRequest([{ pointer: '/at', detail: 'must be left out: the allocation waits and has no end yet' }])
  }
  return endLater(draft, row, { at, reason })
}

/** Only ever earlier than planned; where it would end before it starts, it never starts. */
function endLater(draft: Draft, row: AllocationRow, { at, reason }: { at: number; reason: string }): AllocationRow {
  const reservation = reservationOf(draft.calendar, row.id)
  if (row.endAt === null || at >= row.endAt || row.status === 'releasing' || reservation === null) return row
  if (at <= reservation.start) {
    throw invalidRequest([
      { pointer: '/at', detail: `must be after the start, ${toIso(reservation.start)}, or left out` },
    ])
  }
  const turnoverMs = clusterOf(draft.calendar, reservation.clusterId)?.turnoverMs ?? 0
  draft.apply({ op: 'reserve', reservation: { ...reservation, end: at, heldUntil: at + turnoverMs } })
  const sooner = row.nextLookAt === null ? at : Math.min(row.nextLookAt, at)
  const next = {
    ...row,
    endAt: at,
    releaseReason: reason,
    nextLookAt: sooner,
    version: row.version + 1,
    updatedAt: draft.now,
  }
  draft.save(next)
  return next
}
