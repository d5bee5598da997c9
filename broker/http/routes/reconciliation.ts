import { z } from 'zod'
import { Allocation } from '../../../shared/allocation.ts'
import { OperationRequest } from '../../../shared/operation.ts'
import { AdoptRequest, HeldDeletes, Reconciliation, SweepFinding } from '../../../shared/reconciliation.ts'
import type { Caller } from '../../app/command.ts'
import * as examples from '../examples.ts'
import { answered, found, reading, route } from '../route.ts'
import type { UseCases } from '../use-cases.ts'
import { operatedProvider } from './operated.ts'
import { Nothing, idLike } from './parts.ts'

const tag = 'Operations'
const provider = z.strictObject({ id: idLike(examples.PROVIDER_ID, 'The operator’s id.') })
const foundNode = z.strictObject({
  ...provider.shape,
  providerInstanceId: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/)
    .meta({ description: 'The node’s id at its operator.', example: '3f2a' }),
})
const findProvider = (useCases: UseCases, caller: Caller, { id }: z.infer<typeof provider>): Promise<unknown> =>
  useCases.getProvider(caller, id)

const getReconciliation = reading({
  path: '/v1/providers/{id}/reconciliation',
  operationId: 'getReconciliation',
  tag: 'Catalogue',
  summary: 'See what the last sweep of an operator found',
  description:
    'On a schedule and after every start, all nodes that the operator lists under our tag are compared with what the broker knows, and those that others made in our clusters are told. What is as it should be is no finding.',
  scope: 'catalog:read',
  params: provider,
  query: Nothing,
  successes: {
    ok: { description: 'The last sweep.', schema: Reconciliation, example: examples.reconciliation },
  },
  hasEtag: false,
  find: findProvider,
  handle: async (useCases, { caller, params: { id } }) => found(await useCases.getReconciliation(caller, id)),
})

const approveSweep = route({
  method: 'post',
  path: '/v1/providers/{id}/reconciliation/approve',
  operationId: 'approveSweep',
  tag,
  summary: 'Let what sweeps hold back at an operator be deleted',
  description:
    'Needs no body. For the findings whose action is `hold` now, beyond the bound per hour; what is found later waits again. Twice is as good as once.',
  scope: 'operations:write',
  params: provider,
  query: Nothing,
  body: { schema: OperationRequest, required: false, example: examples.operationRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: {
    ok: { description: 'The last sweep, as it is now.', schema: Reconciliation, example: examples.reconciliation },
  },
  hasEtag: false,
  problems: [],
  find: operatedProvider,
  handle: async (useCases, { command, params: { id } }) => answered('ok', await useCases.approveSweep(command, id)),
})

const deleteFoundNode = route({
  method: 'post',
  path: '/v1/providers/{id}/reconciliation/nodes/{providerInstanceId}/delete',
  operationId: 'deleteFoundNode',
  tag,
  summary: 'Delete a node that a sweep found',
  description:
    'Needs no body. For `orphan` and `unknown`: what carries somebody else’s tag, or none, is never touched. It goes with the next sweep, which begins at once. Twice is as good as once.',
  scope: 'operations:write',
  params: foundNode,
  query: Nothing,
  body: { schema: OperationRequest, required: false, example: examples.operationRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: {
    accepted: { description: 'The finding.', schema: SweepFinding, example: examples.foundNode },
  },
  hasEtag: false,
  problems: ['not-in-this-status'],
  find: operatedProvider,
  handle: async (useCases, { command, params: { id: providerId, providerInstanceId } }) =>
    answered('accepted', await useCases.deleteFoundNode(command, { providerId, providerInstanceId })),
})

const adoptFoundNode = route({
  method: 'post',
  path: '/v1/providers/{id}/reconciliation/nodes/{providerInstanceId}/adopt',
  operationId: 'adoptFoundNode',
  tag,
  summary: 'Take a node over whose allocation the broker does not know',
  description:
    'For `unknown`. The allocation that its tag names is entered anew as active, with all nodes that carry the same tag; no node is touched. Twice is as good as once.',
  scope: 'operations:write',
  params: foundNode,
  query: Nothing,
  body: { schema: AdoptRequest, required: true, example: examples.adoptRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: { ok: { description: 'The allocation.', schema: Allocation, example: examples.allocation } },
  hasEtag: true,
  problems: ['approval-unknown', 'approval-revoked', 'approval-exceeded', 'no-capacity', 'not-in-this-status'],
  find: operatedProvider,
  handle: async (useCases, { command, params: { id: providerId, providerInstanceId }, body }) =>
    answered('ok', await useCases.adoptFoundNode(command, { providerId, providerInstanceId }, body)),
})

const ignoreFoundNode = (to: 'ignore' | 'count') =>
  route({
    method: 'post',
    path: `/v1/providers/{id}/reconciliation/nodes/{providerInstanceId}/${to}`,
    operationId: `${to}FoundNode`,
    tag,
    summary: to === 'ignore' ? 'Say that somebody else’s node is in nobody’s way' : 'Count somebody else’s node again',
    description:
      'Needs no body. For `leftover`, a node that others made: it counts as out of service in its cluster, until it is gone or is ignored. It is touched in neither case. Twice is as good as once.',
    scope: 'operations:write',
    params: foundNode,
    query: Nothing,
    body: { schema: OperationRequest, required: false, example: examples.operationRequest },
    takesIdempotencyKey: true,
    takesIfMatch: false,
    successes: {
      ok: {
        description: 'The finding.',
        schema: SweepFinding,
        example: { ...examples.othersNode, action: to === 'ignore' ? 'ignore' : 'drain' },
      },
    },
    hasEtag: false,
    problems: ['not-in-this-status'],
    find: operatedProvider,
    handle: async (useCases, { command, params: { id: providerId, providerInstanceId } }) =>
      answered('ok', await useCases.ignoreFoundNode(command, { providerId, providerInstanceId }, to === 'ignore')),
  })

const holdDeletes = (to: 'hold' | 'resume') =>
  route({
    method: 'post',
    path: `/v1/operations/${to}-deletes`,
    operationId: `${to}Deletes`,
    tag,
    summary: to === 'hold' ? 'Delete nothing at operators' : 'Delete at operators again',
    description:
      'Needs no body. After a restore deletions are held already: look at the findings of all operators before they are resumed. What a person says of one finding is done meanwhile. Twice is as good as once.',
    scope: 'operations:write',
    params: Nothing,
    query: Nothing,
    body: { schema: OperationRequest, required: false, example: examples.operationRequest },
    takesIdempotencyKey: true,
    takesIfMatch: false,
    successes: {
      ok: {
        description: 'Whether deletions are held now.',
        schema: HeldDeletes,
        example: { deletesHeld: to === 'hold' },
      },
    },
    hasEtag: false,
    problems: ['not-found'],
    handle: async (useCases, { command }) => answered('ok', await useCases.holdDeletes(command, to === 'hold')),
  })

export const reconciliationRoutes = [
  getReconciliation,
  approveSweep,
  deleteFoundNode,
  adoptFoundNode,
  ignoreFoundNode('ignore'),
  ignoreFoundNode('count'),
  holdDeletes('hold'),
  holdDeletes('resume'),
]
