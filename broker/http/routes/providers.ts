import { z } from 'zod'
import { ProviderView } from '../../../shared/cluster.ts'
import { pageOf } from '../../../shared/text.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { paged, reading, seen } from '../route.ts'
import { Nothing, idLike } from './parts.ts'

const LIST = 'providers'
const tag = 'Catalogue'

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
  params: z.strictObject({ id: idLike(examples.PROVIDER_ID, 'The operator’s id.') }),
  query: Nothing,
  successes: { ok: { description: 'The operator.', schema: ProviderView, example: examples.provider } },
  hasEtag: true,
  find: (useCases, caller, { id }) => useCases.getProvider(caller, id),
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getProvider(caller, id)),
})

export const providerRoutes = [listProviders, getProvider]
