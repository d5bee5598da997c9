/** What the operator has from the start, and no call of this API changes: sites, hardware, images, networks, fabric pools. */
import { NAVER } from './settings.ts'
import { code } from './naver-wire.ts'
import type { WireRecord } from './naver-wire.ts'

const GIB = 1_024 ** 3

export interface Spec {
  readonly serverSpecCode: string
  readonly cpuCount: number
  readonly memoryGib: number
  readonly gpuCount: number
  /** As refusals for quota spell it. */
  readonly family: string
  /** The only place where this API says which GPU it is. */
  readonly description: string
}

/** The first is the smallest, and what a server gets that names none. */
export const SPECS: readonly Spec[] = [
  {
    serverSpecCode: 's2-g3',
    cpuCount: 2,
    memoryGib: 8,
    gpuCount: 0,
    family: 'Standard',
    description: 'vCPU 2EA, Memory 8GB',
  },
  {
    serverSpecCode: 'gp1l4-g3',
    cpuCount: 4,
    memoryGib: 20,
    gpuCount: 1,
    family: 'GPU > L4',
    description: 'L4 GPU 1EA, GPUMemory 24GB, vCPU 4EA, Memory 20GB',
  },
  {
    serverSpecCode: 'gp1ls16-g3',
    cpuCount: 16,
    memoryGib: 96,
    gpuCount: 1,
    family: 'GPU > L40S',
    description: 'L40S GPU 1EA, GPUMemory 48GB, vCPU 16EA, Memory 96GB',
  },
  {
    serverSpecCode: 'gp8ap56-g3',
    cpuCount: 56,
    memoryGib: 1_920,
    gpuCount: 8,
    family: 'GPU > A100',
    description: 'A100P GPU 8EA, GPUMemory 40GB, vCPU 56EA, Memory 1920GB',
  },
  {
    serverSpecCode: NAVER.specCode,
    cpuCount: 192,
    memoryGib: 2_048,
    gpuCount: NAVER.gpuCount,
    family: 'GPU > H200',
    description: 'SIMULATED H200 GPU 8EA, GPUMemory 141GB, vCPU 192EA, Memory 2048GB',
  },
]

export interface Image {
  readonly serverImageNo: string
  readonly name: string
  readonly category: 'GPU' | 'OS'
}

export const IMAGES: readonly Image[] = [
  { serverImageNo: NAVER.gpuImageNo, name: 'sim-ubuntu-22.04-gpu', category: 'GPU' },
  { serverImageNo: NAVER.secondImageNo, name: 'sim-ubuntu-24.04-gpu', category: 'GPU' },
  { serverImageNo: '4003', name: 'sim-ubuntu-22.04-base', category: 'OS' },
]

/** GPU specs boot from GPU images only; the others from any. */
export const fits = (spec: Spec, image: Image): boolean => spec.gpuCount === 0 || image.category === 'GPU'

export interface Subnet {
  readonly subnetNo: string
  readonly name: string
  readonly type: 'PRIVATE' | 'PUBLIC'
  /** A /20: host numbers 6…4,094 are handed out. */
  readonly network: readonly [number, number, number]
}

export const SUBNETS: readonly Subnet[] = [
  { subnetNo: NAVER.privateSubnetNo, name: 'sim-private', type: 'PRIVATE', network: [10, 0, 16] },
  { subnetNo: NAVER.publicSubnetNo, name: 'sim-public', type: 'PUBLIC', network: [10, 0, 32] },
]

export const subnetBlock = ({ network }: Subnet): string => `${network.join('.')}.0/20`

interface FabricPool {
  readonly poolNo: string
  readonly name: string
  readonly specCode: string
}

export const FABRIC_POOLS: readonly FabricPool[] = Object.entries(NAVER.fabricPools).map(([name, poolNo]) => ({
  poolNo,
  name: `sim-pool-${name}`,
  specCode: NAVER.specCode,
}))

/** A sub-account that may read and nothing else: `Permission Denied` for every change. */
export const VIEWER = { accessKey: 'SANDBOXNAVERVIEW0001', secretKey: 'sandbox-naver-viewer-not-a-secret' } as const

/** Every action takes `regionCode`; without it the first (and only) region is meant. */
export const REGION: WireRecord = { regionCode: NAVER.regionCode, regionName: 'Korea' }

export const ZONE: WireRecord = {
  zoneCode: NAVER.zoneCode,
  zoneName: NAVER.zoneCode,
  zoneDescription: 'simulated zone',
  regionCode: NAVER.regionCode,
}

export const ACCESS_CONTROL_GROUP: WireRecord = {
  accessControlGroupNo: NAVER.accessControlGroupNo,
  accessControlGroupName: 'sim-default-acg',
  isDefault: true,
  vpcNo: NAVER.vpcNo,
  accessControlGroupStatus: code('RUN', 'run'),
  accessControlGroupDescription: '',
}

export const wireSpec = (spec: Spec, position: number): WireRecord => ({
  serverSpecNo: 900_001 + position,
  serverSpecCode: spec.serverSpecCode,
  generationCode: 'G3',
  hypervisorType: code('KVM'),
  cpuArchitectureType: code('X86_64', 'x86 64bit'),
  cpuCount: spec.cpuCount,
  memorySize: spec.memoryGib * GIB,
  gpuCount: spec.gpuCount,
  blockStorageMaxCount: 20,
  blockStorageMaxIops: 20_000,
  blockStorageMaxThroughput: 1_000,
  networkPerformance: 10_000_000_000,
  networkInterfaceMaxCount: 3,
  serverSpecDescription: spec.description,
  serverProductCode: '',
})

export const wireImage = (image: Image, createDate: string): WireRecord => ({
  serverImageNo: image.serverImageNo,
  serverImageName: image.name,
  serverImageDescription: '',
  serverImageProductCode: '',
  serverImageType: code('NCP', 'NCP server image'),
  hypervisorType: code('KVM'),
  cpuArchitectureType: code('X86_64', 'x86 64bit'),
  osCategoryType: code('LINUX', 'Linux'),
  osType: code('UBUNTU', 'Ubuntu'),
  serverImageStatus: code('CREAT', 'NSI CREATED state'),
  serverImageOperation: code('NULL', 'NSI NULL OP'),
  serverImageStatusName: 'created',
  createDate,
  shareStatus: '',
  sharedLoginIdList: [],
  blockStorageMappingList: [
    { order: 0, blockStorageSize: 100 * GIB, blockStorageName: '', blockStorageVolumeType: code('CB1') },
  ],
  serverImageLifeCyclePhase: 'ACTIVE',
  platformCategoryCode: image.category,
})

export const memoryBytes = (spec: Spec): number => spec.memoryGib * GIB

export const poolName = (poolNo: string): string => FABRIC_POOLS.find((pool) => pool.poolNo === poolNo)?.name ?? ''
