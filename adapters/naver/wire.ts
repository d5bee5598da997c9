/**
 * Naver's payloads, read for the members in use, and what a server is in our words. All ids are texts here: pages and
 * samples disagree on whether some are numbers.
 */
import { z } from 'zod'
import { type OwnerTag, parseOwnerTag } from '../../shared/ids.ts'
import type { OtherNode, ProviderNode, ProviderNodeState } from '../../shared/provider.ts'
import type { NaverCluster, NaverSettings } from './config.ts'

const Id = z.union([z.string().min(1), z.number()]).transform(String)
/** Absent, null and `""` are one thing to this operator. */
const OptionalId = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) => (value === null || value === undefined ? '' : String(value)))
const Text = z
  .string()
  .nullish()
  .transform((value) => value ?? '')
/** `{code, codeName}`; only the code means something, the name is for display. */
const CodeOf = z
  .union([z.string(), z.object({ code: z.string().nullish() })])
  .nullish()
  .transform((value) => (typeof value === 'string' ? value : (value?.code ?? '')))

export const Server = z.object({
  serverInstanceNo: Id,
  serverName: z.string(),
  serverDescription: Text,
  serverInstanceStatus: CodeOf,
  serverInstanceOperation: CodeOf,
  serverInstanceStatusName: Text,
  createDate: Text,
  zoneCode: Text,
  vpcNo: OptionalId,
  subnetNo: OptionalId,
  serverSpecCode: Text,
  publicIpInstanceNo: OptionalId,
  publicIp: Text,
  isProtectServerTermination: z
    .union([z.boolean(), z.string()])
    .nullish()
    .transform((value) => String(value).toLowerCase() === 'true'),
  fabricClusterPoolNo: OptionalId,
  fabricClusterNo: OptionalId,
  fabricClusterMode: CodeOf,
})
export type Server = z.infer<typeof Server>

export const NetworkInterface = z.object({
  networkInterfaceNo: Id,
  instanceNo: OptionalId,
  isDefault: z.boolean().nullish(),
  ip: Text,
})
export type NetworkInterface = z.infer<typeof NetworkInterface>

export const InitScript = z.object({ initScriptNo: Id, initScriptName: Text, initScriptDescription: Text })
export type InitScript = z.infer<typeof InitScript>

export const PublicIp = z.object({
  publicIpInstanceNo: Id,
  publicIp: Text,
  publicIpDescription: Text,
  serverInstanceNo: OptionalId,
  publicIpInstanceOperation: CodeOf,
})
export type PublicIp = z.infer<typeof PublicIp>

export const FabricCluster = z.object({
  fabricClusterNo: Id,
  fabricClusterName: Text,
  fabricClusterDescription: Text,
  fabricClusterStatus: CodeOf,
  fabricClusterPoolNo: OptionalId,
  fabricClusterServerInstanceList: z
    .array(z.object({ serverInstanceNo: Id }))
    .nullish()
    .transform((members) => (members ?? []).map((member) => member.serverInstanceNo)),
})
export type FabricCluster = z.infer<typeof FabricCluster>

export const Region = z.object({ regionCode: z.string() })
export const ServerImage = z.object({ serverImageNo: Id })
export const ServerSpec = z.object({ serverSpecCode: z.string(), gpuCount: z.number().nullish() })
export const FabricPool = z.object({ fabricClusterPoolNo: Id })
export const LoginKey = z.object({ keyName: z.string() })
export const Subnet = z.object({ subnetNo: Id, vpcNo: OptionalId, zoneCode: Text, subnetType: CodeOf })
export const AccessControlGroup = z.object({ accessControlGroupNo: Id })

/** Nothing goes on: the only value under which the operator takes orders for a server. */
const IDLE = 'NULL'
const FAILED: ReadonlySet<string> = new Set(['FSTOP', 'SD_FL', 'RS_FL', 'ST_FL'])
const LEAVING: ReadonlySet<string> = new Set(['SHTDN', 'HSHTD', 'TERMT'])

export const isIdle = (server: Server): boolean => server.serverInstanceOperation === IDLE
export const isReady = (server: Server): boolean => server.serverInstanceStatus === 'RUN' && isIdle(server)
export const hasFailed = (server: Server): boolean => FAILED.has(server.serverInstanceStatus)
export const isTerminating = (server: Server): boolean =>
  server.serverInstanceStatus === 'TERMT' || server.serverInstanceOperation === 'TERMT'
export const isInFabricCluster = (server: Server): boolean => server.fabricClusterMode === 'CLUSTER'
export const ownerOf = (server: Server): OwnerTag | null => parseOwnerTag(server.serverDescription)

/**
 * State = f(status, operation). A pair that we have never seen is one that is still moving. A server that stands still
 * without having been asked to (`NSTOP`) is of no use to anybody and does not come back by itself: it has failed.
 */
export function stateOf(server: Server): ProviderNodeState {
  if (isTerminating(server) || LEAVING.has(server.serverInstanceOperation)) return 'deleting'
  if (hasFailed(server)) return 'failed'
  if (server.serverInstanceStatus === 'NSTOP' && isIdle(server)) return 'failed'
  return isReady(server) ? 'ready' : 'building'
}

/** What `address` needs beside the server: its private address, which only its network interface knows. */
export function toNode(server: Server, settings: NaverSettings, privateAddress: string | null): ProviderNode {
  const located = clusterOfServer(server, settings)
  const state = stateOf(server)
  const joins = located?.cluster.fabricPoolNo !== undefined
  const publicAddress = located?.cluster.publicAddress === true ? server.publicIp : ''
  return {
    providerInstanceId: server.serverInstanceNo,
    name: server.serverName,
    owner: ownerOf(server),
    clusterId: located?.clusterId ?? null,
    state,
    inFabric: !joins || isInFabricCluster(server),
    address: publicAddress === '' ? privateAddress : publicAddress,
    createdAt: instantOf(server.createDate),
    failure: state === 'failed' ? failureOf(server) : null,
  }
}

const failureOf = (server: Server): ProviderNode['failure'] => ({
  code: server.serverInstanceStatus,
  message: server.serverInstanceStatusName === '' ? server.serverInstanceStatus : server.serverInstanceStatusName,
  kind: 'fault',
})

/**
 * A fabric pool belongs to one cluster, so it decides where a server says one. Otherwise zone, VPC and spec must agree,
 * and with one cluster only: a server is never put into a cluster by guess.
 */
function clusterOfServer(
  server: Server,
  settings: NaverSettings,
): { readonly clusterId: string; readonly cluster: NaverCluster } | null {
  const matching = Object.entries(settings.clusters).filter(([, cluster]) =>
    server.fabricClusterPoolNo !== ''
      ? cluster.fabricPoolNo === server.fabricClusterPoolNo
      : cluster.zoneCode === server.zoneCode &&
        cluster.vpcNo === server.vpcNo &&
        (server.serverSpecCode === '' || cluster.spec === server.serverSpecCode),
  )
  const [only, another] = matching
  return only === undefined || another !== undefined ? null : { clusterId: only[0], cluster: only[1] }
}

/**
 * Somebody else's server, if it takes room in a cluster: by the fabric pool where it says one, else by zone and spec. In
 * which VPC it stands does not matter, and one that says no spec may be of any kind.
 */
export function toOther(server: Server, { clusters }: NaverSettings): OtherNode | null {
  const matching = Object.entries(clusters).filter(([, cluster]) =>
    server.fabricClusterPoolNo !== ''
      ? cluster.fabricPoolNo === server.fabricClusterPoolNo
      : cluster.zoneCode === server.zoneCode && cluster.spec === server.serverSpecCode,
  )
  const [only, another] = matching
  if (only === undefined || another !== undefined) return null
  const { serverInstanceNo: providerInstanceId, serverName: name, createDate } = server
  return { providerInstanceId, name, clusterId: only[0], createdAt: instantOf(createDate) }
}

/** `2020-08-19T15:05:07+0900` → epoch ms; null where it is no date. */
export function instantOf(text: string): number | null {
  const at = Date.parse(text.replace(/([+-]\d{2})(\d{2})$/, '$1:$2'))
  return Number.isNaN(at) ? null : at
}
