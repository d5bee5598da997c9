import { z } from 'zod'
import { ProviderView } from '../../../shared/cluster.ts'
import { Reconciliation } from '../../../shared/reconciliation.ts'
import { pageOf } from '../../../shared/text.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { found, paged, reading, seen } from '../route.ts'
import { Nothing, idLike } from './parts.ts'

const LIST = 'providers'
const tag = 'Catalogue'
const provider = z.strictObject({ id: idLike(examples.PROVIDER_ID, 'The operator’s id.') })

const listProviders = reading({
  path: '/v1/providers',
  operationId: 'listProviders',
  tag,
  summary: 'List the operators and their health',
  scope: 'catalog:read',
  params: Nothing,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(ProviderView), example: examples.pageOf(examples.provider) },
  },
  hasEtag: false,
  handle: async (useCases, { caller, query }) =>
    paged(pageBody(LIST, await useCases.listProviders(caller, pageRequest(LIST, query)))),
})

const getProvider = reading({
  path: '/v1/providers/{id}',
  operationId: 'getProvider',
  tag,
  summary: 'Look at one operator',
  scope: 'catalog:read',
  params: provider,
  query: Nothing,
  successes: { ok: { description: 'The operator.', schema: ProviderView, example: examples.provider } },
  hasEtag: true,
  find: (useCases, caller, { id }) => useCases.getProvider(caller, id),
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getProvider(caller, id)),
})

const getReconciliation = reading({
  path: '/v1/providers/{id}/reconciliation',
  operationId: 'getReconciliation',
  tag,
  summary: 'See what the last sweep of an operator found',
  description:
    'On a schedule and after every start, all nodes that the operator lists under our tag are compared with what the broker knows. What is as it should be is no finding.',
  scope: 'catalog:read',
  params: provider,
  query: Nothing,
  successes: {
    ok: { description: 'The last sweep.', schema: Reconciliation, example: examples.reconciliation },
  },
  hasEtag: false,
  find: (useCases, caller, { id }) => useCases.getProvider(caller, id),
  handle: async (useCases, { caller, params: { id } }) => found(await useCases.getReconciliation(caller, id)),
})

export const providerRoutes = [listProviders, getProvider, getReconciliation]
