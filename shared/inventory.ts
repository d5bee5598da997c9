/**
 * The inventory: which operators secured how many GPUs, and which clusters they stand in (`deploy/inventory.json`). Every
 * figure carries its basis; what nobody has said is `undisclosed`, never guessed.
 */
import { z } from 'zod'
import { Architecture, Cooling, GPUS_PER_NODE, GpuModel, Share, Stage } from './cluster.ts'
import { OwnerChosenId } from './ids.ts'

/** `announced`: said so. `derived`: computed from what was said. `assumed`: our reading where it is silent. */
export const Basis = z.enum(['announced', 'derived', 'assumed'])
export type Basis = z.infer<typeof Basis>

/** `joined`: one job can span all nodes. */
export const Interconnect = z.enum(['joined', 'undisclosed'])
export type Interconnect = z.infer<typeof Interconnect>

const DEFAULT_TURNOVER_SECONDS = 3_600

const Operator = z.strictObject({
  id: OwnerChosenId,
  name: z.string().min(1),
  /** All GPUs that the operator secured, government's and its own. */
  gpusSecured: z.array(z.strictObject({ gpuModel: GpuModel, gpus: z.int().positive(), basis: Basis })).min(1),
})

const InventoryPhase = z.strictObject({
  /** RFC 3339 in UTC. A quarter or a year that was announced counts as its last day. */
  from: z.iso.datetime(),
  nodes: z.int().positive(),
  stage: Stage,
  basis: Basis,
})

const InventoryCluster = z.strictObject({
  id: OwnerChosenId,
  providerId: OwnerChosenId,
  gpuModel: GpuModel,
  architecture: Architecture,
  cooling: Cooling,
  interconnect: Interconnect,
  share: Share,
  /** By `from`, ascending; the last is the full size. */
  phases: z.array(InventoryPhase).min(1),
  /** The pause planned between two reservations of the same nodes, in seconds. */
  turnoverSeconds: z.int().min(0).default(DEFAULT_TURNOVER_SECONDS),
})

type Draft = {
  readonly operators: readonly z.infer<typeof Operator>[]
  readonly clusters: readonly z.infer<typeof InventoryCluster>[]
  readonly architectures: Readonly<Record<string, unknown>>
}

/** What one cluster says that the rest of the inventory contradicts; null when it is sound. */
function contradictionIn(inventory: Draft, index: number): string | null {
  const cluster = inventory.clusters[index]
  if (cluster === undefined) return null
  if (inventory.clusters.findIndex((other) => other.id === cluster.id) !== index)
    return `cluster ${cluster.id} is listed twice`
  if (inventory.architectures[cluster.architecture] === undefined)
    return `architecture ${cluster.architecture} has no factor`
  const operator = inventory.operators.find((other) => other.id === cluster.providerId)
  if (operator === undefined) return `operator ${cluster.providerId} is not listed`
  if (!operator.gpusSecured.some((secured) => secured.gpuModel === cluster.gpuModel))
    return `${operator.id} has secured no ${cluster.gpuModel}`
  const ascending = cluster.phases.every((phase, at) => {
    const before = cluster.phases[at - 1]
    return before === undefined || Date.parse(before.from) < Date.parse(phase.from)
  })
  return ascending ? null : `the phases of ${cluster.id} are not in ascending order`
}

export const Inventory = z
  .strictObject({
    /** Where the figures come from, in words. */
    source: z.string().min(1),
    gpusPerNode: z.literal(GPUS_PER_NODE),
    /** Architecture → FP8 compute of one of its GPUs, in H200s. */
    architectures: z.record(Architecture, z.strictObject({ fp8H200PerGpu: z.number().positive(), basis: Basis })),
    operators: z.array(Operator).min(1),
    clusters: z.array(InventoryCluster).min(1),
  })
  .superRefine((inventory, context) => {
    for (const index of inventory.clusters.keys()) {
      const message = contradictionIn(inventory, index)
      if (message !== null) context.addIssue({ code: 'custom', path: ['clusters', index], message })
    }
  })

export type Inventory = z.infer<typeof Inventory>
