/** What has to be known to use a provider that speaks our own protocol (docs/remote-provider.openapi.json). */
import { z } from 'zod'
import { OwnerChosenId } from '../../shared/ids.ts'
import { BaseUrl, ClusterBase, ProviderBase, Secret } from '../../shared/provider-settings.ts'

const Cluster = ClusterBase.extend({
  /** Each by the name that `NodeGroup.network` uses, and that the operator knows it by. */
  networks: z
    .array(z.strictObject({ name: OwnerChosenId }))
    .min(1)
    .refine((networks) => new Set(networks.map(({ name }) => name)).size === networks.length, {
      message: 'must not name a network twice',
    }),
  /** Most nodes in one `createNodes`; at most what the operator describes. Default 10. */
  maxBatch: z.int().min(1).max(1_000).default(10),
  /** For how long lists may lag, in ms; at least what the operator describes. Default 30,000. */
  visibilityDelayMs: z.int().min(0).max(3_600_000).default(30_000),
})

export const RemoteSettings = ProviderBase.extend({
  kind: z.literal('remote'),
  /** `/v1/…` is appended. */
  baseUrl: BaseUrl,
  /** How a token is had: the client-credentials grant, with id and secret by HTTP Basic. */
  token: z.strictObject({
    url: BaseUrl,
    clientId: z.string().min(1),
    clientSecret: Secret,
    /** Sent along with the request for a token, such as `scope`, `resource` or `audience`. Default none. */
    parameters: z.record(z.string(), z.string()).default({}),
  }),
  /** Nodes in one page of a list. Default 500. */
  pageSize: z.int().min(1).max(1_000).default(500),
  /** Whether the operator tells how many nodes are free. Default false. */
  reportsFreeCapacity: z.boolean().default(false),
  /** Whether nodes must be made one interconnect group before they are of use. Default false. */
  joinsFabric: z.boolean().default(false),
  /** Whether the operator lists what others made in the configured clusters. Default false. */
  listsOthers: z.boolean().default(false),
  clusters: z.record(OwnerChosenId, Cluster),
}).refine(({ clusters }) => Object.keys(clusters).length > 0, { path: ['clusters'], error: 'must have at least one' })

export type RemoteSettings = z.infer<typeof RemoteSettings>
