/** Servers: listed whole, and deleted. */
import { namePrefixOf } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import {
  type Call,
  type NodeFilter,
  type OtherNode,
  type Provider,
  type ProviderNode,
  isWithin,
} from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import type { Catalogue, Flavor } from './catalogue.ts'
import { type NhnClient, type NhnRequest, computeUrl, isSuccess } from './client.ts'
import { perhapsDone } from './errors.ts'
import { listAll } from './paging.ts'
import { type Server, ServerPage, isGone, ownerOf, toNode, toOther } from './wire.ts'

export async function listNodes(client: NhnClient, filter: NodeFilter, call: Call): Promise<readonly ProviderNode[]> {
  // The operator's filter is a pattern that may stand anywhere in a name; what counts is the tag, compared here.
  const { allocationId, adopted = [] } = filter
  // Nodes that were taken over are called as somebody else liked.
  const query = allocationId === undefined || adopted.length > 0 ? {} : { name: namePrefixOf(allocationId) }
  const nodes = await listServers(client, query, call)
  return nodes.filter((node) => isWithin(filter, node))
}

/** The whole project, whatever is in it: which of it takes room in a cluster is told by flavor and zone. */
export async function listOthers(
  { client, catalogue }: { readonly client: NhnClient; readonly catalogue: Catalogue },
  { installationId }: Pick<NodeFilter, 'installationId'>,
  call: Call,
): Promise<readonly OtherNode[]> {
  const { clusters } = client.settings
  const flavors = new Map<string, Flavor>()
  for (const [clusterId, { flavor }] of Object.entries(clusters))
    flavors.set(clusterId, await catalogue.flavor(flavor, call))
  const servers = await listProject(client, {}, call)
  return servers
    .filter((server) => ownerOf(server)?.installationId !== installationId)
    .flatMap((server) => toOther(server, clusters, flavors) ?? [])
}

/** Servers whose names hold `query.name`, as nodes; of any installation, or of none. */
export async function listServers(
  client: NhnClient,
  query: Readonly<Record<string, string>>,
  call: Call,
): Promise<readonly ProviderNode[]> {
  const servers = await listProject(client, query, call)
  return servers.map((server) => toNode(server, client.settings))
}

async function listProject(
  client: NhnClient,
  query: Readonly<Record<string, string>>,
  call: Call,
): Promise<readonly Server[]> {
  const servers = await listAll<Server>(
    client,
    {
      url: computeUrl(client, '/servers/detail'),
      query,
      asked: 'listing servers',
      read(answer) {
        const page = readJson(ServerPage, answer, 'none')
        return { items: page.servers, hasNext: (page.servers_links ?? []).some(({ rel }) => rel === 'next') }
      },
    },
    call,
  )
  return servers.filter((server) => !isGone(server))
}

/** Asks for each of them to go, whatever becomes of the others, and then tells the worst that happened. */
export async function deleteNodes(
  client: NhnClient,
  { providerInstanceIds }: Parameters<Provider['deleteNodes']>[0],
  call: Call,
): Promise<void> {
  const ids = [...new Set(providerInstanceIds)]
  const results = await Promise.allSettled(ids.map((id) => deleteServer(client, id, call)))
  const errors = results.flatMap((result): unknown[] => (result.status === 'rejected' ? [result.reason] : []))
  if (errors.length === 0) return
  // `busy` says least: it is told only when nothing worse happened.
  const worst = errors.find((error) => !(error instanceof ProviderError && error.kind === 'busy')) ?? errors[0]
  const isPartlyDone = errors.length < ids.length || errors.some((error) => !hasNoEffect(error))
  throw isPartlyDone && worst instanceof ProviderError ? perhapsDone(worst) : worst
}

const hasNoEffect = (error: unknown): boolean => error instanceof ProviderError && error.effect === 'none'

async function deleteServer(client: NhnClient, id: string, call: Call): Promise<void> {
  const url = computeUrl(client, `/servers/${encodeURIComponent(id)}`)
  const request: NhnRequest = { method: 'DELETE', url, asked: 'deleting a server' }
  const answer = await client.send(request, call)
  if (!isSuccess(answer) && answer.status !== 404) throw client.errorOf(request, answer)
}
