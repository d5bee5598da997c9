/**
 * What an installation says about its NAVER Cloud account. Whatever the operator's public pages leave open is a setting
 * here with a default, never a constant elsewhere: README.md says of each what is known.
 */
import { z } from 'zod'
import { OwnerChosenId } from '../../shared/ids.ts'
import { BaseUrl, ClusterBase, ProviderBase, Secret } from '../../shared/provider-settings.ts'
import { MINUTE_MS } from '../../shared/time.ts'

/** Ids at Naver are decimal texts. */
const No = z.string().regex(/^\d{1,20}$/, 'must be a decimal id, as text')
const Code = z.string().regex(/^\d{1,10}$/, 'must be a decimal code, as text')

/** An upper bound of what the operator's pages hint at; more in one call is never needed. */
const MAX_SECURITY_GROUPS = 5

const Network = z.strictObject({
  /** What `NodeGroup.network` says. */
  name: z.string().regex(/^[a-z0-9.-]{1,64}$/, 'must be 1 to 64 of [a-z0-9.-]'),
  subnetNo: No,
  accessControlGroupNos: z.array(No).min(1).max(MAX_SECURITY_GROUPS),
})

/** Parameters that the adapter itself decides on; `createParameters` must not reach them. */
const OWN_PARAMETER =
  /^(responseFormatType|regionCode|server(Name|Description|Create.*|ImageNo|SpecCode)|vpcNo|subnetNo|networkInterfaceList.*|loginKeyName|initScriptNo|isProtectServerTermination|associateWithPublicIp|fabricClusterPoolNo|isPreInstallGpuDriver)$/

const NaverCluster = ClusterBase.extend({
  /** Only compared and used for fabric clusters: where a server stands is decided by its subnet. */
  zoneCode: z.string().min(1),
  vpcNo: No,
  /** The pool of networks that groups may ask for; at least one, names differ. */
  networks: z
    .array(Network)
    .min(1)
    .refine((networks) => new Set(networks.map(({ name }) => name)).size === networks.length, {
      message: 'must have different names',
    }),
  /** `serverSpecCode` of a node with 8 GPUs, as `getServerSpecList` of this account names it. */
  spec: z.string().min(1),
  /** Where set, nodes are made in this fabric pool, and an allocation's nodes are joined to one fabric cluster. */
  fabricPoolNo: No.optional(),
  /** Always sent: left out, the operator takes the key that was made last. */
  loginKeyName: z.string().min(1),
  /** Whose `authorized_keys` an allocation's keys go to. */
  loginUser: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a Linux user name')
    .default('root'),
  /** Gives each node a public IP; the cluster's subnets must then be public ones. */
  publicAddress: z.boolean().default(false),
  preinstallGpuDriver: z.boolean().default(true),
  /** Further parameters of `createServerInstances`, verbatim: e.g. `feeSystemTypeCode`, or bare metal's `raidTypeName`. */
  createParameters: z
    .record(
      z.string().refine((name) => !OWN_PARAMETER.test(name), 'is set by the adapter'),
      z.string(),
    )
    .default({}),
})

export const NaverSettings = ProviderBase.extend({
  kind: z.literal('naver'),
  vserverUrl: BaseUrl.default('https://ncloud.apigw.ntruss.com/vserver/v2'),
  vpcUrl: BaseUrl.default('https://ncloud.apigw.ntruss.com/vpc/v2'),
  accessKey: Secret,
  secretKey: Secret,
  regionCode: z.string().min(1).default('KR'),
  /** Most nodes in one group; each is a call of its own at the operator. */
  maxBatch: z.int().min(1).max(100).default(10),
  /** Most servers in one stop or terminate; the operator names no limit. */
  controlBatch: z.int().min(1).max(100).default(10),
  pageSize: z.int().min(1).max(10_000).default(1_000),
  /** Number of the first page: 0 or 1, depending on whom one reads. `describe` says when it is wrong. */
  firstPage: z.union([z.literal(0), z.literal(1)]).default(1),
  /** How soon to ask again where the operator said "not yet", in ms. */
  busyRetryMs: z
    .int()
    .min(1)
    .max(10 * MINUTE_MS)
    .default(5_000),
  /** Return codes that mean what their list says, beyond those known (wire-errors.ts). */
  outOfCapacityCodes: z.array(Code).default([]),
  quotaCodes: z.array(Code).default([]),
  busyCodes: z.array(Code).default([]),
  notFoundCodes: z.array(Code).default([]),
  clusters: z
    .record(OwnerChosenId, NaverCluster)
    .refine((clusters) => Object.keys(clusters).length > 0, { message: 'must name at least one cluster' }),
})

export type NaverSettings = z.infer<typeof NaverSettings>
export type NaverCluster = z.infer<typeof NaverCluster>
export type NaverNetwork = z.infer<typeof Network>

/** New servers were seen to be missing from lists for some 15 s; the default leaves ample room. */
const DEFAULT_VISIBILITY_DELAY_MS = 2 * MINUTE_MS

/** The longest of the clusters': the contract knows one delay per provider. */
export const visibilityDelayMsOf = (settings: NaverSettings): number =>
  Math.max(
    ...Object.values(settings.clusters).map((cluster) => cluster.visibilityDelayMs ?? DEFAULT_VISIBILITY_DELAY_MS),
  )
