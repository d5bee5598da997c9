/** Takes a failed allocation up again: it waits for a place like any other, and may have it at once. */
import type { Allocation } from '../../shared/allocation.ts'
import { Refusal } from '../../shared/refusal.ts'
import { placeAgain } from '../core/placement/place.ts'
import type { AllocationRow } from '../store/changes.ts'
import { transition } from './announce.ts'
import type { App } from './app.ts'
import { assertWithinApproval } from './approval-check.ts'
import type { Answer, Command } from './command.ts'
import type { Draft } from './draft.ts'
import { assertFresh } from './fresh.ts'
import { putInLine } from './occupy.ts'
import { ownAllocation } from './own.ts'
import { requestOfRow } from './placement-request.ts'
import { allocationView, etagOf, positionsOf } from './views.ts'

export function retryAllocation(app: App, command: Command, id: string): Promise<Answer<Allocation>> {
  return app.writer.answer(command, {
    needs: { allocations: [id] },
    decide(draft) {
      const row = ownAllocation(draft, command.caller, id)
      assertFresh(command, row)
      const retried = retry(draft, row)
      const position = positionsOf(draft.calendar).get(id)
      return { body: allocationView(retried, { calendar: draft.calendar, position }), etag: etagOf(retried) }
    },
  })
}

function retry(draft: Draft, row: AllocationRow): AllocationRow {
  if (row.status !== 'failed') {
    throw new Refusal('not-in-this-status', `The allocation is ${row.status}; only a failed one is taken up again.`, {
      allocationStatus: row.status,
    })
  }
  const approval = draft.approval(row.approvalId)
  if (approval === null) throw new Error('an allocation has its approval')
  if (approval.status === 'revoked') throw new Refusal('approval-revoked', `Approval ${approval.id} has been revoked.`)
  // What failed gave back its GPU-time; the clusters that had no room may have some by now.
  const displacedBy = { cause: 'fault', causeId: row.id } as const // of a promise that it had before it failed
  const fresh = { ...row, avoid: [], statusReason: null, releasedAt: null, displacedBy }
  const gpuMsLeft = assertWithinApproval(draft, approval, requestOfRow(fresh, approval, Number.MAX_SAFE_INTEGER))
  const request = requestOfRow(fresh, approval, gpuMsLeft)
  const placement = placeAgain(draft.calendar, request, draft.now, draft.policy)
  return transition(
    draft,
    fresh,
    'retried',
    putInLine(draft, fresh, approval, { kind: 'waitlist', request, placement, again: true }),
  )
}
