/**
 * Fabric clusters: what makes an allocation's nodes one interconnect. The operator works on one change at a time and
 * takes minutes for it, so each call here looks, takes at most one step, and says whether there is more to come.
 */
import { ownerTagText, parseOwnerTag } from '../../shared/ids.ts'
import type { Call, FabricRequest } from '../../shared/provider.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { NaverClient } from './client.ts'
import type { NaverCluster, NaverSettings } from './config.ts'
import { listServers, ownServers } from './servers.ts'
import { FabricCluster, FabricPool, type Server, isInFabricCluster, isReady } from './wire.ts'

interface FabricParts {
  readonly client: NaverClient
  readonly settings: NaverSettings
}

type Settled = { readonly settled: boolean }

const FABRIC_LIST = { rows: 'fabricClusterList', row: FabricCluster } as const

export async function joinFabric(parts: FabricParts, request: FabricRequest, call: Call): Promise<Settled> {
  const cluster = clusterFor(parts.settings, request.clusterId)
  if (cluster.fabricPoolNo === undefined) return { settled: true }
  const wanted = wantedServers(await listServers(parts.client, call), request)
  if (!wanted.every(isReady)) return { settled: false }
  const [own, ...doubles] = await ownFabrics(parts.client, { ...request, poolNo: cluster.fabricPoolNo }, call)
  if (own === undefined) return inTime(makeFabric(parts, { request, cluster, poolNo: cluster.fabricPoolNo }, call))
  for (const double of doubles) await inTime(dissolve(parts.client, { fabric: double, servers: wanted }, call))
  if (own.fabricClusterStatus !== 'RUN' || doubles.length > 0) return { settled: false }
  const members = await membersOf(parts.client, own.fabricClusterNo, call)
  if (!sameSet(members, request.providerInstanceIds))
    return inTime(setMembers(parts.client, own.fabricClusterNo, request.providerInstanceIds, call))
  return { settled: wanted.every((server) => isMemberOf(server, own)) }
}

export async function leaveFabric(
  parts: FabricParts,
  request: Omit<FabricRequest, 'providerInstanceIds'>,
  call: Call,
): Promise<Settled> {
  const { fabricPoolNo } = clusterFor(parts.settings, request.clusterId)
  if (fabricPoolNo === undefined) return { settled: true }
  const fabrics = await ownFabrics(parts.client, { ...request, poolNo: fabricPoolNo }, call)
  if (fabrics.length === 0) return { settled: true }
  const servers = ownServers(await listServers(parts.client, call), request.owner)
  for (const fabric of fabrics) await inTime(dissolve(parts.client, { fabric, servers }, call))
  return { settled: false }
}

function clusterFor(settings: NaverSettings, clusterId: string): NaverCluster {
  const cluster = settings.clusters[clusterId]
  if (cluster !== undefined) return cluster
  throw new ProviderError('refused', `cluster ${clusterId} is not configured`, { effect: 'none' })
}

/** @throws ProviderError `not-found`: a wanted node is gone, or is not the allocation's */
function wantedServers(servers: readonly Server[], { owner, providerInstanceIds }: FabricRequest): Server[] {
  const own = new Map(ownServers(servers, owner).map((server) => [server.serverInstanceNo, server]))
  return providerInstanceIds.map((id) => {
    const server = own.get(id)
    if (server !== undefined) return server
    throw new ProviderError('not-found', `node ${id} of allocation ${owner.allocationId} does not exist`, {
      effect: 'none',
    })
  })
}

/** Where the operator said "not yet", or what was to go is gone, the caller calls again anyway. */
async function inTime(step: Promise<unknown>): Promise<Settled> {
  try {
    await step
  } catch (error) {
    if (!(error instanceof ProviderError) || !['busy', 'not-found'].includes(error.kind)) throw error
  }
  return { settled: false }
}

const isMemberOf = (server: Server, { fabricClusterNo }: FabricCluster): boolean =>
  isInFabricCluster(server) && (server.fabricClusterNo === '' || server.fabricClusterNo === fabricClusterNo)

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  const left = new Set(a)
  return left.size === new Set(b).size && b.every((id) => left.has(id))
}

// --- the operator's objects

/** All that exist, those being removed included; a `TERMT` one is gone. */
export async function listFabrics(client: NaverClient, call: Call): Promise<FabricCluster[]> {
  const fabrics = await client.listAll(
    { ...FABRIC_LIST, action: 'getFabricClusterList', idOf: (fabric) => fabric.fabricClusterNo },
    call,
  )
  return fabrics.filter((fabric) => fabric.fabricClusterStatus !== 'TERMT')
}

interface FabricOwner extends Pick<FabricRequest, 'owner'> {
  readonly poolNo: string
}

/** The allocation's, oldest first: numbers grow. More than one only after a lost answer. */
async function ownFabrics(client: NaverClient, { owner, poolNo }: FabricOwner, call: Call) {
  const fabrics = await listFabrics(client, call)
  return fabrics
    .filter((fabric) => {
      const tag = parseOwnerTag(fabric.fabricClusterDescription)
      const isOwn = tag?.installationId === owner.installationId && tag.allocationId === owner.allocationId
      return isOwn && (fabric.fabricClusterPoolNo === '' || fabric.fabricClusterPoolNo === poolNo)
    })
    .toSorted((a, b) => Number(a.fabricClusterNo) - Number(b.fabricClusterNo))
}

interface NewFabric {
  readonly request: FabricRequest
  readonly cluster: NaverCluster
  readonly poolNo: string
}

const makeFabric = ({ client }: FabricParts, { request, cluster, poolNo }: NewFabric, call: Call) =>
  client.change(
    {
      action: 'createFabricCluster',
      parameters: {
        fabricClusterName: `${request.owner.group}-fabric`,
        fabricClusterDescription: ownerTagText(request.owner),
        zoneCode: cluster.zoneCode,
        vpcNo: cluster.vpcNo,
        fabricClusterPoolNo: poolNo,
      },
    },
    call,
  )

/** A list of fabric clusters may leave members out; the detail names them. */
export async function membersOf(client: NaverClient, fabricClusterNo: string, call: Call): Promise<readonly string[]> {
  const action = 'getFabricClusterDetail'
  const fabrics = await client.list({ ...FABRIC_LIST, action, parameters: { fabricClusterNo } }, call)
  return fabrics.find((fabric) => fabric.fabricClusterNo === fabricClusterNo)?.fabricClusterServerInstanceList ?? []
}

/** Replaces the whole set: who is not named leaves. */
export const setMembers = (client: NaverClient, fabricClusterNo: string, members: readonly string[], call: Call) =>
  client.change(
    {
      action: 'changeFabricClusterServerInstances',
      parameters: { fabricClusterNo, clusterModeServerInstanceNoList: members },
    },
    call,
  )

interface Dissolution {
  readonly fabric: FabricCluster
  /** The servers that may still be in it. */
  readonly servers: readonly Server[]
}

/** Whether the operator is at work on it, and would take no other order. */
const MOVING: ReadonlySet<string> = new Set(['CREAT', 'SETUP', 'TERMTING'])

/**
 * The next step towards a fabric cluster's end: empty it, wait until its servers stand alone, delete it.
 *
 * @returns whether the operator accepted its deletion
 */
export async function dissolve(client: NaverClient, { fabric, servers }: Dissolution, call: Call): Promise<boolean> {
  const { fabricClusterNo } = fabric
  if (MOVING.has(fabric.fabricClusterStatus)) return false
  const members = await membersOf(client, fabricClusterNo, call)
  if (members.length > 0) {
    await setMembers(client, fabricClusterNo, [], call)
    return false
  }
  if (servers.some((server) => isInFabricCluster(server) && server.fabricClusterNo === fabricClusterNo)) return false
  await client.change({ action: 'deleteFabricCluster', parameters: { fabricClusterNo } }, call)
  return true
}

/** The fabric pools where GPUs of this spec are to be had now. */
export const listFabricPools = (client: NaverClient, { zoneCode, spec }: NaverCluster, call: Call) =>
  client.list(
    {
      action: 'getFabricClusterPoolList',
      rows: 'fabricClusterPoolList',
      row: FabricPool,
      parameters: { zoneCode, serverSpecCode: spec },
    },
    call,
  )
