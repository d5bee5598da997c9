/** What placement knows of a cluster: the inventory's facts, and what the providers' configuration adds to them. */
import type { COOLINGS, SHARES, STAGES } from '../../shared/cluster.ts'
import type { Interconnect, Inventory } from '../../shared/inventory.ts'
import { MINUTE_MS, SECOND_MS, type EpochMs } from '../../shared/time.ts'

export type Cooling = (typeof COOLINGS)[number]
export type Stage = (typeof STAGES)[number]
export type Share = (typeof SHARES)[number]

export const DEFAULT_IDLE_NOTICE_MS = 30 * MINUTE_MS

/** From `from` on the cluster has this many nodes, until the next phase. Before the first phase it has none. */
export interface Phase {
  readonly from: EpochMs
  readonly nodes: number
  readonly stage: Stage
  readonly basis: string
}

export interface Cluster {
  readonly id: string
  readonly providerId: string
  readonly gpuModel: string
  readonly architecture: string
  readonly cooling: Cooling
  readonly interconnect: Interconnect
  readonly share: Share
  readonly gpusPerNode: number
  /** FP8 compute of one GPU, in H200s. */
  readonly fp8H200PerGpu: number
  /** Full size: that of the last phase. */
  readonly nodes: number
  /** By `from`, ascending. */
  readonly phases: readonly Phase[]
  /** The pause planned after each reservation, in ms. */
  readonly turnoverMs: number
  /** How long before its nodes are taken an idle-use grant is told, in ms. Default `DEFAULT_IDLE_NOTICE_MS`. */
  readonly idleNoticeMs?: number
  /** Percent of its architecture that one organisation may hold at an instant (concentration.ts). Absent: all of it. */
  readonly maxSharePerOrganization?: number
  /** Aliases of the images that exist there; the first is the default. */
  readonly images: readonly string[]
  /** Whether the providers' configuration maps it; nothing is placed where it does not. */
  readonly mapped: boolean
}

/** How much is asked for: exactly one member. All of it lies in one cluster. */
export type Demand = { readonly nodes: number } | { readonly gpus: number } | { readonly fp8H200Equivalent: number }

/** What the broker learns of a cluster from the providers' configuration and description. */
export interface ClusterMapping {
  readonly images: readonly string[]
}

/** What is configured for all clusters alike. */
export interface FleetRules {
  /** Default `DEFAULT_IDLE_NOTICE_MS`. */
  readonly idleNoticeMs?: number
  /** In percent; default: no limit. */
  readonly maxSharePerOrganization?: number | undefined
}

/** @param mappings cluster id → mapping; a cluster without one is listed and not placeable */
export function clustersOf(
  inventory: Inventory,
  mappings: ReadonlyMap<string, ClusterMapping>,
  { idleNoticeMs = DEFAULT_IDLE_NOTICE_MS, maxSharePerOrganization }: FleetRules = {},
): Cluster[] {
  return inventory.clusters.map((cluster) => {
    const mapping = mappings.get(cluster.id)
    const phases = cluster.phases.map((phase) => ({ ...phase, from: Date.parse(phase.from) }))
    return {
      id: cluster.id,
      providerId: cluster.providerId,
      gpuModel: cluster.gpuModel,
      architecture: cluster.architecture,
      cooling: cluster.cooling,
      interconnect: cluster.interconnect,
      share: cluster.share,
      gpusPerNode: inventory.gpusPerNode,
      fp8H200PerGpu: inventory.architectures[cluster.architecture]?.fp8H200PerGpu ?? 0, // the schema asks for every one
      nodes: phases.at(-1)?.nodes ?? 0,
      phases,
      turnoverMs: cluster.turnoverSeconds * SECOND_MS,
      idleNoticeMs,
      ...(maxSharePerOrganization !== undefined && { maxSharePerOrganization }),
      images: mapping?.images ?? [],
      mapped: mapping !== undefined,
    }
  })
}

/** How long it takes to have nodes back from idle-use: the notice, and the turnover after it. */
export const reclaimMs = ({ idleNoticeMs = DEFAULT_IDLE_NOTICE_MS, turnoverMs }: Cluster): number =>
  idleNoticeMs + turnoverMs

/** The phase in force; null before the first. */
export function phaseAt(phases: readonly Phase[], at: EpochMs): Phase | null {
  return phases.findLast((phase) => phase.from <= at) ?? null
}

/** Fewest whole nodes of this cluster that meet the demand. */
export function nodesFor(cluster: Cluster, demand: Demand): number {
  if ('nodes' in demand) return demand.nodes
  if ('gpus' in demand) return Math.ceil(demand.gpus / cluster.gpusPerNode)
  const perNode = cluster.gpusPerNode * cluster.fp8H200PerGpu
  if (perNode <= 0) return Number.MAX_SAFE_INTEGER
  const nodes = Math.max(1, Math.ceil(demand.fp8H200Equivalent / perNode))
  // The quotient may be rounded up past a whole number that already reaches the demand.
  return nodes > 1 && (nodes - 1) * perNode >= demand.fp8H200Equivalent ? nodes - 1 : nodes
}
