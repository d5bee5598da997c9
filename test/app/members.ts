/** What tests of the writer have members do. */
import type { Command } from '../../broker/app/command.ts'
import type { Draft } from '../../broker/app/draft.ts'
import type { Member } from '../../broker/app/decide-group.ts'
import type { ApprovalRow } from '../../broker/store/changes.ts'
import { Refusal } from '../../shared/refusal.ts'

export const anApproval = (id: string, draft: Draft): ApprovalRow => ({
  id,
  sequence: draft.nextAllocationSequence(),
  organizationId: 'kaist',
  organizationName: null,
  organizationType: null,
  program: 'research',
  priority: 'standard',
  limits: {
    maxNodes: 1,
    gpuHours: 1,
    architectures: ['blackwell'],
    validFrom: '2026-01-01T00:00:00Z',
    validTo: '2027-01-01T00:00:00Z',
  },
  note: null,
  status: 'valid',
  endedGpuMs: 0,
  version: 1,
  createdAt: draft.now,
  updatedAt: draft.now,
})

/** Changes a row, the calendar and the log of events, then does what it is told. */
export const member = (id: string, then: () => void = () => {}): Member<string> => ({
  needs: { approvals: [id] },
  decide(draft) {
    draft.saveApproval(anApproval(id, draft))
    draft.apply({ op: 'suspend-provider', providerId: id })
    draft.event({ type: 'approval.put', subject: `approvals/${id}`, data: {} })
    then()
    return id
  },
})

/** The same as what a caller is answered. */
export function answer(id: string, then?: () => void): Member<{ body: string; etag: null }> {
  const inner = member(id, then)
  return { needs: inner.needs, decide: (draft) => ({ body: inner.decide(draft), etag: null }) }
}

export const refuse = (): never => {
  throw new Refusal('no-capacity', 'There is none.')
}

export const fail = (): never => {
  throw new Error('a bug')
}

export const withKey = (key: string, digest = 'd'): Command => ({
  caller: { clientId: 'platform', scopes: new Set(), organizationId: null, providerId: null },
  idempotency: { key, digest },
  ifMatch: null,
  onlyIfAbsent: false,
  traceparent: null,
  action: 'putApproval',
  resource: 'approvals/apr-1',
  requestId: 'req-1',
})
