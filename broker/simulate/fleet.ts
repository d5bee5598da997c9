/** The clusters that a replay runs on: those of the inventory that take requests, as the core knows them. */
import type { Inventory } from '../../shared/inventory.ts'
import type { EpochMs } from '../../shared/time.ts'
import { clustersOf, type Cluster } from '../core/cluster.ts'
import { factsAllow, questionOf } from '../core/placement/feasible.ts'
import type { PlacementRequest } from '../core/placement/request.ts'

export interface Fleet {
  /** By id. */
  readonly clusters: readonly Cluster[]
  /** All at full size. */
  readonly nodes: number
  readonly architectures: readonly ArchitectureOfFleet[]
  /** From when on every cluster has its full size. */
  readonly completeAt: EpochMs
}

export interface ArchitectureOfFleet {
  readonly name: string
  /** All its nodes: what it is drawn by. */
  readonly weight: number
  readonly largestNodes: number
}

/** The share that requests go to unless they say otherwise. */
const SHARE = 'government'

export function fleetOf(inventory: Inventory): Fleet {
  const mappings = new Map(inventory.clusters.map(({ id }) => [id, { images: [] }]))
  const clusters = clustersOf(inventory, mappings)
    .filter(({ share }) => share === SHARE)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1)) // ids are unique
  const names = [...new Set(clusters.map(({ architecture }) => architecture))].toSorted()
  return {
    clusters,
    nodes: sumOf(clusters),
    architectures: names.map((name) => {
      const own = clusters.filter(({ architecture }) => architecture === name)
      return { name, weight: sumOf(own), largestNodes: Math.max(...own.map(({ nodes }) => nodes)) }
    }),
    completeAt: Math.max(...clusters.map(({ phases }) => phases.at(-1)?.from ?? 0)),
  }
}

const sumOf = (clusters: readonly Cluster[]): number => clusters.reduce((sum, { nodes }) => sum + nodes, 0)

/** What the broker is asked for one request of a replay. */
export const placementRequestOf = (wanted: {
  readonly nodes: number
  readonly architecture: string
  readonly durationMs: number
  readonly submittedAt: EpochMs
}): PlacementRequest => ({
  demand: { nodes: wanted.nodes },
  requires: { architectures: [wanted.architecture], shares: [SHARE] },
  prefers: {},
  period: {
    kind: 'flexible',
    durationMs: wanted.durationMs,
    earliestStart: wanted.submittedAt,
    latestStart: null,
  },
  image: null,
  priority: 'standard',
  approval: null,
})

/** The clusters that may serve it at all, by the very rules of the broker, for policies that have none of their own. */
export function clustersFor(fleet: Fleet, request: PlacementRequest, from: EpochMs): Cluster[] {
  return fleet.clusters.filter((cluster) => factsAllow(questionOf(cluster, request, from)))
}
