/**
 * What KakaoCloud has in store from the start: access keys, flavors, images, networks. The flavors are those of its price
 * list and one fictitious B200 node, whose name says so.
 */
import { KAKAO } from './settings.ts'

export const ZONES = ['kr-central-2-a', 'kr-central-2-b', 'kr-central-2-c'] as const
/** No document names it: for clients that must survive a new zone. */
export const FUTURE_ZONE = 'kr-central-2-d'

export const USER_ID = '00112233445566778899aabbccddeeff'
export const DOMAIN = { id: 'ffeeddccbbaa99887766554433221100', name: 'sandbox-domain' } as const
export const PROJECT_NAME = 'sandbox-project'
export const SEEDED_AT = Date.UTC(2026, 0, 1)

export interface AccessKey {
  readonly id: string
  readonly name: string
  readonly secret: string
  /** `Viewer` may read only. */
  readonly role: 'Project Member' | 'Viewer'
}

/** A key whose holder may read and nothing else: its writes are answered 403. */
export const VIEWER_KEY: AccessKey = {
  id: 'sandbox-kakao-viewer-key-id',
  name: 'sandbox-viewer',
  secret: 'sandbox-kakao-viewer-secret-not-a-secret',
  role: 'Viewer',
}

export const ACCESS_KEYS: readonly AccessKey[] = [
  { id: KAKAO.accessKeyId, name: 'sandbox-broker', secret: KAKAO.accessKeySecret, role: 'Project Member' },
  VIEWER_KEY,
]

type InstanceType = 'vm' | 'bm' | 'gpu'

export interface Flavor {
  readonly id: string
  readonly name: string
  readonly instanceType: InstanceType
  readonly vcpus: number
  readonly memoryGib: number
  readonly accelerator: { readonly type: string; readonly name: string; readonly count: number } | null
  readonly maker: string
  readonly zones: readonly string[]
  /** Bare metal: nodes shown as free in each zone while no stock is set, less those that stand. */
  readonly shownNodes: number
}

const ALL_ZONES: readonly string[] = ZONES
const A_AND_B = ['kr-central-2-a', 'kr-central-2-b']

const flavor = (
  index: number,
  name: string,
  instanceType: InstanceType,
  [vcpus, memoryGib]: readonly [number, number],
  rest: Partial<Flavor> = {},
): Flavor => ({
  id: `f1000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  name,
  instanceType,
  vcpus,
  memoryGib,
  accelerator: null,
  maker: instanceType === 'gpu' ? 'nvidia' : 'intel',
  zones: ALL_ZONES,
  shownNodes: 0,
  ...rest,
})

const gpus = (name: string, count: number): Pick<Flavor, 'accelerator'> => ({
  accelerator: { type: 'GPU', name, count },
})

export const FLAVORS: readonly Flavor[] = [
  flavor(1, 'gn1i.xlarge', 'gpu', [4, 16], { ...gpus('t4', 1), zones: A_AND_B }),
  flavor(2, 'gn1i.2xlarge', 'gpu', [8, 32], { ...gpus('t4', 1), zones: A_AND_B }),
  flavor(3, 'gn1i.4xlarge', 'gpu', [16, 64], { ...gpus('t4', 1), zones: A_AND_B }),
  flavor(4, 'gn1i.8xlarge', 'gpu', [32, 128], { ...gpus('t4', 1), zones: A_AND_B }),
  flavor(5, 'gn1i.12xlarge', 'gpu', [48, 192], { ...gpus('t4', 4), zones: A_AND_B }),
  flavor(6, 'gn1i.16xlarge', 'gpu', [64, 256], { ...gpus('t4', 1), zones: A_AND_B }),
  flavor(7, 'p2i.6xlarge', 'gpu', [24, 192], { ...gpus('a100', 1), zones: A_AND_B }),
  flavor(8, 'p2i.12xlarge', 'gpu', [48, 384], { ...gpus('a100', 2), zones: A_AND_B }),
  flavor(9, 'p2i.24xlarge', 'gpu', [96, 768], { ...gpus('a100', 4), zones: A_AND_B }),
  flavor(10, 'gf1i.6xlarge', 'gpu', [24, 192], {
    accelerator: { type: 'NPU', name: 'npu', count: 1 },
    maker: 'furiosaai',
  }),
  flavor(11, 'm2a.large', 'vm', [2, 8], { maker: 'amd' }),
  flavor(12, 'p2a.baremetal', 'bm', [128, 1536], { ...gpus('a100', 8), maker: 'amd', zones: A_AND_B, shownNodes: 4 }),
  flavor(13, 'p1i.baremetal', 'bm', [56, 512], { ...gpus('v100', 4), zones: A_AND_B, shownNodes: 2 }),
  {
    ...flavor(14, KAKAO.flavorName, 'bm', [224, 2048], gpus('b200', 8)),
    id: KAKAO.flavorId,
    zones: [KAKAO.zone],
    shownNodes: KAKAO.shownNodes,
  },
]

export interface Image {
  readonly id: string
  readonly name: string
  /** GPU images are listed among those for `vm`. */
  readonly instanceType: 'vm' | 'bm'
  readonly minDiskGb: number
}

export const IMAGES: readonly Image[] = [
  { id: KAKAO.gpuImageId, name: 'sim-ubuntu-22.04-nvidia-bm', instanceType: 'bm', minDiskGb: 0 },
  { id: KAKAO.secondImageId, name: 'sim-ubuntu-24.04-nvidia-bm', instanceType: 'bm', minDiskGb: 0 },
  {
    id: '2a000000-0000-4000-8000-000000000003',
    name: 'sim-ubuntu-22.04-nvidia',
    instanceType: 'vm',
    minDiskGb: 30,
  },
  { id: '2a000000-0000-4000-8000-000000000004', name: 'sim-ubuntu-22.04', instanceType: 'vm', minDiskGb: 10 },
]

export const VPC = { id: '7c000000-0000-4000-8000-000000000001', name: 'sandbox-vpc', cidr: '10.64.0.0/14' } as const

export interface Subnet {
  readonly id: string
  readonly name: string
  readonly zone: string
  readonly cidr: string
  /** The first two octets of its addresses. */
  readonly prefix: string
}

export const SUBNETS: readonly Subnet[] = [
  { id: KAKAO.subnetId, name: 'sandbox-subnet-a', zone: KAKAO.zone, cidr: '10.64.0.0/16', prefix: '10.64' },
  {
    id: '6b000000-0000-4000-8000-000000000002',
    name: 'sandbox-subnet-b',
    zone: 'kr-central-2-b',
    cidr: '10.65.0.0/16',
    prefix: '10.65',
  },
]

export const VOLUME_TYPES = [
  { id: '8d000000-0000-4000-8000-000000000001', name: 'SSD', description: 'General purpose SSD (gp2)' },
] as const

export const DEFAULT_SECURITY_GROUP_ID = '9e000000-0000-4000-8000-000000000001'

export const SEEDED_PUBLIC_KEY =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA sandbox'
