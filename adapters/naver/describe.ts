/**
 * Whether what is configured exists at the operator. Every number is compared with the operator's own lists; nothing is
 * looked up by a name that merely resembles it, and nothing is changed.
 */
import type { Call, DescribedCluster } from '../../shared/provider.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NaverClient } from './client.ts'
import type { NaverCluster, NaverSettings } from './config.ts'
import { listFabricPools } from './fabric.ts'
import { AccessControlGroup, LoginKey, ServerImage, ServerSpec, Subnet } from './wire.ts'

interface Found {
  readonly images: ReadonlySet<string>
  readonly keys: ReadonlySet<string>
  readonly accessControlGroups: ReadonlySet<string>
  readonly subnets: ReadonlyMap<string, { vpcNo: string; zoneCode: string; subnetType: string }>
}

interface DescribeParts {
  readonly client: NaverClient
  readonly settings: NaverSettings
}

export async function describeClusters(parts: DescribeParts, call: Call): Promise<DescribedCluster[]> {
  const { client, settings } = parts
  const found = await lookUp(client, call)
  const pageProblems = await firstPageProblems(parts, call)
  return Promise.all(
    Object.entries(settings.clusters).map(async ([clusterId, cluster]) => {
      const images = Object.entries(cluster.images)
      const existing = images.filter(([, no]) => found.images.has(no))
      return {
        clusterId,
        images: existing.map(([alias]) => alias),
        networks: cluster.networks.map(({ name }) => name),
        problems: [
          ...pageProblems,
          ...images
            .filter(([, no]) => !found.images.has(no))
            .map(([alias, no]) => `image ${alias} (${no}) does not exist`),
          ...networkProblems(cluster, found),
          ...(found.keys.has(cluster.loginKeyName) ? [] : [`login key ${cluster.loginKeyName} does not exist`]),
          ...(await specProblems({ client, cluster, imageNo: existing[0]?.[1] }, call)),
          ...(await poolProblems(client, cluster, call)),
        ],
      }
    }),
  )
}

async function lookUp(client: NaverClient, call: Call): Promise<Found> {
  const [images, keys, groups, subnets] = await Promise.all([
    client.listAll({ action: 'getServerImageList', rows: 'serverImageList', row: ServerImage, idOf: imageId }, call),
    client.listAll(
      { action: 'getLoginKeyList', rows: 'loginKeyList', row: LoginKey, idOf: (key) => key.keyName },
      call,
    ),
    client.listAll(
      {
        action: 'getAccessControlGroupList',
        rows: 'accessControlGroupList',
        row: AccessControlGroup,
        idOf: (group) => group.accessControlGroupNo,
      },
      call,
    ),
    client.listAll(
      { service: 'vpc', action: 'getSubnetList', rows: 'subnetList', row: Subnet, idOf: (subnet) => subnet.subnetNo },
      call,
    ),
  ])
  return {
    images: new Set(images.map(imageId)),
    keys: new Set(keys.map(({ keyName }) => keyName)),
    accessControlGroups: new Set(groups.map((group) => group.accessControlGroupNo)),
    subnets: new Map(subnets.map((subnet) => [subnet.subnetNo, subnet])),
  }
}

const imageId = (image: { serverImageNo: string }): string => image.serverImageNo

function networkProblems(cluster: NaverCluster, found: Found): string[] {
  return cluster.networks.flatMap(({ name, subnetNo, accessControlGroupNos }) => {
    const subnet = found.subnets.get(subnetNo)
    const groups = accessControlGroupNos.filter((no) => !found.accessControlGroups.has(no))
    return [
      ...(subnet === undefined ? [`network ${name}: subnet ${subnetNo} does not exist`] : []),
      ...(subnet === undefined ? [] : subnetProblems(cluster, subnet).map((problem) => `network ${name}: ${problem}`)),
      ...groups.map((no) => `network ${name}: access control group ${no} does not exist`),
    ]
  })
}

function subnetProblems(
  cluster: NaverCluster,
  subnet: { readonly vpcNo: string; readonly zoneCode: string; readonly subnetType: string },
): string[] {
  const problems: string[] = []
  if (subnet.vpcNo !== '' && subnet.vpcNo !== cluster.vpcNo)
    problems.push(`the subnet is in VPC ${subnet.vpcNo}, not in ${cluster.vpcNo}`)
  if (subnet.zoneCode !== '' && subnet.zoneCode !== cluster.zoneCode)
    problems.push(`the subnet is in zone ${subnet.zoneCode}, not in ${cluster.zoneCode}`)
  if (cluster.publicAddress && subnet.subnetType !== '' && subnet.subnetType !== 'PUBLIC')
    problems.push('the subnet is not a public one, and nodes shall have public addresses')
  return problems
}

interface SpecQuestion {
  readonly client: NaverClient
  readonly cluster: NaverCluster
  /** Specs are listed for an image: which ones fit depends on it. */
  readonly imageNo: string | undefined
}

const GPUS_PER_NODE = 8

async function specProblems({ client, cluster, imageNo }: SpecQuestion, call: Call): Promise<string[]> {
  const { spec, zoneCode } = cluster
  if (imageNo === undefined) return [`spec ${spec} cannot be looked up without an image that exists`]
  const specs = await orNone(
    client.list(
      {
        action: 'getServerSpecList',
        rows: 'serverSpecList',
        row: ServerSpec,
        parameters: { zoneCode, serverImageNo: imageNo },
      },
      call,
    ),
  )
  const found = specs.find(({ serverSpecCode }) => serverSpecCode === spec)
  if (found === undefined) return [`spec ${spec} does not exist in zone ${zoneCode} for the image`]
  const gpus = found.gpuCount ?? GPUS_PER_NODE
  return gpus === GPUS_PER_NODE ? [] : [`spec ${spec} has ${gpus} GPUs, not ${GPUS_PER_NODE}`]
}

async function poolProblems(client: NaverClient, cluster: NaverCluster, call: Call): Promise<string[]> {
  const { fabricPoolNo, zoneCode } = cluster
  if (fabricPoolNo === undefined) return []
  const pools = await orNone(listFabricPools(client, cluster, call))
  if (pools.some((pool) => pool.fabricClusterPoolNo === fabricPoolNo)) return []
  return [`fabric pool ${fabricPoolNo} is not among those available in zone ${zoneCode}`]
}

/**
 * Whether pages count from 0 or from 1 is not documented, and from the wrong number on, lists would miss a page. Two
 * pages of one image each tell: where 0 and 1 differ, 0 is the first.
 */
async function firstPageProblems({ client, settings }: DescribeParts, call: Call): Promise<string[]> {
  if (settings.firstPage === 0) return []
  const action = 'getServerImageList'
  const listing = { action, rows: 'serverImageList', row: ServerImage }
  // An operator that counts from 1 may refuse a page 0.
  const [zeroth, first] = await Promise.all(
    [0, 1].map((pageNo) => orNone(client.list({ ...listing, parameters: { pageNo, pageSize: 1 } }, call))),
  )
  const differ = zeroth?.[0] !== undefined && zeroth[0].serverImageNo !== first?.[0]?.serverImageNo
  return differ ? ['the operator counts pages from 0: set firstPage to 0'] : []
}

/** A question with a zone, spec or page that does not exist may be refused; then there is none of it. */
async function orNone<Row>(rows: Promise<Row[]>): Promise<Row[]> {
  try {
    return await rows
  } catch (error) {
    if (error instanceof ProviderError && (error.kind === 'refused' || error.kind === 'not-found')) return []
    throw error
  }
}
