/**
 * What an NHN provider is configured with. NHN publishes neither its GPU flavors for this programme nor how their fabric
 * is reached, so whatever is not in its documents is a member here with a default, and never a constant in the code.
 */
import { z } from 'zod'
import { OwnerChosenId } from '../../shared/ids.ts'
import { BaseUrl, ClusterBase, ProviderBase, Secret } from '../../shared/provider-settings.ts'

/** One network interface, handed to Nova's `networks` as it stands here. `subnet` is NHN's own extension. */
const Interface = z
  .strictObject({
    /** VPC network id. */
    uuid: z.string().min(1).optional(),
    subnet: z.string().min(1).optional(),
    /** A port made beforehand (an InfiniBand interface, say). It fits one server, so it forces batches of one. */
    port: z.string().min(1).optional(),
    fixed_ip: z.string().min(1).optional(),
  })
  .refine((entry) => entry.uuid !== undefined || entry.subnet !== undefined || entry.port !== undefined, {
    message: 'must name a uuid, a subnet or a port',
  })

const Network = z.strictObject({
  name: OwnerChosenId,
  interfaces: z.array(Interface).min(1).max(32),
  securityGroups: z.array(z.string().min(1)).max(16).default(['default']),
})
export type NhnNetwork = z.infer<typeof Network>

/** The root disk. NHN's text asks for `local` on GPU flavors, while real calls needed `volume` with a size. */
const RootDisk = z.strictObject({
  destinationType: z.enum(['volume', 'local']).default('volume'),
  /** Null leaves it out. */
  volumeType: z.string().min(1).nullable().default('General SSD'),
  sizeGb: z.int().min(10).max(2_048).default(100),
  /** Whether `imageRef` is sent beside the block device mapping, as NHN's example does. */
  sendImageRef: z.boolean().default(true),
})

const Cluster = ClusterBase.extend({
  availabilityZone: z.string().min(1),
  /** Id or name; a name must be the only one of its kind. */
  flavor: z.string().min(1),
  networks: z
    .array(Network)
    .min(1)
    .max(64)
    .refine((networks) => new Set(networks.map(({ name }) => name)).size === networks.length, {
      message: 'names must differ',
    }),
  /** A key pair of this API user; NHN's documents call it mandatory. */
  keyName: z.string().min(1).optional(),
  rootDisk: RootDisk.prefault({}),
  /** A placement policy made beforehand, handed on as scheduler hint. */
  serverGroupId: z.string().min(1).optional(),
  /** Whose `authorized_keys` the allocation's SSH keys go to; root where the image has no such user. */
  loginUser: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]{0,31}$/)
    .default('ubuntu'),
})
export type NhnCluster = z.infer<typeof Cluster>

export const NhnSettings = ProviderBase.extend({
  kind: z.literal('nhn').default('nhn'),
  /** With the version, without the tenant: `https://…/v2.0`. */
  identityUrl: BaseUrl,
  /** With the version, without the tenant: `https://…/v2`. */
  computeUrl: BaseUrl,
  /** `https://…/v2`. Without it images are not looked up: they must be ids, and `describe` does not check them. */
  imageUrl: BaseUrl.optional(),
  /** `https://…/v2.0`. Without it networks are not checked, ports and public addresses not swept. */
  networkUrl: BaseUrl.optional(),
  /** With the version, without the tenant: `https://…/v2`. Without it volumes are not swept. */
  volumeUrl: BaseUrl.optional(),
  tenantId: z.string().regex(/^[A-Za-z0-9-]{1,64}$/),
  username: z.string().min(1),
  password: Secret,
  /** Only said in problems that `describe` finds: the URLs above decide where calls go. */
  region: z.string().min(1),
  clusters: z.record(OwnerChosenId, Cluster),
  /** Most servers in one create call; NHN documents 10, and raises it on request. */
  maxBatch: z.int().min(1).max(100).default(10),
  /** Servers in one page of a list. */
  pageSize: z.int().min(1).max(1_000).default(1_000),
  /** The number that the operator gives the first member of a batch. */
  firstSuffix: z.int().min(0).max(1).default(1),
  /** A token is renewed this long before it expires, or a tenth of its life before if that is less. */
  renewTokenBeforeMs: z.int().min(0).max(3_600_000).default(600_000),
  /** How long one call for a token may take. */
  tokenTimeoutMs: z.int().min(100).max(120_000).default(15_000),
  /** Whether `freeCapacity` is worked out from `GET /limits`, which NHN does not document. */
  capacityFromLimits: z.boolean().default(false),
})
export type NhnSettings = z.infer<typeof NhnSettings>

/** Upstream shows a server at once; NHN promises nothing, and its users wait half a minute before they ask again. */
export const DEFAULT_VISIBILITY_DELAY_MS = 30_000
