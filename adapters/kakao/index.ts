/**
 * KakaoCloud behind the provider contract: bare-metal (or GPU) instances of the BCS service. What Kakao does not have
 * (idempotent creates, groups, faults, an interconnect call) is made up for in the files beside this one.
 */
import { namePrefixOf } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import {
  type AdapterContext,
  type Call,
  type NodeFilter,
  type OtherNode,
  type Provider,
  type ProviderNode,
  type Traffic,
  isWithin,
} from '../../shared/provider.ts'
import { createLooks } from '../looks.ts'
import { type KakaoClient, createClient } from './client.ts'
import type { KakaoSettings } from './config.ts'
import { createCreator } from './create.ts'
import { createDescriber, readFlavor } from './describe.ts'
import { createFailureReader } from './failures.ts'
import { createSweeper } from './leftovers.ts'
import { NODE_NAME } from './order.ts'
import { listAll } from './paging.ts'
import { createRemover } from './remove.ts'
import { Instance, freeNodes, toNode } from './wire.ts'

export { KakaoSettings } from './config.ts'

export type KakaoProvider = Provider & { close(): void; traffic(): Traffic }

export function createKakaoProvider(settings: KakaoSettings, { now }: AdapterContext): KakaoProvider {
  const client = createClient(settings, { now })
  const failures = createFailureReader(settings, client)
  const remove = createRemover({ settings, client })
  const looks = createLooks((name, call) => readNodes({ settings, client }, { name }, call), now)
  const creator = createCreator({ settings, client, looks, now })

  return {
    id: settings.id,
    capabilities: capabilitiesOf(settings),
    describe: createDescriber({ settings, client }),
    createNodes: (group, call) => creator.create(group, call),
    async listNodes(filter, call) {
      const nodes = await readNodes({ settings, client }, nameFilter(filter), call)
      return await failures.explain(
        nodes.filter((node) => isWithin(filter, node)),
        call,
      )
    },
    listOthers: (filter, call) => listOthers({ settings, client }, filter, call),
    async deleteNodes({ providerInstanceIds }, call) {
      creator.forget(providerInstanceIds)
      await remove(providerInstanceIds, call)
    },
    sweepLeftovers: createSweeper({ settings, client }),
    async freeCapacity(clusterId, call) {
      const cluster = settings.clusters[clusterId]
      if (cluster === undefined) throw notConfigured(clusterId)
      if (!cluster.bareMetal) return null // only bare metal has a number at Kakao
      const flavor = await readFlavor({ settings, client }, cluster.flavorId, call)
      return flavor === null ? null : freeNodes(flavor, cluster.zone)
    },
    ping: (call) => client.checkToken(call),
    close: () => client.close(),
    traffic: () => client.traffic(),
  }
}

function capabilitiesOf(settings: KakaoSettings): Provider['capabilities'] {
  const clusters = Object.values(settings.clusters)
  return {
    maxBatch: Math.min(...clusters.map(({ maxBatch }) => maxBatch)),
    visibilityDelayMs: Math.max(...clusters.map(({ visibilityDelayMs }) => visibilityDelayMs)),
    nodeName: NODE_NAME,
    findsByOwner: 'exact',
    reportsFreeCapacity: clusters.some(({ bareMetal }) => bareMetal),
    joinsFabric: false,
  }
}

interface Reading {
  readonly settings: KakaoSettings
  readonly client: KakaoClient
}

/** Instances of Kubernetes Engine stand in the same list: they belong to their node pool, whatever they are called. */
async function readNodes(
  { settings, client }: Reading,
  filter: Readonly<Record<string, string>>,
  call: Call,
): Promise<readonly ProviderNode[]> {
  const instances = await readInstances({ settings, client }, filter, call)
  return instances.filter((each) => each.is_k8se !== true).map((each) => toNode(each, settings.clusters))
}

/** Those of Kubernetes Engine take room too, and are never ours. */
async function listOthers(
  { settings, client }: Reading,
  { installationId }: Pick<NodeFilter, 'installationId'>,
  call: Call,
): Promise<readonly OtherNode[]> {
  const instances = await readInstances({ settings, client }, {}, call)
  return instances.flatMap((each) => {
    const { owner, clusterId, providerInstanceId, name, createdAt } = toNode(each, settings.clusters)
    const isOurs = owner?.installationId === installationId && each.is_k8se !== true
    return isOurs || clusterId === null ? [] : [{ providerInstanceId, name, clusterId, createdAt }]
  })
}

async function readInstances(
  { settings, client }: Reading,
  filter: Readonly<Record<string, string>>,
  call: Call,
): Promise<readonly Instance[]> {
  const url = `${settings.bcsUrl}/api/v1/instances`
  return await listAll(client, { url, noun: 'instances', row: Instance, limit: settings.listLimit, filter }, call)
}

/**
 * A substring at Kakao. All of an installation is found by its tags, so that a renamed node is not taken for gone; nodes
 * that were taken over are called as somebody else liked.
 */
const nameFilter = ({ allocationId, adopted = [] }: NodeFilter): Record<string, string> =>
  allocationId === undefined || adopted.length > 0 ? {} : { name: namePrefixOf(allocationId).slice(0, -1) }

const notConfigured = (clusterId: string) =>
  new ProviderError('refused', `the cluster ${clusterId} is not configured`, { effect: 'none', code: 'NOT_CONFIGURED' })
