/** NHN Cloud as a provider: Keystone v2 tokens and Nova v2 servers, at the URLs that the configuration names. */
import { z } from 'zod'
import type { AdapterContext, Provider, ProviderCapabilities, Traffic } from '../../shared/provider.ts'
import { createProviderHttp } from '../http.ts'
import { nodesWithinQuota } from './capacity.ts'
import { createCatalogue } from './catalogue.ts'
import { computeUrl, createClient, read } from './client.ts'
import { createNodeMaker, maxBatchOf } from './create.ts'
import { DEFAULT_VISIBILITY_DELAY_MS, type NhnSettings } from './config.ts'
import { describeClusters } from './describe.ts'
import { sweepLeftovers } from './leftovers.ts'
import { deleteNodes, listNodes, listOthers } from './servers.ts'
import { createTokenSource } from './token.ts'

export { NhnSettings } from './config.ts'

export function createNhnProvider(
  settings: NhnSettings,
  context: AdapterContext,
): Provider & { close(): void; traffic(): Traffic } {
  const { now } = context
  const http = createProviderHttp({ ...settings, now })
  const tokens = createTokenSource(settings, http, now)
  const client = createClient({ settings, http, tokens, now })
  const catalogue = createCatalogue(client, now)
  return {
    id: settings.id,
    capabilities: capabilitiesOf(settings),
    describe: (call) => describeClusters(client, call),
    createNodes: createNodeMaker(client, catalogue, now),
    listNodes: (filter, call) => listNodes(client, filter, call),
    listOthers: (filter, call) => listOthers({ client, catalogue }, filter, call),
    deleteNodes: (request, call) => deleteNodes(client, request, call),
    sweepLeftovers: (request, call) => sweepLeftovers(client, request, call),
    async freeCapacity(clusterId, call) {
      const cluster = settings.clusters[clusterId]
      if (!settings.capacityFromLimits || cluster === undefined) return null
      return await nodesWithinQuota(client, await catalogue.flavor(cluster.flavor, call), call)
    },
    async ping(call) {
      await read(client, z.unknown(), { url: computeUrl(client, '/servers?limit=1'), asked: 'a ping' }, call)
    },
    close: () => http.close(),
    traffic: () => http.traffic(),
  }
}

function capabilitiesOf(settings: NhnSettings): ProviderCapabilities {
  const delays = Object.values(settings.clusters).map(
    ({ visibilityDelayMs }) => visibilityDelayMs ?? DEFAULT_VISIBILITY_DELAY_MS,
  )
  return {
    maxBatch: maxBatchOf(settings),
    visibilityDelayMs: Math.max(0, ...delays),
    nodeName: { maxLength: 63, pattern: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/ },
    findsByOwner: 'exact',
    reportsFreeCapacity: settings.capacityFromLimits,
    joinsFabric: false,
  }
}
