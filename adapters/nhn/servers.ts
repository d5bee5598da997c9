/** Servers: listed whole, made in groups, deleted. */
import { z } from 'zod'
import { memberName, namePrefixOf, ownerTagText } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, NodeFilter, NodeGroup, Provider, ProviderNode } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import { unplaceableKey } from './boot-script.ts'
import type { Catalogue } from './catalogue.ts'
import { type NhnClient, type NhnRequest, computeUrl, isSuccess } from './client.ts'
import type { NhnCluster, NhnNetwork } from './config.ts'
import { listAll } from './paging.ts'
import { type Server, ServerPage, createBody, isGone, suffixOf, toNode } from './wire.ts'

export async function listNodes(client: NhnClient, filter: NodeFilter, call: Call): Promise<readonly ProviderNode[]> {
  // The operator's filter is a pattern that may stand anywhere in a name; what counts is the tag, compared here.
  const query = filter.allocationId === undefined ? {} : { name: namePrefixOf(filter.allocationId) }
  const nodes = await listTagged(client, query, call)
  return nodes.filter(
    ({ owner }) =>
      owner?.installationId === filter.installationId &&
      (filter.allocationId === undefined || owner.allocationId === filter.allocationId),
  )
}

async function listTagged(
  client: NhnClient,
  query: Readonly<Record<string, string>>,
  call: Call,
): Promise<readonly ProviderNode[]> {
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
  return servers.filter((server) => !isGone(server)).map((server) => toNode(server, client.settings))
}

/**
 * Looks for the group first. None of it there: one call for all. Some of it there: the missing members one by one, each
 * under its own name, because a second batch would number them from the start again.
 */
export async function createNodes(
  client: NhnClient,
  catalogue: Catalogue,
  group: NodeGroup,
  call: Call,
): Promise<readonly ProviderNode[]> {
  const { cluster, network, image } = configuredFor(client, group)
  const tag = ownerTagText(group.owner)
  const found = await listTagged(client, { name: group.name }, call)
  const members = found.filter(({ owner }) => owner !== null && ownerTagText(owner) === tag)
  const orders = ordersFor(group, members, client.settings.firstSuffix)
  if (orders.length === 0) return members
  const flavor = await catalogue.flavor(cluster.flavor, call)
  const imageId = await catalogue.imageId(image, call)
  let accepted = 0
  for (const { name, count } of orders) {
    const body = createBody({
      group,
      cluster,
      network,
      flavorId: flavor.id,
      imageId,
      name,
      count,
      operationId: call.operationId,
    })
    try {
      await createServers(client, body, call)
    } catch (error) {
      // A flavor or an image may have been replaced at the operator.
      if (error instanceof ProviderError && error.kind === 'refused') catalogue.forget()
      throw accepted > 0 ? perhapsDone(error) : error
    }
    accepted += 1
  }
  return members
}

interface Order {
  readonly name: string
  readonly count: number
}

function ordersFor(group: NodeGroup, members: readonly ProviderNode[], firstSuffix: number): readonly Order[] {
  if (members.length === 0) return [{ name: group.name, count: group.size }]
  const names = new Set(members.map(({ name }) => name))
  const numbers = Array.from({ length: group.size }, (_, index) => index + 1)
  return numbers
    .filter((n) => !names.has(memberName(group.name, n)))
    .slice(0, Math.max(0, group.size - members.length)) // with strange numbers among them, still no more than the group
    .map((n) => ({ name: memberName(group.name, suffixOf(n, firstSuffix)), count: 1 }))
}

/** Its members differ between releases, and an accepted batch names only its first server: a later list tells. */
const CreateAnswer = z.looseObject({}).nullable()

async function createServers(client: NhnClient, body: object, call: Call): Promise<void> {
  const url = computeUrl(client, '/servers')
  const request: NhnRequest = { method: 'POST', url, body, asked: 'creating servers' }
  const answer = await client.send(request, call)
  if (!isSuccess(answer)) throw client.errorOf(request, answer)
  if (answer.body.trim() !== '') readJson(CreateAnswer, answer, 'maybe')
}

function perhapsDone(error: unknown): unknown {
  if (!(error instanceof ProviderError)) return error
  const { code, providerMessage, retryAfterMs } = error
  return new ProviderError(error.kind, error.message, { effect: 'maybe', code, providerMessage, retryAfterMs })
}

interface Configured {
  readonly cluster: NhnCluster
  readonly network: NhnNetwork
  /** The operator's image, by id or name. */
  readonly image: string
}

function configuredFor({ settings }: NhnClient, group: NodeGroup): Configured {
  const cluster = settings.clusters[group.clusterId]
  if (cluster === undefined) throw refused(`cluster ${group.clusterId} is not configured`)
  const network = cluster.networks.find(({ name }) => name === group.network)
  if (network === undefined) throw refused(`network ${group.network} is not configured for ${group.clusterId}`)
  const image = Object.hasOwn(cluster.images, group.imageAlias) ? cluster.images[group.imageAlias] : undefined
  if (image === undefined) throw refused(`image ${group.imageAlias} is not configured for ${group.clusterId}`)
  const maxBatch = maxBatchOf(settings)
  if (group.size < 1 || group.size > maxBatch) throw refused(`a group has 1 to ${maxBatch} nodes, not ${group.size}`)
  const badKey = unplaceableKey(group.sshPublicKeys)
  if (badKey !== null) throw refused(`SSH key ${badKey} is not one line of text`)
  return { cluster, network, image }
}

/** A port fits one server, so where any network has ports, groups have one member. */
export const maxBatchOf = ({ clusters, maxBatch }: NhnClient['settings']): number =>
  Object.values(clusters).some(({ networks }) =>
    networks.some(({ interfaces }) => interfaces.some(({ port }) => port !== undefined)),
  )
    ? 1
    : maxBatch

const refused = (message: string) => new ProviderError('refused', message, { effect: 'none', code: 'NOT_CONFIGURED' })

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
  throw isPartlyDone ? perhapsDone(worst) : worst
}

const hasNoEffect = (error: unknown): boolean => error instanceof ProviderError && error.effect === 'none'

async function deleteServer(client: NhnClient, id: string, call: Call): Promise<void> {
  const url = computeUrl(client, `/servers/${encodeURIComponent(id)}`)
  const request: NhnRequest = { method: 'DELETE', url, asked: 'deleting a server' }
  const answer = await client.send(request, call)
  if (!isSuccess(answer) && answer.status !== 404) throw client.errorOf(request, answer)
}
