import { z } from 'zod'
import { Approval, ApprovalRequest } from '../../../shared/approval.ts'
import { pageOf } from '../../../shared/text.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { answered, paged, reading, route, seen } from '../route.ts'
import { Nothing, idLike } from './parts.ts'

const LIST = 'approvals'
const tag = 'Approvals'
const params = z.strictObject({ id: idLike('apr-2026-0001', 'The approval’s id.') })
const described = { description: 'The approval.', schema: Approval, example: examples.approval }

const putApproval = route({
  method: 'put',
  path: '/v1/approvals/{id}',
  operationId: 'putApproval',
  tag,
  summary: 'Register an approval, or replace it',
  description: 'The id is the caller’s own. Repeating the call changes nothing.',
  scope: 'approvals:write',
  params,
  query: Nothing,
  body: { schema: ApprovalRequest, required: true, example: examples.approvalRequest },
  takesIdempotencyKey: false,
  takesIfMatch: true,
  successes: { ok: described, created: described },
  hasEtag: true,
  problems: ['limit-below-committed', 'approval-revoked'],
  async handle(useCases, { command, params: { id }, body }) {
    const answer = await useCases.putApproval(command, id, body)
    if (!answer.created) return answered('ok', answer)
    return { ...answered('created', answer), location: `/v1/approvals/${id}` }
  },
})

const listApprovals = reading({
  path: '/v1/approvals',
  operationId: 'listApprovals',
  tag,
  summary: 'List approvals',
  scope: 'allocations:read',
  params: Nothing,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(Approval), example: examples.pageOf(examples.approval) },
  },
  hasEtag: false,
  handle: async (useCases, { caller, query }) =>
    paged(pageBody(LIST, await useCases.listApprovals(caller, pageRequest(LIST, query)))),
})

const getApproval = reading({
  path: '/v1/approvals/{id}',
  operationId: 'getApproval',
  tag,
  summary: 'Look at one approval and what it has used',
  scope: 'allocations:read',
  params,
  query: Nothing,
  successes: { ok: described },
  hasEtag: true,
  find: (useCases, caller, { id }) => useCases.getApproval(caller, id),
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getApproval(caller, id)),
})

const revokeApproval = route({
  method: 'post',
  path: '/v1/approvals/{id}/revoke',
  operationId: 'revokeApproval',
  tag,
  summary: 'Revoke an approval and release its allocations',
  description: 'Needs no body. Revoking what is revoked changes nothing.',
  scope: 'approvals:write',
  params,
  query: Nothing,
  body: { schema: Nothing, required: false, example: {} },
  takesIdempotencyKey: true,
  takesIfMatch: true,
  successes: { ok: { ...described, example: { ...examples.approval, status: 'revoked' } } },
  hasEtag: true,
  problems: [],
  find: (useCases, caller, { id }) => useCases.getApproval(caller, id),
  handle: async (useCases, { command, params: { id } }) => answered('ok', await useCases.revokeApproval(command, id)),
})

export const approvalRoutes = [putApproval, listApprovals, getApproval, revokeApproval]
