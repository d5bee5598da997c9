/**
 * Whether what is configured exists at Kakao: flavors, images, subnets, security groups, keypairs, by the exact ids and
 * names of the configuration. What is missing is told in words; nothing is looked up by similarity.
 */
import { readJson } from '../http.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, DescribedCluster } from '../../shared/provider.ts'
import type { z } from 'zod'
import type { KakaoClient } from './client.ts'
import type { KakaoCluster, KakaoSettings } from './config.ts'
import { listAll } from './paging.ts'
import { Flavor, Image, SecurityGroup, Subnet } from './wire.ts'

interface Stock {
  readonly images: ReadonlyMap<string, z.infer<typeof Image>>
  readonly subnets: ReadonlyMap<string, z.infer<typeof Subnet>>
  readonly securityGroups: ReadonlySet<string | null>
}

export interface DescriberOptions {
  readonly settings: KakaoSettings
  readonly client: KakaoClient
}

export function createDescriber({ settings, client }: DescriberOptions) {
  const list = async <S extends z.ZodType<{ readonly id: string }>>(url: string, noun: string, row: S, call: Call) =>
    await listAll(
      client,
      { url: `${url}/api/v1/${noun.replace('_', '-')}`, noun, row, limit: settings.listLimit },
      call,
    )

  const readStock = async (call: Call): Promise<Stock> => {
    const images = await list(settings.imageUrl, 'images', Image, call)
    const subnets = await list(settings.vpcUrl, 'subnets', Subnet, call)
    const securityGroups = await list(settings.networkUrl, 'security_groups', SecurityGroup, call)
    return {
      images: new Map(images.map((image) => [image.id, image])),
      subnets: new Map(subnets.map((subnet) => [subnet.id, subnet])),
      securityGroups: new Set(securityGroups.map(({ name }) => name)),
    }
  }

  const keypairProblems = async ({ keyName }: KakaoCluster, call: Call): Promise<string[]> => {
    if (keyName === null) return []
    const url = `${settings.bcsUrl}/api/v1/keypairs/${encodeURIComponent(keyName)}`
    const found = await unlessMissing(client.get('the keypair', url, call))
    return found === null ? [`there is no keypair ${keyName}`] : []
  }

  return async (call: Call): Promise<readonly DescribedCluster[]> => {
    const stock = await readStock(call)
    const described: DescribedCluster[] = []
    for (const [clusterId, cluster] of Object.entries(settings.clusters)) {
      const flavor = await readFlavor({ settings, client }, cluster.flavorId, call)
      described.push({
        clusterId,
        images: Object.keys(cluster.images).filter((alias) => stock.images.has(cluster.images[alias] ?? '')),
        networks: cluster.networks.map(({ name }) => name),
        problems: [
          ...flavorProblems(cluster, flavor),
          ...imageProblems(cluster, stock),
          ...networkProblems(cluster, stock),
          ...(await keypairProblems(cluster, call)),
        ],
      })
    }
    return described
  }
}

/** Null when there is no such flavor. */
export async function readFlavor({ settings, client }: DescriberOptions, id: string, call: Call) {
  const url = `${settings.bcsUrl}/api/v1/flavors/${encodeURIComponent(id)}`
  const answer = await unlessMissing(client.get('the flavor', url, call))
  return answer === null ? null : readJson(Flavor, answer, 'none').flavor
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | null> {
  try {
    return await work
  } catch (error) {
    if (error instanceof ProviderError && error.kind === 'not-found') return null
    throw error
  }
}

function flavorProblems({ flavorId, zone, bareMetal }: KakaoCluster, flavor: Flavor | null): string[] {
  if (flavor === null) return [`there is no flavor ${flavorId}`]
  const problems: string[] = []
  const type = flavor.instance_type
  if (type !== null && (type === 'bm') !== bareMetal) {
    problems.push(`flavor ${flavorId} is of type ${type}, but bareMetal is ${bareMetal}`)
  }
  const zones = flavor.availability_zone
  if (zones !== null && !zones.includes(zone)) {
    problems.push(`flavor ${flavorId} is not offered in zone ${zone}, only in: ${zones.join(', ')}`)
  }
  return problems
}

/** Images know two kinds only: GPU images are listed as `vm`. */
function imageProblems({ images, bareMetal }: KakaoCluster, stock: Stock): string[] {
  const wanted = bareMetal ? 'bm' : 'vm'
  return Object.entries(images).flatMap(([alias, id]) => {
    const image = stock.images.get(id)
    if (image === undefined) return [`there is no image ${id} (${alias})`]
    const type = image.instance_type
    return [
      ...(image.status === null || image.status === 'active' ? [] : [`image ${id} (${alias}) is ${image.status}`]),
      ...(type === null || type === wanted ? [] : [`image ${id} (${alias}) is for ${type}, the flavor is ${wanted}`]),
    ]
  })
}

function networkProblems({ networks, zone }: KakaoCluster, stock: Stock): string[] {
  return networks.flatMap(({ name, subnetId, securityGroups }) => {
    const subnet = stock.subnets.get(subnetId)
    const subnetZone = subnet?.availability_zone ?? zone
    const missing = securityGroups.filter((group) => !stock.securityGroups.has(group))
    return [
      ...(subnet === undefined ? [`there is no subnet ${subnetId} (network ${name})`] : []),
      ...(subnetZone === zone ? [] : [`subnet ${subnetId} (network ${name}) lies in ${subnetZone}, not in ${zone}`]),
      ...missing.map((group) => `there is no security group ${group} (network ${name})`),
    ]
  })
}
