/**
 * Nova's servers and ours: what is read of an answer, what a create is made of, and how names are translated. Pure. Only
 * members in use are named, because NHN adds and drops others without notice.
 */
import { z } from 'zod'
import { type OwnerTag, memberName, ownerTagText, parseOwnerTag } from '../../shared/ids.ts'
import type { NodeGroup, OtherNode, ProviderNode } from '../../shared/provider.ts'
import { bootScript } from './boot-script.ts'
import type { NhnCluster, NhnNetwork } from './config.ts'
import { isNoRoom } from './errors.ts'
import { utcMs } from './utc.ts'

/** Metadata keys. Nova has no field for an owner, and lists cannot be filtered by these. */
export const OWNER_KEY = 'gpu-broker'
export const CLUSTER_KEY = 'gpu-broker-cluster'
const OPERATION_KEY = 'gpu-broker-operation'

const Address = z.object({
  addr: z.string(),
  version: z.number().nullish(),
  'OS-EXT-IPS:type': z.string().nullish(),
})

const Server = z.object({
  id: z.string().min(1),
  name: z.string(),
  status: z.string(),
  created: z.string().nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
  addresses: z.record(z.string(), z.array(Address)).nullish(),
  /** By its id; newer Novas tell the name instead. */
  flavor: z.object({ id: z.string().nullish(), original_name: z.string().nullish() }).nullish(),
  'OS-EXT-STS:task_state': z.string().nullish(),
  'OS-EXT-AZ:availability_zone': z.string().nullish(),
  fault: z.object({ code: z.union([z.number(), z.string()]).nullish(), message: z.string().nullish() }).nullish(),
})
export type Server = z.infer<typeof Server>

export const ServerPage = z.object({
  servers: z.array(Server),
  /** Never followed: it points to a host inside NHN. That it is there says that there is more. */
  servers_links: z.array(z.object({ rel: z.string() })).nullish(),
})

const STATE: Readonly<Record<string, ProviderNode['state']>> = {
  BUILD: 'building',
  ACTIVE: 'ready',
  PASSWORD: 'ready', // running, while its password is being changed
  ERROR: 'failed',
  SOFT_DELETED: 'deleting',
}

/** What is in lists with `changes-since`, and no server any more. */
export const isGone = (server: Server): boolean => server.status === 'DELETED'

export function ownerOf(server: Server): OwnerTag | null {
  const text = server.metadata?.[OWNER_KEY]
  return typeof text === 'string' ? parseOwnerTag(text) : null
}

export interface NodeContext {
  readonly clusters: Readonly<Record<string, NhnCluster>>
  readonly firstSuffix: number
}

export function toNode(server: Server, context: NodeContext): ProviderNode {
  const owner = ownerOf(server)
  const address = addressOf(server)
  const state = stateOf(server, address)
  return {
    providerInstanceId: server.id,
    name: owner === null ? server.name : (memberOf(server.name, owner.group, context.firstSuffix) ?? server.name),
    owner,
    clusterId: clusterOf(server, context.clusters),
    state,
    inFabric: true,
    address,
    createdAt: toEpochMs(server.created),
    failure: state === 'failed' ? failureOf(server) : null,
  }
}

function stateOf(server: Server, address: string | null): ProviderNode['state'] {
  const task = server['OS-EXT-STS:task_state']
  if (task === 'deleting' || task === 'soft-deleting') return 'deleting' // the status stays as it was until it is gone
  // A status that we have never seen is one that is still moving: the next look will tell.
  const state = STATE[server.status] ?? 'building'
  return state === 'ready' && address === null ? 'building' : state
}

function failureOf({ fault }: Server): NonNullable<ProviderNode['failure']> {
  const message = fault?.message ?? 'the operator gave no reason'
  return {
    code: fault?.code === null || fault?.code === undefined ? null : String(fault.code),
    message,
    kind: isNoRoom(message) ? 'out-of-capacity' : 'fault',
  }
}

/** The first fixed IPv4 address; else any fixed one; a floating one only where there is no other. */
function addressOf({ addresses }: Server): string | null {
  const all = Object.values(addresses ?? {}).flat()
  const fixed = all.filter((entry) => entry['OS-EXT-IPS:type'] !== 'floating')
  return (fixed.find(({ version }) => version === 4) ?? fixed[0] ?? all[0])?.addr ?? null
}

/** What we wrote on it; without that, the only configured cluster in its zone. */
function clusterOf(server: Server, clusters: NodeContext['clusters']): string | null {
  const written = server.metadata?.[CLUSTER_KEY]
  if (typeof written === 'string' && Object.hasOwn(clusters, written)) return written
  const zone = server['OS-EXT-AZ:availability_zone']
  const there = Object.entries(clusters).filter(([, cluster]) => cluster.availabilityZone === zone)
  return there.length === 1 ? (there[0]?.[0] ?? null) : null
}

/**
 * Somebody else's server, if it takes room in a cluster: of the cluster's flavor and in its zone. What it says of a cluster
 * in its metadata is another broker's word, and the zone alone would match machines without a GPU.
 *
 * @param flavors by cluster
 */
export function toOther(
  server: Server,
  clusters: NodeContext['clusters'],
  flavors: ReadonlyMap<string, { readonly id: string; readonly name: string }>,
): OtherNode | null {
  const there = Object.entries(clusters).filter(
    ([clusterId, cluster]) =>
      cluster.availabilityZone === server['OS-EXT-AZ:availability_zone'] && isOfFlavor(server, flavors.get(clusterId)),
  )
  const [only, another] = there
  if (only === undefined || another !== undefined) return null
  return { providerInstanceId: server.id, name: server.name, clusterId: only[0], createdAt: toEpochMs(server.created) }
}

function isOfFlavor({ flavor }: Server, wanted: { readonly id: string; readonly name: string } | undefined): boolean {
  if (flavor === null || flavor === undefined || wanted === undefined) return false
  return typeof flavor.id === 'string' ? flavor.id === wanted.id : flavor.original_name === wanted.name
}

/**
 * Nova's name of a group's member → ours, `<group>-<n>`. A group of one has no number; batches are numbered with or
 * without a dash. Null when the name is not a member's.
 */
export function memberOf(name: string, group: string, firstSuffix: number): string | null {
  if (name === group) return memberName(group, 1)
  if (!name.startsWith(group)) return null
  const suffix = /^-?(\d{1,3})$/.exec(name.slice(group.length))
  return suffix === null ? null : memberName(group, Number(suffix[1]) - firstSuffix + 1)
}

/** The number that stands for our n-th member in Nova's names. */
export const suffixOf = (n: number, firstSuffix: number): number => n - 1 + firstSuffix

function toEpochMs(text: string | null | undefined): number | null {
  const at = utcMs(text ?? '')
  return Number.isNaN(at) ? null : at
}

export interface CreateOptions {
  readonly group: NodeGroup
  readonly cluster: NhnCluster
  readonly network: NhnNetwork
  readonly flavorId: string
  readonly imageId: string
  /** Nova's name: of the batch, or of the one server. */
  readonly name: string
  readonly count: number
  readonly operationId: string
}

/** The body of `POST /servers`. */
export function createBody(options: CreateOptions): object {
  const { group, cluster, network } = options
  return {
    server: {
      name: options.name,
      flavorRef: options.flavorId,
      ...(cluster.rootDisk.sendImageRef ? { imageRef: options.imageId } : {}),
      availability_zone: cluster.availabilityZone,
      ...(cluster.keyName === undefined ? {} : { key_name: cluster.keyName }),
      networks: network.interfaces,
      security_groups: network.securityGroups.map((name) => ({ name })),
      block_device_mapping_v2: [rootDevice(cluster, options.imageId)],
      metadata: {
        [OWNER_KEY]: ownerTagText(group.owner),
        [CLUSTER_KEY]: group.clusterId,
        [OPERATION_KEY]: options.operationId.slice(0, MAX_METADATA_CHARACTERS),
      },
      ...userData(options),
      min_count: options.count,
      max_count: options.count,
    },
    ...(cluster.serverGroupId === undefined ? {} : { 'os:scheduler_hints': { group: cluster.serverGroupId } }),
  }
}

const MAX_METADATA_CHARACTERS = 255

const rootDevice = ({ rootDisk }: NhnCluster, imageId: string): object => ({
  source_type: 'image',
  uuid: imageId,
  boot_index: 0,
  destination_type: rootDisk.destinationType,
  ...(rootDisk.volumeType === null || rootDisk.destinationType === 'local' ? {} : { volume_type: rootDisk.volumeType }),
  volume_size: rootDisk.sizeGb,
  delete_on_termination: true, // NHN's default leaves the disk behind, and bills it
})

const userData = ({ group, cluster }: CreateOptions): { readonly user_data?: string } =>
  group.sshPublicKeys.length === 0
    ? {}
    : { user_data: Buffer.from(bootScript(group.sshPublicKeys, cluster.loginUser)).toString('base64') }
