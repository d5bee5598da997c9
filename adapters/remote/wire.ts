/**
 * The provider contract as JSON: what is sent, what is answered, and what the answers mean. The protocol's page
 * (docs/remote-provider.openapi.json) is made of these very schemas. Members that are not named here are ignored on both
 * sides, so that the protocol can grow within its version.
 */
import { z } from 'zod'
import { AllocationId, OwnerChosenId } from '../../shared/ids.ts'
import { PROVIDER_ERROR_KINDS } from '../../shared/provider-error.ts'
import type { DescribedCluster, Leftover, OtherNode, ProviderNode } from '../../shared/provider.ts'

/** What comes with every call, beside the token and `traceparent`. */
export const OPERATION_ID_HEADER = 'gpu-broker-operation-id'
export const TIMEOUT_HEADER = 'gpu-broker-timeout-ms'

/** More ids than this never stand in one request. */
export const MAX_IDS = 1_000

const STATES = ['building', 'ready', 'failed', 'deleting'] as const satisfies readonly ProviderNode['state'][]

const ClusterId = OwnerChosenId.meta({ description: 'As the programme’s inventory calls it.', example: 'seoul-b200' })
const Text = z.string().min(1)
const Ids = z.array(Text).max(MAX_IDS)

export const WireOwner = z
  .object({
    installationId: Text.meta({ description: 'The broker’s installation: `ins_` and 16 of `[a-z2-7]`.' }),
    allocationId: AllocationId,
    group: Text.meta({ description: 'The name of the node group.' }),
  })
  .meta({ id: 'OwnerTag', description: 'Stands on everything that is made, and comes back with it.' })

export const WireNode = z
  .object({
    id: Text.meta({ description: 'Chosen by the operator, and never given to another node.' }),
    name: Text.meta({ description: '`<group>-<n>`, n = 1…size.' }),
    owner: WireOwner.nullable().meta({ description: 'Null where the node carries no tag that can be read.' }),
    clusterId: ClusterId.nullable(),
    state: z.string().meta({
      description: 'One that the broker does not know is read as `building`: the next look tells.',
      override: { enum: [...STATES] },
    }),
    inFabric: z
      .boolean()
      .default(true)
      .meta({ description: 'Whether it is in its allocation’s interconnect group; left out where there is none.' }),
    address: z.string().nullable().default(null).meta({ description: 'Where SSH answers; null until it has one.' }),
    createdAt: z.iso.datetime({ offset: true }).nullable().default(null),
    failure: z
      .object({
        code: z.string().nullable().default(null),
        message: z.string(),
        kind: z.enum(['out-of-capacity', 'fault']).catch('fault'),
      })
      .nullable()
      .default(null)
      .meta({ description: 'Why it failed; null unless `failed`.' }),
  })
  .meta({ id: 'Node' })

export const WireNodes = z.object({ items: z.array(WireNode) }).meta({ id: 'Nodes' })

export const WirePage = z
  .object({
    items: z.array(WireNode),
    nextCursor: Text.nullable().meta({ description: 'Null on the last page.' }),
  })
  .meta({ id: 'NodePage' })

export const WireOtherPage = z
  .object({
    items: z.array(
      WireNode.pick({ id: true, name: true, owner: true, createdAt: true }).extend({
        clusterId: ClusterId,
        name: z.string().meta({ description: 'Whatever its owner calls it.' }),
      }),
    ),
    nextCursor: Text.nullable().meta({ description: 'Null on the last page.' }),
  })
  .meta({ id: 'OtherPage' })
export type WireOther = z.infer<typeof WireOtherPage>['items'][number]

export const WireDescription = z
  .object({
    contractVersion: z.int().min(1).meta({ description: 'The version of the provider contract that is kept: 1.' }),
    capabilities: z
      .object({
        maxBatch: z.int().min(1).meta({ description: 'Most nodes in one group.' }),
        visibilityDelayMs: z.int().min(0).meta({
          description: 'For how long what was made (or removed) may still be missing from (or present in) lists.',
        }),
        reportsFreeCapacity: z.boolean(),
        joinsFabric: z.boolean().meta({ description: 'Whether nodes must be joined before they are of use.' }),
        listsOthers: z.boolean().default(false).meta({ description: 'Whether `GET /v1/nodes/others` is answered.' }),
      })
      .meta({ id: 'Capabilities' }),
    clusters: z.array(
      z
        .object({
          clusterId: ClusterId,
          images: z.array(Text).meta({ description: 'Those that nodes of the cluster can be made from.' }),
          networks: z.array(Text),
          problems: z.array(z.string()).default([]).meta({ description: 'What is not as it should be, in words.' }),
        })
        .meta({ id: 'Cluster' }),
    ),
  })
  .meta({ id: 'Description' })
export type WireDescription = z.infer<typeof WireDescription>

export const WireGroup = z
  .object({
    size: z.int().min(1),
    clusterId: ClusterId,
    image: Text,
    network: Text,
    sshPublicKeys: z.array(z.string()).meta({ description: '`authorized_keys` lines, UTF-8; may be empty.' }),
    owner: WireOwner,
  })
  .meta({ id: 'NodeGroup' })

export const WireDeletion = z
  .object({
    clusterId: ClusterId,
    nodeIds: Ids,
    adopted: Ids.optional().meta({
      description: 'Those among them that carry no tag of the broker’s: they go all the same.',
    }),
  })
  .meta({ id: 'Deletion' })

export const WireSearch = z.object({ nodeIds: Ids }).meta({ id: 'Search' })

export const WireJoin = z
  .object({ clusterId: ClusterId, owner: WireOwner, nodeIds: Ids })
  .meta({ id: 'FabricJoin', description: 'All nodes that shall be in the group, and no others.' })

export const WireLeave = z.object({ clusterId: ClusterId, owner: WireOwner }).meta({ id: 'FabricLeave' })

export const WireSettled = z
  .object({ settled: z.boolean().meta({ description: 'False while it is still under way: it is asked again.' }) })
  .meta({ id: 'Settled' })

export const WireSweep = z
  .object({ installationId: Text, allocationsEnded: z.array(AllocationId).max(MAX_IDS) })
  .meta({ id: 'Sweep' })

export const WireLeftovers = z
  .object({
    items: z.array(
      z.object({
        kind: z.enum(['init-script', 'fabric-cluster', 'public-ip', 'volume', 'port']),
        id: Text,
        name: z.string(),
        action: z.enum(['removed', 'kept']),
      }),
    ),
  })
  .meta({ id: 'Leftovers' })

export const WireFreeCapacity = z.object({ freeNodes: z.int().min(0).nullable() }).meta({ id: 'FreeCapacity' })

export const WireProblem = z
  .object({
    kind: z.enum(PROVIDER_ERROR_KINDS),
    effect: z.enum(['none', 'maybe']).meta({ description: '`none` only if surely nothing was done.' }),
    code: z.string().nullish().catch(null).meta({ description: 'The operator’s own, for its staff.' }),
    detail: z
      .string()
      .nullish()
      .catch(null)
      .meta({ description: 'The operator’s own words; 500 characters are kept.' }),
    retryAfterMs: z.int().min(0).nullish().catch(null).meta({ description: 'Instead of `Retry-After`, and finer.' }),
  })
  .meta({ id: 'Problem', description: 'A problem document (RFC 9457) with the members that the contract asks for.' })

export const toNode = ({ id, state, createdAt, ...node }: z.infer<typeof WireNode>): ProviderNode => ({
  ...node,
  providerInstanceId: id,
  state: STATES.find((known) => known === state) ?? 'building',
  createdAt: createdAt === null ? null : Date.parse(createdAt),
})

export const toOther = ({ id, name, clusterId, createdAt }: WireOther): OtherNode => ({
  providerInstanceId: id,
  name,
  clusterId,
  createdAt: createdAt === null ? null : Date.parse(createdAt),
})

export const toLeftovers = ({ items }: z.infer<typeof WireLeftovers>): readonly Leftover[] => items

interface Configured {
  readonly images: Readonly<Record<string, string>>
  readonly networks: readonly { readonly name: string }[]
  readonly maxBatch: number
  readonly visibilityDelayMs: number
}

interface Declared {
  readonly reportsFreeCapacity: boolean
  readonly joinsFabric: boolean
  readonly listsOthers: boolean
}

/** What is configured, as far as the operator has it, and in words what differs. */
export function describedCluster(
  clusterId: string,
  configured: Configured,
  { declared, answer }: { readonly declared: Declared; readonly answer: WireDescription },
): DescribedCluster {
  const found = answer.clusters.find((one) => one.clusterId === clusterId)
  const images = Object.entries(configured.images).filter(([, image]) => found?.images.includes(image) === true)
  const networks = configured.networks.map(({ name }) => name).filter((name) => found?.networks.includes(name) === true)
  const missing = (noun: string, wanted: readonly string[], there: readonly string[]): string[] =>
    wanted.filter((name) => !there.includes(name)).map((name) => `${noun} ${name} does not exist there`)
  return {
    clusterId,
    images: images.map(([alias]) => alias),
    networks,
    problems: [
      ...differences(configured, declared, answer),
      ...(found === undefined
        ? ['the operator does not know the cluster']
        : [
            ...found.problems,
            ...missing('image', Object.values(configured.images), found.images),
            ...missing(
              'network',
              configured.networks.map(({ name }) => name),
              found.networks,
            ),
          ]),
    ],
  }
}

/** The broker goes by what is configured, so that must not promise more than the operator does. */
function differences(configured: Configured, declared: Declared, answer: WireDescription): readonly string[] {
  const { contractVersion, capabilities } = answer
  const { maxBatch, visibilityDelayMs, reportsFreeCapacity, joinsFabric, listsOthers } = capabilities
  const words: string[] = []
  if (contractVersion !== 1) words.push(`the operator keeps version ${contractVersion} of the contract, not 1`)
  if (configured.maxBatch > maxBatch)
    words.push(`maxBatch is ${configured.maxBatch}, and the operator takes at most ${maxBatch}`)
  if (configured.visibilityDelayMs < visibilityDelayMs) {
    words.push(`visibilityDelayMs is ${configured.visibilityDelayMs}, and the operator needs ${visibilityDelayMs}`)
  }
  if (declared.joinsFabric !== joinsFabric) words.push(`joinsFabric must be ${joinsFabric}`)
  if (declared.listsOthers && !listsOthers) words.push('listsOthers must be false')
  if (declared.reportsFreeCapacity !== reportsFreeCapacity) {
    words.push(`reportsFreeCapacity must be ${reportsFreeCapacity}`)
  }
  return words
}
