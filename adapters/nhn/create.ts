/**
 * Making a group once. Nova refuses no name, so the group is looked for first. None of it there: one call for all. Some of
 * it there: the missing members one by one, each under its own name, because a second batch would be numbered from the
 * start again.
 */
import { z } from 'zod'
import { memberName, namePrefixOf, ownerTagText } from '../../shared/ids.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { AdapterContext, Call, NodeGroup, ProviderNode } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import { createLooks } from '../looks.ts'
import { unplaceableKey } from './boot-script.ts'
import type { Catalogue } from './catalogue.ts'
import { type NhnClient, type NhnRequest, computeUrl, isSuccess } from './client.ts'
import type { NhnCluster, NhnNetwork } from './config.ts'
import { perhapsDone } from './errors.ts'
import { listServers } from './servers.ts'
import { createBody, suffixOf } from './wire.ts'

export type CreateNodes = (group: NodeGroup, call: Call) => Promise<readonly ProviderNode[]>

export function createNodeMaker(client: NhnClient, catalogue: Catalogue, now: AdapterContext['now']): CreateNodes {
  const looks = createLooks((name, call) => listServers(client, { name }, call), now)
  const underWay = new Set<string>()
  return async (group, call) => {
    const configured = configuredFor(client, group)
    // Two that look at the same time would both see nothing, and both ask.
    if (underWay.has(group.name)) throw alreadyUnderWay(group.name)
    underWay.add(group.name)
    try {
      const found = await looks.at(namePrefixOf(group.owner.allocationId), group.name, call)
      const tag = ownerTagText(group.owner)
      const members = found.filter(({ owner }) => owner !== null && ownerTagText(owner) === tag)
      const orders = ordersFor(group, members, client.settings.firstSuffix)
      await carryOut({ client, catalogue, group, configured }, orders, call)
      return members
    } finally {
      underWay.delete(group.name)
    }
  }
}

const UNDER_WAY_PAUSE_MS = 1_000

const alreadyUnderWay = (group: string) =>
  new ProviderError('busy', `${group} is being asked for already`, {
    effect: 'none',
    code: 'UNDER_WAY',
    retryAfterMs: UNDER_WAY_PAUSE_MS,
  })

interface Order {
  readonly name: string
  readonly count: number
}

interface Making {
  readonly client: NhnClient
  readonly catalogue: Catalogue
  readonly group: NodeGroup
  readonly configured: Configured
}

async function carryOut(making: Making, orders: readonly Order[], call: Call): Promise<void> {
  if (orders.length === 0) return
  const { client, catalogue, group } = making
  const { cluster, network, image } = making.configured
  const { operationId } = call
  const flavor = await catalogue.flavor(cluster.flavor, call)
  const imageId = await catalogue.imageId(image, call)
  let accepted = 0
  for (const order of orders) {
    try {
      const body = createBody({ ...order, group, cluster, network, flavorId: flavor.id, imageId, operationId })
      await createServers(client, body, call)
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error
      if (error.kind === 'refused') catalogue.forget() // a flavor or an image may have been replaced at the operator
      throw accepted > 0 ? perhapsDone(error) : error
    }
    accepted += 1
  }
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
