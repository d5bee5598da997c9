import { z } from 'zod'
import {
  Allocation,
  AllocationNode,
  AllocationRequest,
  AllocationStatus,
  ExtendRequest,
  ReleaseRequest,
  ShrinkRequest,
} from '../../../shared/allocation.ts'
import { Decision } from '../../../shared/decision.ts'
import { AllocationId } from '../../../shared/ids.ts'
import { pageOf } from '../../../shared/text.ts'
import type { Caller } from '../../app/command.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageOfWhole, pageRequest } from '../pagination.ts'
import { answered, paged, reading, route, seen } from '../route.ts'
import type { AllocationFilter } from '../../store/allocations.ts'
import type { UseCases } from '../use-cases.ts'
import { Nothing, idLike } from './parts.ts'

const LIST = 'allocations'
const tag = 'Allocations'
const params = z.strictObject({ id: AllocationId })
const find = (useCases: UseCases, caller: Caller, { id }: z.infer<typeof params>): Promise<unknown> =>
  useCases.getAllocation(caller, id)

const createAllocation = route({
  method: 'post',
  path: '/v1/allocations',
  operationId: 'createAllocation',
  tag,
  summary: 'Ask for nodes under an approval',
  description:
    'Decides at once where and when, and answers with the allocation: `scheduled` if it starts when asked, else `waitlisted`. Refusals are looked for in the order in which they are listed in the contract.',
  scope: 'allocations:write',
  params: Nothing,
  query: Nothing,
  body: { schema: AllocationRequest, required: true, example: examples.allocationRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: { created: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  problems: [
    'approval-unknown',
    'approval-revoked',
    'approval-exceeded',
    'demand-not-whole-nodes',
    'unsatisfiable',
    'no-capacity',
  ],
  async handle(useCases, { command, body }) {
    const answer = await useCases.createAllocation(command, body)
    return { ...answered('created', answer), location: `/v1/allocations/${answer.body.id}` }
  },
})

const LabelFilter = z
  .string()
  .regex(/^[A-Za-z0-9._/-]{1,64}:\P{Cc}{1,256}$/u, 'must be key:value')
  .transform((text) => ({ key: text.slice(0, text.indexOf(':')), value: text.slice(text.indexOf(':') + 1) }))
  .meta({
    description: 'Only those with this label, as `key:value`.',
    example: 'task:pretrain',
    override: { type: 'string' },
  })

const Filter = z.strictObject({
  status: AllocationStatus.optional().meta({ description: 'Only those in this status.' }),
  organizationId: idLike('kaist', 'Only this organisation’s.').optional(),
  providerId: idLike(examples.PROVIDER_ID, 'Only those placed at this operator.').optional(),
  clusterId: idLike(examples.CLUSTER_ID, 'Only those placed on this cluster.').optional(),
  approvalId: idLike('apr-2026-0001', 'Only those under this approval.').optional(),
  program: idLike('ai-foundation-model', 'Only those of this programme.').optional(),
  label: LabelFilter.optional(),
})

const listAllocations = reading({
  path: '/v1/allocations',
  operationId: 'listAllocations',
  tag,
  summary: 'List allocations',
  scope: 'allocations:read',
  params: Nothing,
  query: z.strictObject({ ...Filter.shape, ...pageMembers }),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(Allocation), example: examples.pageOf(examples.allocation) },
  },
  hasEtag: false,
  async handle(useCases, { caller, query: { limit, cursor, ...filter } }) {
    // Parsed, so a member left out is absent rather than undefined.
    const page = await useCases.listAllocations(
      caller,
      filter as AllocationFilter,
      pageRequest(LIST, { limit, cursor }),
    )
    return paged(pageBody(LIST, page))
  },
})

const getAllocation = reading({
  path: '/v1/allocations/{id}',
  operationId: 'getAllocation',
  tag,
  summary: 'Look at one allocation',
  scope: 'allocations:read',
  params,
  query: Nothing,
  successes: { ok: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  find,
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getAllocation(caller, id)),
})

const listAllocationNodes = reading({
  path: '/v1/allocations/{id}/nodes',
  operationId: 'listAllocationNodes',
  tag,
  summary: 'List the nodes of an allocation',
  description: 'All of them, unless a `limit` asks for pages.',
  scope: 'allocations:read',
  params,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'Its nodes.', schema: pageOf(AllocationNode), example: examples.pageOf(examples.node) },
  },
  hasEtag: false,
  find,
  handle: async (useCases, { caller, params: { id }, query }) =>
    paged(pageOfWhole(`nodes of ${id}`, await useCases.listAllocationNodes(caller, id), query)),
})

const listAllocationDecisions = reading({
  path: '/v1/allocations/{id}/decisions',
  operationId: 'listAllocationDecisions',
  tag,
  summary: 'List what was decided about an allocation, and why',
  description: 'All of them, unless a `limit` asks for pages.',
  scope: 'allocations:read',
  params,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'Its decisions.', schema: pageOf(Decision), example: examples.pageOf(examples.decision) },
  },
  hasEtag: false,
  find,
  handle: async (useCases, { caller, params: { id }, query }) =>
    paged(pageOfWhole(`decisions on ${id}`, await useCases.listAllocationDecisions(caller, id), query)),
})

const releaseAllocation = route({
  method: 'post',
  path: '/v1/allocations/{id}/release',
  operationId: 'releaseAllocation',
  tag,
  summary: 'End an allocation, now or at a later instant',
  description: 'Needs no body. Releasing what is already ending or ended changes nothing.',
  scope: 'allocations:write',
  params,
  query: Nothing,
  body: { schema: ReleaseRequest, required: false, example: { reason: 'finished' } },
  takesIdempotencyKey: true,
  takesIfMatch: true,
  successes: { accepted: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  problems: ['not-in-this-status'],
  find,
  handle: async (useCases, { command, params: { id }, body }) =>
    answered('accepted', await useCases.releaseAllocation(command, id, body)),
})

const extendAllocation = route({
  method: 'post',
  path: '/v1/allocations/{id}/extend',
  operationId: 'extendAllocation',
  tag,
  summary: 'Let an allocation keep its nodes for longer',
  description:
    'Room that somebody waiting has been promised counts as taken. A refusal names the first conflict and the latest end that would fit, and leaves the allocation as it is. The end that it has already changes nothing and is no mistake, so that who lost the first answer may ask again; an earlier one is refused.',
  scope: 'allocations:write',
  params,
  query: Nothing,
  body: { schema: ExtendRequest, required: true, example: { end: '2027-04-01T00:00:00Z' } },
  takesIdempotencyKey: true,
  takesIfMatch: true,
  successes: { ok: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  problems: ['no-capacity', 'not-in-this-status', 'approval-exceeded'],
  find,
  handle: async (useCases, { command, params: { id }, body }) =>
    answered('ok', await useCases.extendAllocation(command, id, body)),
})

const shrinkAllocation = route({
  method: 'post',
  path: '/v1/allocations/{id}/shrink',
  operationId: 'shrinkAllocation',
  tag,
  summary: 'Give part of an allocation back',
  description:
    'The highest ordinals leave. Their place is free once the operator’s list no longer has them. As many nodes as it has already change nothing and are no mistake, so that who lost the first answer may ask again; more are refused.',
  scope: 'allocations:write',
  params,
  query: Nothing,
  body: { schema: ShrinkRequest, required: true, example: { nodes: 32 } },
  takesIdempotencyKey: true,
  takesIfMatch: true,
  successes: { accepted: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  problems: ['not-in-this-status'],
  find,
  handle: async (useCases, { command, params: { id }, body }) =>
    answered('accepted', await useCases.shrinkAllocation(command, id, body)),
})

const retryAllocation = route({
  method: 'post',
  path: '/v1/allocations/{id}/retry',
  operationId: 'retryAllocation',
  tag,
  summary: 'Take a failed allocation up again',
  description: 'Needs no body. It waits for a place like any other, and may have it at once.',
  scope: 'operations:write',
  params,
  query: Nothing,
  body: { schema: Nothing, required: false, example: {} },
  takesIdempotencyKey: true,
  takesIfMatch: true,
  successes: { accepted: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  problems: ['not-in-this-status', 'approval-revoked', 'approval-exceeded'],
  find,
  handle: async (useCases, { command, params: { id } }) =>
    answered('accepted', await useCases.retryAllocation(command, id)),
})

export const allocationRoutes = [
  createAllocation,
  listAllocations,
  getAllocation,
  listAllocationNodes,
  listAllocationDecisions,
  releaseAllocation,
  extendAllocation,
  shrinkAllocation,
  retryAllocation,
]
