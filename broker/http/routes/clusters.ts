import { z } from 'zod'
import { Availability, ClusterView } from '../../../shared/cluster.ts'
import { pageOf } from '../../../shared/text.ts'
import type { Caller } from '../../app/command.ts'
import { AvailabilityQuery, rangeOf } from '../time-range.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { found, paged, reading, seen } from '../route.ts'
import type { UseCases } from '../use-cases.ts'
import { Nothing, idLike } from './parts.ts'

const LIST = 'clusters'
const tag = 'Catalogue'
const params = z.strictObject({ id: idLike(examples.CLUSTER_ID, 'The cluster’s id.') })
const find = (useCases: UseCases, caller: Caller, { id }: z.infer<typeof params>): Promise<unknown> =>
  useCases.getCluster(caller, id)

const listClusters = reading({
  path: '/v1/clusters',
  operationId: 'listClusters',
  tag,
  summary: 'List the clusters',
  scope: 'catalog:read',
  params: Nothing,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(ClusterView), example: examples.pageOf(examples.cluster) },
  },
  hasEtag: false,
  handle: async (useCases, { caller, query }) =>
    paged(pageBody(LIST, await useCases.listClusters(caller, pageRequest(LIST, query)))),
})

const getCluster = reading({
  path: '/v1/clusters/{id}',
  operationId: 'getCluster',
  tag,
  summary: 'Look at one cluster',
  scope: 'catalog:read',
  params,
  query: Nothing,
  successes: { ok: { description: 'The cluster.', schema: ClusterView, example: examples.cluster } },
  hasEtag: true,
  find,
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getCluster(caller, id)),
})

const getClusterAvailability = reading({
  path: '/v1/clusters/{id}/availability',
  operationId: 'getClusterAvailability',
  tag,
  summary: 'See a cluster’s capacity and what is reserved of it over time',
  description: 'Adjacent steps differ, and together they cover the range without a gap.',
  scope: 'catalog:read',
  params,
  query: AvailabilityQuery,
  successes: { ok: { description: 'The steps.', schema: Availability, example: examples.availability } },
  hasEtag: false,
  find,
  handle: async (useCases, { caller, params: { id }, query, now }) =>
    found(await useCases.clusterAvailability(caller, id, rangeOf(query, now))),
})

export const clusterRoutes = [listClusters, getCluster, getClusterAvailability]
