import { z } from 'zod'
import { ClusterView, ProviderView } from '../../../shared/cluster.ts'
import { ImportReport, ImportRequest } from '../../../shared/fleet-import.ts'
import { DrainId } from '../../../shared/ids.ts'
import {
  Drain,
  DrainRequest,
  FreezeRequest,
  Frozen,
  InventoryReload,
  LogLevel,
  OperationRequest,
} from '../../../shared/operation.ts'
import { pageOf } from '../../../shared/text.ts'
import type { Caller } from '../../app/command.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { answered, paged, reading, route, seen } from '../route.ts'
import type { UseCases } from '../use-cases.ts'
import { operatedCluster, operatedProvider } from './operated.ts'
import { Nothing, idLike } from './parts.ts'

const LIST = 'drains'
const tag = 'Operations'
const cluster = z.strictObject({ id: idLike(examples.CLUSTER_ID, 'The cluster’s id.') })
const provider = z.strictObject({ id: idLike(examples.PROVIDER_ID, 'The operator’s id.') })
const drain = z.strictObject({ id: DrainId })
const findCluster = (useCases: UseCases, caller: Caller, { id }: z.infer<typeof cluster>): Promise<unknown> =>
  useCases.getCluster(caller, id)
const findDrain = (useCases: UseCases, caller: Caller, { id }: z.infer<typeof drain>): Promise<unknown> =>
  useCases.getDrain(caller, id)

const drainCluster = route({
  method: 'post',
  path: '/v1/clusters/{id}/drains',
  operationId: 'drainCluster',
  tag,
  summary: 'Take nodes of a cluster out of service for a time',
  description:
    'Allocations that have not started move or wait. What runs goes on; where that is more than there is left, `affected` names it and the cluster shows a shortfall.',
  scope: 'operations:write',
  params: cluster,
  query: Nothing,
  body: { schema: DrainRequest, required: true, example: examples.drainRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: { created: { description: 'The drain.', schema: Drain, example: examples.drain } },
  hasEtag: true,
  problems: [],
  find: operatedCluster,
  async handle(useCases, { command, params: { id }, body }) {
    const answer = await useCases.drainCluster(command, id, body)
    return { ...answered('created', answer), location: `/v1/drains/${answer.body.id}` }
  },
})

const listDrains = reading({
  path: '/v1/clusters/{id}/drains',
  operationId: 'listDrains',
  tag,
  summary: 'List a cluster’s drains',
  description: 'Newest first, lifted ones included.',
  scope: 'catalog:read',
  params: cluster,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(Drain), example: examples.pageOf(examples.drain) },
  },
  hasEtag: false,
  find: findCluster,
  handle: async (useCases, { caller, params: { id }, query }) =>
    paged(pageBody(`${LIST} of ${id}`, await useCases.listDrains(caller, id, pageRequest(`${LIST} of ${id}`, query)))),
})

const getDrain = reading({
  path: '/v1/drains/{id}',
  operationId: 'getDrain',
  tag,
  summary: 'Look at one drain',
  scope: 'catalog:read',
  params: drain,
  query: Nothing,
  successes: { ok: { description: 'The drain.', schema: Drain, example: examples.drain } },
  hasEtag: true,
  find: findDrain,
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getDrain(caller, id)),
})

const liftDrain = route({
  method: 'delete',
  path: '/v1/drains/{id}',
  operationId: 'liftDrain',
  tag,
  summary: 'Lift a drain before its time',
  description: 'Lifting what is lifted changes nothing. Who waits is planned again at once.',
  scope: 'operations:write',
  params: drain,
  query: Nothing,
  body: null,
  takesIdempotencyKey: false,
  takesIfMatch: true,
  successes: { ok: { description: 'The drain, lifted.', schema: Drain, example: examples.liftedDrain } },
  hasEtag: true,
  problems: [],
  find: findDrain,
  handle: async (useCases, { command, params: { id } }) => answered('ok', await useCases.liftDrain(command, id)),
})

const switchCluster = (to: 'suspend' | 'resume') =>
  route({
    method: 'post',
    path: `/v1/clusters/{id}/${to}`,
    operationId: `${to}Cluster`,
    tag,
    summary: to === 'suspend' ? 'Place nothing new on a cluster' : 'Place on a cluster again',
    description: 'Needs no body. What runs goes on; twice is as good as once.',
    scope: 'operations:write',
    params: cluster,
    query: Nothing,
    body: { schema: OperationRequest, required: false, example: examples.operationRequest },
    takesIdempotencyKey: true,
    takesIfMatch: true,
    successes: { ok: { description: 'The cluster.', schema: ClusterView, example: examples.cluster } },
    hasEtag: true,
    problems: [],
    find: operatedCluster,
    handle: async (useCases, { command, params: { id }, body }) =>
      answered('ok', await useCases.switchCluster(command, id, to, body)),
  })

const switchProvider = (to: 'suspend' | 'resume') =>
  route({
    method: 'post',
    path: `/v1/providers/{id}/${to}`,
    operationId: `${to}Provider`,
    tag,
    summary: to === 'suspend' ? 'Place nothing new at an operator' : 'Place at an operator again',
    description: 'Needs no body. What runs goes on; twice is as good as once.',
    scope: 'operations:write',
    params: provider,
    query: Nothing,
    body: { schema: OperationRequest, required: false, example: examples.operationRequest },
    takesIdempotencyKey: true,
    takesIfMatch: true,
    successes: { ok: { description: 'The operator.', schema: ProviderView, example: examples.provider } },
    hasEtag: true,
    problems: [],
    find: operatedProvider,
    handle: async (useCases, { command, params: { id }, body }) =>
      answered('ok', await useCases.switchProvider(command, id, to, body)),
  })

const holdProviders = (to: 'freeze' | 'unfreeze') =>
  route({
    method: 'post',
    path: `/v1/operations/${to}`,
    operationId: to,
    tag,
    summary: to === 'freeze' ? 'Make and delete nothing at operators' : 'Make and delete at operators again',
    description:
      'Needs no body: without `providerId` it is for all operators. Requests are still taken; twice is as good as once.',
    scope: 'operations:write',
    params: Nothing,
    query: Nothing,
    body: { schema: FreezeRequest, required: false, example: examples.freezeRequest },
    takesIdempotencyKey: true,
    takesIfMatch: false,
    successes: {
      ok: { description: 'Where the broker’s hands are held now.', schema: Frozen, example: examples.frozen },
    },
    hasEtag: false,
    problems: ['not-found'],
    handle: async (useCases, { command, body }) => answered('ok', await useCases.holdProviders(command, to, body)),
  })

const importFleet = route({
  method: 'post',
  path: '/v1/operations/import',
  operationId: 'importFleet',
  tag,
  summary: 'Take over grants that run already',
  description:
    'All of it in one transaction, and nothing at an operator: each allocation is `active` on the nodes that run, and released like any other at its end. What stands in the way is told in `problems`, or, where it was to be applied, as an invalid request. The same once more changes nothing. A file with `approvals` needs scope `approvals:write` too.',
  scope: 'operations:write',
  params: Nothing,
  query: z.strictObject({
    apply: z
      .enum(['true', 'false'])
      .optional()
      .meta({ description: 'Default `false`: says what would be done, and does nothing.', example: 'true' }),
  }),
  body: { schema: ImportRequest, required: true, example: examples.importRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  lane: 'operators',
  successes: {
    ok: { description: 'What was done, or would be.', schema: ImportReport, example: examples.importReport },
  },
  hasEtag: false,
  problems: [],
  handle: async (useCases, { command, query, body }) =>
    answered('ok', await useCases.importFleet(command, body, query.apply === 'true')),
})

const reloadInventory = route({
  method: 'post',
  path: '/v1/operations/inventory/reload',
  operationId: 'reloadInventory',
  tag,
  summary: 'Read the inventory’s file again',
  description:
    'Shows what differs from the inventory in force, who would have to move, and which promises would slip; with `apply=true` it is put in force too. What has not started and no longer fits moves at once; what runs stays, in the shortfall if need be. Needs no body. Only for callers who are bound to no operator and no organisation.',
  scope: 'operations:write',
  params: Nothing,
  query: z.strictObject({
    apply: z.enum(['true', 'false']).optional().meta({ description: 'Default `false`: show it, and change nothing.' }),
  }),
  body: { schema: OperationRequest, required: false, example: examples.operationRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: {
    ok: {
      description: 'What differs, and what follows from it.',
      schema: InventoryReload,
      example: examples.inventoryReload,
    },
  },
  hasEtag: false,
  problems: ['invalid-inventory'],
  handle: async (useCases, { command, query }) =>
    answered('ok', await useCases.reloadInventory(command, query.apply === 'true')),
})

const setLogLevel = route({
  method: 'put',
  path: '/v1/operations/log-level',
  operationId: 'setLogLevel',
  tag,
  summary: 'Change how much is logged',
  description:
    'Of the replica that answers, until it starts again. Only for callers who are bound to no operator and no organisation.',
  scope: 'operations:write',
  params: Nothing,
  query: Nothing,
  body: { schema: LogLevel, required: true, example: examples.logLevel },
  takesIdempotencyKey: false,
  takesIfMatch: false,
  successes: { ok: { description: 'What is logged from now on.', schema: LogLevel, example: examples.logLevel } },
  hasEtag: false,
  problems: [],
  handle: async (useCases, { command, body }) => answered('ok', await useCases.setLogLevel(command, body)),
})

export const operationRoutes = [
  drainCluster,
  listDrains,
  getDrain,
  liftDrain,
  switchCluster('suspend'),
  switchCluster('resume'),
  switchProvider('suspend'),
  switchProvider('resume'),
  holdProviders('freeze'),
  holdProviders('unfreeze'),
  importFleet,
  reloadInventory,
  setLogLevel,
]
