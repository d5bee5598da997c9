/**
 * Whether what is configured exists at the operator: flavor, images, zone, key pair and networks of each cluster. What is
 * missing is told in words; only an operator that cannot be asked is an error.
 */
import { z } from 'zod'
import type { Call, DescribedCluster } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import { type Flavor, findFlavor, findImage, listFlavors } from './catalogue.ts'
import { type NhnClient, computeUrl, isSuccess, read } from './client.ts'
import type { NhnCluster, NhnNetwork } from './config.ts'
import { type KnownNetworks, knownNetworks } from './networks.ts'

export async function describeClusters(client: NhnClient, call: Call): Promise<readonly DescribedCluster[]> {
  const { clusters } = client.settings
  const [flavors, zones, networks] = await Promise.all([
    listFlavors(client, call),
    listZones(client, call),
    knownNetworks(client, Object.values(clusters), call),
  ])
  return await Promise.all(
    Object.entries(clusters).map(([clusterId, cluster]) =>
      describeCluster(client, { clusterId, cluster, flavors, zones, networks }, call),
    ),
  )
}

interface Known {
  readonly clusterId: string
  readonly cluster: NhnCluster
  readonly flavors: readonly Flavor[]
  /** Zones that are there and available. */
  readonly zones: ReadonlySet<string>
  readonly networks: KnownNetworks
}

async function describeCluster(client: NhnClient, known: Known, call: Call): Promise<DescribedCluster> {
  const { cluster, clusterId } = known
  const problems: string[] = []
  const flavor = findFlavor(known.flavors, cluster.flavor, client.settings.region)
  if ('problem' in flavor) problems.push(flavor.problem)
  if (!known.zones.has(cluster.availabilityZone)) problems.push(`zone ${cluster.availabilityZone} is not available`)
  if (cluster.keyName !== undefined && !(await hasKeyPair(client, cluster.keyName, call)))
    problems.push(`there is no key pair ${cluster.keyName} of this API user`)
  const images: string[] = []
  for (const [alias, reference] of Object.entries(cluster.images)) {
    const image = await findImage(client, reference, call)
    if ('found' in image) images.push(alias)
    else problems.push(`${alias}: ${image.problem}`)
  }
  const networks: string[] = []
  for (const network of cluster.networks) {
    const missing = missingOf(network, known.networks)
    if (missing.length === 0) networks.push(network.name)
    problems.push(...missing.map((what) => `network ${network.name}: there is no ${what}`))
  }
  return { clusterId, images, networks, problems: [...problems, ...known.networks.problems] }
}

/** A null set is one that could not be looked at: nothing is missing from it. */
function missingOf(network: NhnNetwork, known: KnownNetworks): string[] {
  const lacks = (ids: ReadonlySet<string> | null, id: string | undefined): boolean =>
    ids !== null && id !== undefined && !ids.has(id)
  return [
    ...network.interfaces.flatMap(({ uuid, subnet, port }) => [
      ...(lacks(known.vpcs, uuid) ? [`VPC ${uuid}`] : []),
      ...(lacks(known.subnets, subnet) ? [`subnet ${subnet}`] : []),
      ...(lacks(known.ports, port) ? [`port ${port}`] : []),
    ]),
    ...network.securityGroups.flatMap((name) => (lacks(known.securityGroups, name) ? [`security group ${name}`] : [])),
  ]
}

const Zones = z.object({
  availabilityZoneInfo: z.array(
    z.object({ zoneName: z.string(), zoneState: z.object({ available: z.boolean().nullish() }).nullish() }),
  ),
})

async function listZones(client: NhnClient, call: Call): Promise<ReadonlySet<string>> {
  const request = { url: computeUrl(client, '/os-availability-zone'), asked: 'listing zones' }
  const { availabilityZoneInfo } = await read(client, Zones, request, call)
  const available = availabilityZoneInfo.filter(({ zoneState }) => zoneState?.available !== false)
  return new Set(available.map(({ zoneName }) => zoneName))
}

const KeyPair = z.object({ keypair: z.object({ name: z.string() }) })

async function hasKeyPair(client: NhnClient, name: string, call: Call): Promise<boolean> {
  const url = computeUrl(client, `/os-keypairs/${encodeURIComponent(name)}`)
  const request = { method: 'GET', url, asked: 'looking up a key pair' } as const
  const answer = await client.send(request, call)
  if (answer.status === 404) return false
  if (!isSuccess(answer)) throw client.errorOf(request, answer)
  return readJson(KeyPair, answer, 'none').keypair.name === name
}
