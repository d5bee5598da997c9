/** Revokes an approval: nothing new under it, and what runs or waits under it is released. */
import type { Approval } from '../../shared/approval.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { App } from './app.ts'
import type { Answer, Command } from './command.ts'
import { endNow } from './end-allocation.ts'
import { assertFresh } from './fresh.ts'
import { approvalView, etagOf } from './views.ts'

export function revokeApproval(app: App, command: Command, id: string): Promise<Answer<Approval>> {
  return app.writer.answer(command, {
    needs: { approvals: [id], allocationsOfApprovals: [id] },
    decide(draft) {
      const approval = draft.approval(id)
      const bound = command.caller.organizationId
      if (approval === null || (bound !== null && bound !== approval.organizationId)) {
        throw new Refusal('not-found', `There is no approval ${id}.`)
      }
      assertFresh(command, approval)
      if (approval.status === 'revoked') {
        return { body: approvalView(approval, draft.calendar, draft.now), etag: etagOf(approval) }
      }
      const revoked = { ...approval, status: 'revoked' as const, version: approval.version + 1, updatedAt: draft.now }
      draft.saveApproval(revoked)
      for (const row of draft.allocations()) if (row.approvalId === id) endNow(draft, row, 'revoked')
      draft.event({
        type: 'approval.revoked',
        subject: `approvals/${id}`,
        organizationId: approval.organizationId,
        data: { approvalId: id, organizationId: approval.organizationId },
      })
      return { body: approvalView(revoked, draft.calendar, draft.now), etag: etagOf(revoked) }
    },
  })
}
