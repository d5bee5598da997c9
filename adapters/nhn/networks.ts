/**
 * The network service's lists, as far as configuration refers to them. NHN has its own VPC calls; a plain Neutron behind
 * the same URL answers them with 404 and is asked in its own words.
 */
import { z } from 'zod'
import type { Call } from '../../shared/provider.ts'
import { readJson } from '../http.ts'
import { type NhnClient, isSuccess } from './client.ts'
import type { NhnCluster } from './config.ts'

/** Ids (of security groups: names too); null where nobody asked, or the service does not tell. */
export interface KnownNetworks {
  readonly vpcs: ReadonlySet<string> | null
  readonly subnets: ReadonlySet<string> | null
  readonly ports: ReadonlySet<string> | null
  readonly securityGroups: ReadonlySet<string> | null
  readonly problems: readonly string[]
}

const Items = z.array(z.object({ id: z.string(), name: z.string().nullish() }))
const Lists = z.record(z.string(), z.unknown())

const VPCS = ['/vpcs', '/networks']
const SUBNETS = ['/vpcsubnets', '/subnets']
const PORTS = ['/ports']
const SECURITY_GROUPS = ['/security-groups']

export async function knownNetworks(
  client: NhnClient,
  clusters: readonly NhnCluster[],
  call: Call,
): Promise<KnownNetworks> {
  const { networkUrl } = client.settings
  const nothing = { vpcs: null, subnets: null, ports: null, securityGroups: null, problems: [] }
  if (networkUrl === undefined) return nothing
  const networks = clusters.flatMap((cluster) => cluster.networks)
  const interfaces = networks.flatMap((network) => network.interfaces)
  const problems: string[] = []
  const list = async (isUsed: boolean, paths: readonly string[]): Promise<ReadonlySet<string> | null> => {
    if (!isUsed) return null
    const names = await firstListOf(client, networkUrl, paths, call)
    if (names === null) problems.push(`${paths[0]?.slice(1)} could not be looked up: the network service has none`)
    return names
  }
  const [vpcs, subnets, ports, securityGroups] = await Promise.all([
    list(
      interfaces.some(({ uuid }) => uuid !== undefined),
      VPCS,
    ),
    list(
      interfaces.some(({ subnet }) => subnet !== undefined),
      SUBNETS,
    ),
    list(
      interfaces.some(({ port }) => port !== undefined),
      PORTS,
    ),
    list(
      networks.some((network) => network.securityGroups.length > 0),
      SECURITY_GROUPS,
    ),
  ])
  return { vpcs, subnets, ports, securityGroups, problems }
}

/** Ids and names at the first of these paths that the service has; null where it has none or keeps it from us. */
async function firstListOf(
  client: NhnClient,
  networkUrl: string,
  paths: readonly string[],
  call: Call,
): Promise<ReadonlySet<string> | null> {
  for (const path of paths) {
    const request = { method: 'GET', url: `${networkUrl}${path}`, asked: `listing ${path.slice(1)}` } as const
    const answer = await client.send(request, call)
    if (answer.status === 404 || answer.status === 403) continue
    if (!isSuccess(answer)) throw client.errorOf(request, answer)
    const lists = Object.values(readJson(Lists, answer, 'none')) // the root key is called differently in each
    const items = lists.map((list) => Items.safeParse(list)).find(({ success }) => success)?.data ?? []
    return new Set(items.flatMap(({ id, name }) => (name === null || name === undefined ? [id] : [id, name])))
  }
  return null
}
