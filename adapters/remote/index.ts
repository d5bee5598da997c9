/**
 * A provider behind HTTP: the contract as a protocol, for operators who implement it in another language or behind their
 * own network. Each call of the contract is one request; what "twice" means is kept by the operator's server, and the
 * conformance kit tells whether it does.
 */
import type { z } from 'zod'
import { ProviderError } from '../../shared/provider-error.ts'
import {
  type AdapterContext,
  type Call,
  type NodeFilter,
  type NodeGroup,
  type OtherNode,
  type Provider,
  type ProviderNode,
  type Traffic,
  isWithin,
} from '../../shared/provider.ts'
import { type RemoteClient, createClient } from './client.ts'
import type { RemoteSettings } from './config.ts'
import {
  MAX_IDS,
  WireDescription,
  WireFreeCapacity,
  WireLeftovers,
  WireNodes,
  WireOtherPage,
  WirePage,
  WireSettled,
  describedCluster,
  toLeftovers,
  toNode,
  toOther,
} from './wire.ts'

export { RemoteSettings } from './config.ts'

export type RemoteProvider = Provider & { close(): void; traffic(): Traffic }

/** What a server must take for a name; the broker's longest has 25 characters. */
const NODE_NAME = { maxLength: 63, pattern: /^[a-z0-9-]+$/ }

/** A list that has not ended by then is not one. */
const MAX_PAGES = 200

export function createRemoteProvider(settings: RemoteSettings, context: AdapterContext): RemoteProvider {
  const client = createClient(settings, context)
  return {
    id: settings.id,
    capabilities: capabilitiesOf(settings),
    async describe(call) {
      const question = { what: 'the description', method: 'GET', path: '/v1/description', changes: false } as const
      const answer = await client.ask(WireDescription, question, call)
      return Object.entries(settings.clusters).map(([clusterId, configured]) =>
        describedCluster(clusterId, configured, { declared: settings, answer }),
      )
    },
    async createNodes(group, call) {
      const path = `/v1/groups/${encodeURIComponent(group.name)}`
      const question = { what: `the create of ${group.name}`, method: 'PUT', path, changes: true } as const
      const { items } = await client.ask(WireNodes, { ...question, body: groupBody(settings, group) }, call)
      return items.map(toNode)
    },
    listNodes: (filter, call) => listAll({ settings, client }, filter, call),
    ...(settings.listsOthers && { listOthers: (filter, call) => listOthers({ settings, client }, filter, call) }),
    async deleteNodes({ clusterId, providerInstanceIds, adopted: taken = [] }, call) {
      for (const nodeIds of batches([...new Set(providerInstanceIds)])) {
        const adopted = nodeIds.filter((id) => taken.includes(id))
        await deleteBatch(client, { clusterId, nodeIds, ...(adopted.length > 0 && { adopted }) }, call)
      }
    },
    ...(settings.joinsFabric ? fabricCalls(client) : {}),
    async sweepLeftovers({ installationId, allocationsEnded }, call) {
      const found = new Map<string, ReturnType<typeof toLeftovers>[number]>()
      const ended = [...allocationsEnded]
      for (const some of ended.length === 0 ? [[]] : batches(ended)) {
        const body = { installationId, allocationsEnded: some }
        const question = {
          what: 'the sweep',
          method: 'POST',
          path: '/v1/leftovers/sweep',
          changes: true,
          body,
        } as const
        const answer = toLeftovers(await client.ask(WireLeftovers, question, call))
        for (const leftover of answer) found.set(`${leftover.kind}/${leftover.id}`, leftover)
      }
      return [...found.values()]
    },
    async freeCapacity(clusterId, call) {
      if (own(settings.clusters, clusterId) === undefined) throw notConfigured(`the cluster ${clusterId}`)
      if (!settings.reportsFreeCapacity) return null
      const path = `/v1/clusters/${encodeURIComponent(clusterId)}/free-capacity`
      const question = { what: 'the free capacity', method: 'GET', path, changes: false } as const
      return (await client.ask(WireFreeCapacity, question, call)).freeNodes
    },
    async ping(call) {
      await client.send({ what: 'the ping', method: 'GET', path: '/v1/ping', changes: false }, call)
    },
    close: () => client.close(),
    traffic: () => client.traffic(),
  }
}

function capabilitiesOf({ clusters, reportsFreeCapacity, joinsFabric }: RemoteSettings): Provider['capabilities'] {
  const all = Object.values(clusters)
  return {
    maxBatch: Math.min(...all.map(({ maxBatch }) => maxBatch)),
    visibilityDelayMs: Math.max(...all.map(({ visibilityDelayMs }) => visibilityDelayMs)),
    nodeName: NODE_NAME,
    findsByOwner: 'exact',
    reportsFreeCapacity,
    joinsFabric,
  }
}

/** @throws ProviderError `refused` for what is not configured: nothing is sent */
function groupBody(settings: RemoteSettings, group: NodeGroup): object {
  const { clusterId, imageAlias, network, size, sshPublicKeys, owner } = group
  const cluster = own(settings.clusters, clusterId)
  if (cluster === undefined) throw notConfigured(`the cluster ${clusterId}`)
  const image = own(cluster.images, imageAlias)
  if (image === undefined) throw notConfigured(`the image ${imageAlias}`)
  if (!cluster.networks.some(({ name }) => name === network)) throw notConfigured(`the network ${network}`)
  return { size, clusterId, image, network, sshPublicKeys, owner }
}

/** What every object inherits is nobody's cluster and nobody's image. */
const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

const notConfigured = (what: string) =>
  new ProviderError('refused', `${what} is not configured`, { effect: 'none', code: 'NOT_CONFIGURED' })

interface Listing {
  readonly settings: RemoteSettings
  readonly client: RemoteClient
}

/** All pages. What the operator's filter lets through is compared here: nodes of others must never be taken for ours. */
async function listAll({ settings, client }: Listing, filter: NodeFilter, call: Call): Promise<ProviderNode[]> {
  const found = new Map<string, ProviderNode>()
  for (const nodeIds of batches(filter.adopted ?? [])) {
    const question = { what: 'the search of nodes', method: 'POST', path: '/v1/nodes/find', changes: false } as const
    const { items } = await client.ask(WireNodes, { ...question, body: { nodeIds } }, call)
    for (const node of items.map(toNode)) if (isWithin(filter, node)) found.set(node.providerInstanceId, node)
  }
  const query = {
    installationId: filter.installationId,
    ...(filter.allocationId === undefined ? {} : { allocationId: filter.allocationId }),
  }
  const pages = { what: 'the list of nodes', path: '/v1/nodes', query, schema: WirePage }
  for (const node of (await readPages({ settings, client }, pages, call)).map(toNode))
    if (isWithin(filter, node)) found.set(node.providerInstanceId, node)
  return [...found.values()]
}

/** What stands in clusters that are not configured is nobody's business here, nor is what carries our tag. */
async function listOthers(
  { settings, client }: Listing,
  { installationId }: Pick<NodeFilter, 'installationId'>,
  call: Call,
): Promise<OtherNode[]> {
  const pages = {
    what: 'the list of what others made',
    path: '/v1/nodes/others',
    query: { installationId },
    schema: WireOtherPage,
  }
  const others = (await readPages({ settings, client }, pages, call)).filter(
    ({ owner, clusterId }) =>
      owner?.installationId !== installationId && own(settings.clusters, clusterId) !== undefined,
  )
  return [...new Map(others.map((other) => [other.id, toOther(other)])).values()]
}

interface Pages<Item> {
  readonly what: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly schema: z.ZodType<{ readonly items: readonly Item[]; readonly nextCursor: string | null }>
}

async function readPages<Item>({ settings, client }: Listing, pages: Pages<Item>, call: Call): Promise<Item[]> {
  const { what, path, query, schema } = pages
  const found: Item[] = []
  let cursor: string | null = null
  for (let page = 0; page < MAX_PAGES; page += 1) {
    const asked = new URLSearchParams({
      ...query,
      limit: String(settings.pageSize),
      ...(cursor === null ? {} : { cursor }),
    })
    const question = { what, method: 'GET', path: `${path}?${asked.toString()}`, changes: false } as const
    const answer: z.infer<typeof schema> = await client.ask(schema, question, call)
    found.push(...answer.items)
    cursor = answer.nextCursor
    if (cursor === null) return found
  }
  throw new ProviderError('malformed', `${what} has not ended after ${MAX_PAGES} pages`, { effect: 'none' })
}

/** Unknown nodes are gone: that is success, and the proof is a later list. */
async function deleteBatch(client: RemoteClient, body: object, call: Call): Promise<void> {
  const question = { what: 'the deletion', method: 'POST', path: '/v1/nodes/delete', changes: true, body } as const
  try {
    await client.send(question, call)
  } catch (error) {
    if (!(error instanceof ProviderError) || error.kind !== 'not-found') throw error
  }
}

function fabricCalls(client: RemoteClient): Required<Pick<Provider, 'joinFabric' | 'leaveFabric'>> {
  const ask = (verb: 'join' | 'leave', body: object, call: Call): Promise<{ readonly settled: boolean }> => {
    const path = `/v1/fabric/${verb}`
    return client.ask(WireSettled, { what: `the ${verb} of a fabric`, method: 'POST', path, changes: true, body }, call)
  }
  return {
    joinFabric: ({ clusterId, owner, providerInstanceIds: nodeIds }, call) =>
      ask('join', { clusterId, owner, nodeIds }, call),
    leaveFabric: ({ clusterId, owner }, call) => ask('leave', { clusterId, owner }, call),
  }
}

const batches = <T>(all: readonly T[]): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(all.length / MAX_IDS) }, (_, n) => all.slice(n * MAX_IDS, (n + 1) * MAX_IDS))
