/**
 * What the sandbox's operators know from the start: accounts, regions, hardware, images, networks. Everything is made
 * up, and says so in its name wherever an operator's own name could be mistaken for it.
 */

export const SANDBOX_DEFAULT_PORT = 8090

/** Where each service listens, counted from `SANDBOX_PORT`. */
export const PORT_OFFSET = { naver: 0, nhn: 1, kakao: 2, identity: 3 } as const

export const NAVER = {
  accessKey: 'SANDBOXNAVERKEY00001',
  secretKey: 'sandbox-naver-secret-not-a-secret',
  regionCode: 'KR',
  zoneCode: 'KR-1',
  vpcNo: '1001',
  privateSubnetNo: '2001',
  publicSubnetNo: '2002',
  accessControlGroupNo: '3001',
  loginKeyName: 'sandbox-key',
  /** Ubuntu 22.04 with the GPU driver. */
  gpuImageNo: '4001',
  secondImageNo: '4002',
  specCode: 'sim-h200x8-g3',
  gpuCount: 8,
  /** One pool per cluster, both in the one zone. */
  fabricPools: { 'naver-h200-255': '5001', 'naver-h200-32': '5002' },
} as const

export const NHN = {
  tenantId: '0123456789abcdef0123456789abcdef',
  username: 'gpu-broker@sandbox.example',
  password: 'sandbox-nhn-password-not-a-secret',
  region: 'KR1',
  /** Each zone is one cluster. */
  zones: { 'nhn-b200-510': 'kr-pub-a', 'nhn-b200-255': 'kr-pub-b' },
  flavorName: 'sim.b200x8',
  flavorId: 'b2000000-0000-4000-8000-000000000008',
  gpuImageId: '1a000000-0000-4000-8000-000000000001',
  secondImageId: '1a000000-0000-4000-8000-000000000002',
  networkId: '4e000000-0000-4000-8000-000000000001',
  secondNetworkId: '4e000000-0000-4000-8000-000000000002',
  subnetId: '5b000000-0000-4000-8000-000000000001',
  secondSubnetId: '5b000000-0000-4000-8000-000000000002',
  securityGroup: 'default',
  keyName: 'sandbox-key',
  volumeType: 'General SSD',
} as const

export const KAKAO = {
  accessKeyId: 'sandbox-kakao-key-id',
  accessKeySecret: 'sandbox-kakao-secret-not-a-secret',
  projectId: 'fedcba9876543210fedcba9876543210',
  zone: 'kr-central-2-a',
  flavorName: 'sim-b200.baremetal',
  flavorId: 'b2000000-0000-4000-8000-000000000255',
  gpuImageId: '2a000000-0000-4000-8000-000000000001',
  secondImageId: '2a000000-0000-4000-8000-000000000002',
  subnetId: '6b000000-0000-4000-8000-000000000001',
  securityGroup: 'default',
  keyName: 'sandbox-key',
  /** How many nodes `available` counts down from while no stock is set. */
  shownNodes: 255,
} as const

/** What tokens are for, as the identity provider writes it into them. */
export const IDENTITY = { audience: 'gpu-broker', resource: 'urn:gpu-broker' } as const
