/**
 * THE contract, version 1: what every GPU provider must do, and what "twice" means for each call. An adapter implements
 * it for one operator; the broker knows nothing else of an operator. The conformance kit (broker/conformance) says for each
 * sentence here whether an adapter keeps it.
 *
 * All calls reject with a `ProviderError` and nothing else.
 *
 * What the broker guarantees:
 * - A group's name is stored before it is first asked for, is never used for another group, and is made of `[a-z0-9-]`.
 * - After an error with effect `maybe` it lists, for the visibility delay, before it asks for anything again.
 * - Calls may come at the same time, from several replicas, and again after a crash at any line: for one allocation by one
 *   replica at a time, whose lease may run out while its last call is still under way.
 * - It deletes only nodes whose owner tag carries its own installation, and those that it took over; and asks until a list
 *   no longer has them.
 * - It goes by kinds, effects and states, never by a text; codes and messages are kept for people.
 *
 * What the provider must guarantee:
 * - What it makes carries the owner tag from the first list that shows it to the last.
 * - What it says of effect `none` and of lists is true: on these two rests that no node is made twice and none is lost.
 * - It never shows a key, a token or a request body, in whatever it answers or rejects with.
 * - Each call ends soon after its deadline, or after its signal, whatever the operator does.
 */
import type { EpochMs } from './time.ts'
import type { OwnerTag } from './ids.ts'

/** @public for reports of conformance */
export const PROVIDER_CONTRACT_VERSION = 1

/** What comes with every call. */
export interface Call {
  /** Names this attempt in logs and, where the operator has a place for it, in its own. */
  readonly operationId: string
  /** When the caller stops waiting. Waiting for the rate limit counts against it. Past it: `unreachable`. */
  readonly deadlineAt: EpochMs
  /** The caller's own end; after it no further request leaves the adapter. */
  readonly signal: AbortSignal
  /** W3C trace context, passed on to the operator. */
  readonly traceparent?: string
}

export interface ProviderCapabilities {
  /** Most nodes in one `createNodes`, ≥ 1. */
  readonly maxBatch: number
  /** For how long what was made (or removed) may still be missing from (or present in) lists, in ms. */
  readonly visibilityDelayMs: number
  /** What the operator takes for a node's name; the longest member of the largest group must fit (some 25 characters). */
  readonly nodeName: { readonly maxLength: number; readonly pattern: RegExp }
  /** `exact`: the operator filters by allocation itself. `scan`: the adapter lists all and filters. */
  readonly findsByOwner: 'exact' | 'scan'
  /** Whether `freeCapacity` ever answers a number. */
  readonly reportsFreeCapacity: boolean
  /** Whether nodes must be made one interconnect group by `joinFabric` before they are of use. */
  readonly joinsFabric: boolean
}

/** A group of nodes asked for in one call: all alike, all in one cluster, all or (by the operator's fault) fewer. */
export interface NodeGroup {
  /** Written down by the caller before the call; members are `<name>-<n>`, n = 1…size. Never used twice. */
  readonly name: string
  /** 1…`capabilities.maxBatch`. */
  readonly size: number
  /** One that `describe()` lists; another is `refused`, effect `none`, as are an unknown image and network. */
  readonly clusterId: string
  /** An alias that `describe()` lists for the cluster. */
  readonly imageAlias: string
  /** One of the cluster's configured networks, by the name that `describe()` lists. */
  readonly network: string
  /** `authorized_keys` lines to place on every node; may be empty. */
  readonly sshPublicKeys: readonly string[]
  /** To be put on everything that is made for the group, and found again by. */
  readonly owner: OwnerTag
}

/**
 * `building`: on its way, and any state that the adapter has never seen: the next look tells. `ready`: SSH answers, or will
 * within moments. `failed`: it will not become ready without us. `deleting`: asked to go, and still listed: it counts.
 */
export type ProviderNodeState = 'building' | 'ready' | 'failed' | 'deleting'

export interface ProviderNode {
  /** The operator's own, opaque to the broker; never given to another node. */
  readonly providerInstanceId: string
  /** The member name, `<group>-<n>`: an adapter whose operator names members differently translates. */
  readonly name: string
  /** Null when the node carries no owner tag of ours that can be read. */
  readonly owner: OwnerTag | null
  /** Null when the node stands in no cluster that this adapter is configured for. */
  readonly clusterId: string | null
  readonly state: ProviderNodeState
  /** Whether it is in the allocation's interconnect group; always true where `joinsFabric` is false. */
  readonly inFabric: boolean
  /** Where SSH answers; null until the operator has given it one. */
  readonly address: string | null
  /** By the operator's clock; null where it does not say. Of two nodes with one name the older stays. */
  readonly createdAt: EpochMs | null
  /** Why it failed, in the operator's words; null unless `failed`. */
  readonly failure: {
    readonly code: string | null
    readonly message: string
    readonly kind: 'out-of-capacity' | 'fault'
  } | null
}

/** `installationId` alone: all that carry our installation. With `allocationId`: only that allocation's. */
export interface NodeFilter {
  readonly installationId: string
  readonly allocationId?: string
  /**
   * Provider instance ids of nodes that were taken over while they were in use: those that exist are listed beside the
   * others, under whatever name and tag they have. Default none.
   */
  readonly adopted?: readonly string[]
}

/** A node that carries no tag of this installation, and takes room in one of the configured clusters all the same. */
export interface OtherNode extends Pick<ProviderNode, 'providerInstanceId' | 'name' | 'createdAt'> {
  readonly clusterId: string
}

/** Whether a node belongs into the answer to the filter. */
export const isWithin = (
  { installationId, allocationId, adopted = [] }: NodeFilter,
  { owner, providerInstanceId }: Pick<ProviderNode, 'owner' | 'providerInstanceId'>,
): boolean =>
  adopted.includes(providerInstanceId) ||
  (owner !== null &&
    owner.installationId === installationId &&
    (allocationId === undefined || owner.allocationId === allocationId))

export interface DeleteRequest {
  readonly clusterId: string
  readonly providerInstanceIds: readonly string[]
  /** Those among them that were taken over and carry no tag of ours: they go all the same. Default none. */
  readonly adopted?: readonly string[]
}

export interface DescribedCluster {
  readonly clusterId: string
  /** Aliases of the images that exist there; the first is the default. */
  readonly images: readonly string[]
  /** Names of the configured networks (each with its security groups), in configured order. */
  readonly networks: readonly string[]
  /** What is configured but was not found at the operator, in words; empty when all is well. */
  readonly problems: readonly string[]
}

export interface FabricRequest {
  readonly clusterId: string
  readonly owner: OwnerTag
  /** All nodes that shall be in the group, and no others. */
  readonly providerInstanceIds: readonly string[]
}

export interface Leftover {
  readonly kind: 'init-script' | 'fabric-cluster' | 'public-ip' | 'volume' | 'port'
  readonly id: string
  readonly name: string
  /** `removed`: asked for and accepted. `kept`: still in use, or the operator said not yet; the next sweep asks again. */
  readonly action: 'removed' | 'kept'
}

export interface Provider {
  readonly id: string
  readonly capabilities: ProviderCapabilities

  /** The clusters that it serves, and whether the configured images, specs and networks exist there. Changes nothing. */
  describe(call: Call): Promise<readonly DescribedCluster[]>

  /**
   * Asks for one group and returns once the operator has accepted it, usually minutes before the nodes are ready;
   * answers what it knows (perhaps nothing): `listNodes` is the truth.
   * Twice with one name makes at most what once makes, as far as lists show it: an adapter whose operator does not
   * refuse a second one looks first and asks only for what is missing. During the visibility delay only the caller's
   * patience protects: list before asking again.
   *
   * @throws ProviderError `out-of-capacity`, `quota-exceeded`, `refused` with effect `none`, unless some were made;
   *   `unreachable` or `malformed` with effect `maybe`: list, for the visibility delay, before asking again
   */
  createNodes(group: NodeGroup, call: Call): Promise<readonly ProviderNode[]>

  /**
   * What exists, all pages, each node once. A node is missing only if it does not exist (or was made less than the
   * visibility delay ago). Nodes of other installations, or without a tag, are never in it, but for those that the filter
   * names as `adopted`.
   *
   * @throws ProviderError always with effect `none`; a page that is lost or unreadable fails the whole list
   */
  listNodes(filter: NodeFilter, call: Call): Promise<readonly ProviderNode[]>

  /**
   * What others made in the configured clusters: each node there that does not carry the installation's tag, all pages,
   * each once; those that were taken over are among them. A node is put into a cluster by what is configured of it (spec or
   * flavor, zone, pool), never by guess, so what takes no room there is not in it. Left out where the operator cannot tell:
   * then nobody learns of them.
   *
   * @throws ProviderError always with effect `none`; a page that is lost or unreadable fails the whole list
   */
  listOthers?(filter: Pick<NodeFilter, 'installationId'>, call: Call): Promise<readonly OtherNode[]>

  /**
   * Asks for these nodes to go, by provider instance id. Accepted or already gone is success; the proof is a later list
   * without them. A node in a state that cannot be deleted yet is taken as far as it goes: call again (`busy`).
   * No ids at all is success, and deletes nothing.
   *
   * @throws ProviderError `busy` once all others were taken as far as they go; `unreachable`: some may be on their way
   */
  deleteNodes(request: DeleteRequest, call: Call): Promise<void>

  /**
   * Only where `capabilities.joinsFabric`. Declarative: makes exactly these nodes one interconnect group; repeatable.
   * Resolves `settled: false` while the operator is still at it: call again. Members that were deleted are simply gone.
   */
  joinFabric?(request: FabricRequest, call: Call): Promise<{ readonly settled: boolean }>

  /** Only where `capabilities.joinsFabric`. Dissolves the allocation's group; none there is success; repeatable. */
  leaveFabric?(request: Omit<FabricRequest, 'providerInstanceIds'>, call: Call): Promise<{ readonly settled: boolean }>

  /**
   * Finds and removes what this installation made beside nodes and no longer needs. `allocationsEnded`: all that belong to
   * these may go; of the others, only what a node that is up has no more use for. Touches nothing without this
   * installation's tag.
   */
  sweepLeftovers(
    request: { readonly installationId: string; readonly allocationsEnded: ReadonlySet<string> },
    call: Call,
  ): Promise<readonly Leftover[]>

  /**
   * Free nodes in a cluster as the operator tells it, or null where it does not. Shown, never an input of placement.
   *
   * @throws ProviderError always with effect `none`; a cluster that is not configured is `refused`, or null
   */
  freeCapacity(clusterId: string, call: Call): Promise<number | null>

  /** A cheap authenticated read: resolves when the operator answers. */
  ping(call: Call): Promise<void>
}

/** What an adapter's factory gets beside its own configuration. */
export interface AdapterContext {
  /** Wall clock in epoch ms, which deadlines are measured by; a test hands in its own. */
  readonly now: () => EpochMs
}

/** The calls to one operator, as its adapter lets them through; shown in metrics. */
export interface Traffic {
  /** In force: at most the configured one, less after the operator said that it is too much. */
  readonly ratePerSecond: number
  readonly inFlight: number
  readonly maxConcurrent: number
  /** Calls that wait for their turn. */
  readonly waiting: number
  /** The operator's clock less ours, by the date of its last answer, to a second; null: none has told it. */
  readonly clockSkewMs: number | null
}
