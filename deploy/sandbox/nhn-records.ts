/** What the simulated NHN Cloud remembers, and what it offers from the start. */
import type { OperatorContext } from './harness.ts'
import { NHN } from './settings.ts'
import type { Table } from './store.ts'

export interface Nic {
  readonly portId: string
  readonly networkId: string
  readonly subnetId: string
  readonly address: string
  readonly mac: string
  /** Whether the server brought it along, so that it goes with the server. */
  readonly ownedByServer: boolean
}

export interface ServerRecord {
  readonly id: string
  readonly name: string
  readonly reservationId: string
  readonly createdAtMs: number
  readonly readyAtMs: number
  /** Set when accepted: how and when its build will have failed. */
  readonly failure: { readonly atMs: number; readonly message: string } | null
  readonly zone: string
  readonly flavorId: string
  /** What the request carried; decides the shape of `image` in answers. */
  readonly imageRef: string | null
  readonly keyName: string
  /** The placement policy that it was made under. */
  readonly serverGroupId: string | null
  readonly securityGroups: readonly string[]
  readonly nics: readonly Nic[]
  readonly volumeIds: readonly string[]
  readonly metadata: Readonly<Record<string, string>>
  readonly protect: boolean
  /** The last power action: shows `status` and `task` until it is over, then `then`. */
  readonly change: {
    readonly status: Status
    readonly task: string
    readonly sinceMs: number
    readonly untilMs: number
    readonly then: Status
  } | null
  readonly editedAtMs: number
  readonly deletion: { readonly askedAtMs: number; readonly goneAtMs: number } | null
}

export type Status = 'BUILD' | 'ACTIVE' | 'SHUTOFF' | 'ERROR' | 'REBOOT' | 'HARD_REBOOT' | 'DELETED'

export interface VolumeRecord {
  readonly id: string
  readonly sizeGb: number
  readonly type: string
  readonly zone: string
  readonly createdAtMs: number
  readonly serverId: string
  readonly imageId: string | null
  readonly deleteOnTermination: boolean
  readonly deletion: { readonly askedAtMs: number; readonly goneAtMs: number } | null
}

export interface PortRecord {
  readonly id: string
  readonly name: string
  readonly networkId: string
  readonly subnetId: string
  readonly address: string
  readonly mac: string
  readonly description: string
}

export interface FloatingIpRecord {
  readonly id: string
  readonly address: string
  readonly portId: string | null
  readonly description: string
}

export interface KeypairRecord {
  readonly name: string
  readonly publicKey: string
  readonly createdAtMs: number
}

export interface ServerGroupRecord {
  readonly id: string
  readonly name: string
}

export interface TokenRecord {
  readonly id: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
}

export interface NhnWorld extends OperatorContext {
  readonly tokens: Table<TokenRecord>
  readonly servers: Table<ServerRecord>
  readonly volumes: Table<VolumeRecord>
  readonly ports: Table<PortRecord>
  readonly floatingIps: Table<FloatingIpRecord>
  readonly keypairs: Table<KeypairRecord>
  readonly serverGroups: Table<ServerGroupRecord>
}

export function openWorld(context: OperatorContext): NhnWorld {
  const { store } = context
  return {
    ...context,
    tokens: store.table('tokens'),
    servers: store.table('servers'),
    volumes: store.table('volumes'),
    ports: store.table('ports'),
    floatingIps: store.table('floatingIps'),
    keypairs: store.table('keypairs'),
    serverGroups: store.table('serverGroups'),
  }
}

const SANDBOX_PUBLIC_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA sandbox-key'

/** Puts in place what the account has from the start. */
export function furnish(world: NhnWorld): void {
  if (world.keypairs.has(NHN.keyName)) return
  world.keypairs.set(NHN.keyName, { name: NHN.keyName, publicKey: SANDBOX_PUBLIC_KEY, createdAtMs: world.now() })
}

export const ZONES: readonly string[] = Object.values(NHN.zones)

export interface Flavor {
  readonly id: string
  readonly name: string
  readonly ram: number
  readonly vcpus: number
  readonly gpu: boolean
  readonly type: string
}

export const FLAVORS: readonly Flavor[] = [
  { id: NHN.flavorId, name: NHN.flavorName, ram: 2_097_152, vcpus: 224, gpu: true, type: 'gpu' },
  { id: '35000000-0000-4000-8000-000000000002', name: 'sim.c2m4', ram: 4_096, vcpus: 2, gpu: false, type: 'general' },
]

export interface Image {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly properties: Readonly<Record<string, string>>
}

export const IMAGES: readonly Image[] = [
  imageOf(NHN.gpuImageId, 'Ubuntu Server 22.04 with NVIDIA (sandbox)', '22.04'),
  imageOf(NHN.secondImageId, 'Ubuntu Server 24.04 with NVIDIA (sandbox)', '24.04'),
]

export const IMAGE_MIN_DISK_GB = 20

function imageOf(id: string, name: string, version: string): Image {
  return {
    id,
    name,
    description: name,
    properties: {
      os_type: 'linux',
      os_distro: 'ubuntu',
      os_version: version,
      os_architecture: 'amd64',
      login_username: 'ubuntu',
      hypervisor_type: 'kvm',
      monitoring_agent: 'true',
      project_domain: 'NORMAL',
      tc_env: 'sandbox',
      nhncloud_product: 'compute',
      nhncloud_allow_gpu_flavor: 'true',
      nhncloud_allow_cpu_flavor: 'false',
      nhncloud_allow_nks_cpu_flavor: 'false',
      nhncloud_allow_nks_gpu_flavor: 'false',
      nhncloud_allow_local_bootdisk_flavor: 'false',
    },
  }
}

export interface Network {
  readonly id: string
  readonly name: string
  readonly cidr: string
  readonly subnetId: string
  /** First two numbers of its addresses. */
  readonly firstOctets: readonly [number, number]
}

export const NETWORKS: readonly Network[] = [
  { id: NHN.networkId, name: 'sandbox-vpc-1', cidr: '10.16.0.0/12', subnetId: NHN.subnetId, firstOctets: [10, 16] },
  {
    id: NHN.secondNetworkId,
    name: 'sandbox-vpc-2',
    cidr: '10.32.0.0/12',
    subnetId: NHN.secondSubnetId,
    firstOctets: [10, 32],
  },
]

export const VOLUME_TYPES: readonly string[] = ['General HDD', NHN.volumeType, 'Encrypted HDD', 'Encrypted SSD']

/** An address of the network that none before had: a network has a million of them. */
export function nextAddress(world: NhnWorld, network: Network): { address: string; mac: string } {
  const number = world.store.nextNumber(`address:${network.id}`, 10)
  const [first, second] = network.firstOctets
  const octets = [first, second + ((number >> 16) & 15), (number >> 8) & 255, number & 255]
  const mac = ['fa', '16', ...octets.map((octet) => octet.toString(16).padStart(2, '0'))].join(':')
  return { address: octets.join('.'), mac }
}
