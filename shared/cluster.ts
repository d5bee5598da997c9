/** Providers and clusters as callers see them. */
import { z } from 'zod'
import { OwnerChosenId } from './ids.ts'
import { Instant, InstantOrNull } from './text.ts'

export const COOLINGS = ['liquid', 'air', 'undisclosed'] as const
export const STAGES = ['beta', 'general', 'undisclosed'] as const
export const SHARES = ['government', 'operator'] as const
export const GPUS_PER_NODE = 8

export const Cooling = z.enum(COOLINGS)
export const Stage = z.enum(STAGES)
export const Share = z.enum(SHARES)
/** `blackwell`, `hopper`, and what comes after them: the inventory names it, so it is a text here. */
export const Architecture = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be an architecture in lower case, such as blackwell')
  .meta({ example: 'blackwell' })
export const GpuModel = z
  .string()
  .regex(/^[A-Za-z0-9-]{1,32}$/, 'must be a GPU model, such as B200')
  .meta({ example: 'B200' })

export const CircuitState = z.enum(['closed', 'half-open', 'open'])
export type CircuitState = z.infer<typeof CircuitState>

export const ProviderView = z
  .strictObject({
    id: OwnerChosenId,
    name: z.string(),
    health: z.strictObject({
      state: z.enum(['up', 'degraded', 'down']).meta({
        description: '`down`: every circuit is open. `degraded`: one is not closed, or the last call failed.',
      }),
      circuits: z.strictObject({ read: CircuitState, create: CircuitState, delete: CircuitState }),
      since: Instant,
      lastSuccessAt: InstantOrNull,
      lastError: z
        .strictObject({ kind: z.string(), code: z.string().nullable(), message: z.string(), at: Instant })
        .nullable(),
    }),
    suspended: z.boolean(),
    frozen: z.boolean(),
    clusters: z.array(OwnerChosenId),
  })
  .meta({ id: 'Provider' })
export type ProviderView = z.infer<typeof ProviderView>

const count = z.int().min(0)

export const PhaseView = z.strictObject({
  from: Instant,
  nodes: count,
  stage: Stage,
  basis: z.string().meta({ description: 'Where the figure comes from.', example: 'announced' }),
})

export const ClusterView = z
  .strictObject({
    id: OwnerChosenId,
    providerId: OwnerChosenId,
    gpuModel: GpuModel,
    architecture: Architecture,
    cooling: Cooling,
    interconnect: z.enum(['joined', 'undisclosed']),
    nodes: count,
    gpusPerNode: z.literal(GPUS_PER_NODE),
    gpus: count,
    fp8H200Equivalent: z.number(),
    share: Share,
    phases: z.array(PhaseView),
    images: z.array(z.string()),
    placeable: z.boolean(),
    suspended: z.boolean(),
    now: z.strictObject({
      nodesReady: count.meta({ description: 'Nodes that their operator reports ready.' }),
      nodesReserved: count.meta({ description: 'Nodes on the calendar at this instant, turnover included.' }),
      nodesActive: count.meta({ description: 'Nodes of active allocations.' }),
      nodesDrained: count,
      nodesQuarantined: count,
      nodesIdle: count.meta({ description: 'In service and neither reserved, drained nor quarantined.' }),
      shortfall: count.meta({ description: 'Reserved beyond a capacity that fell.' }),
    }),
  })
  .meta({ id: 'Cluster' })
export type ClusterView = z.infer<typeof ClusterView>

export const AvailabilityStep = z.strictObject({
  from: Instant,
  to: Instant,
  capacityNodes: count,
  reservedNodes: count,
  drainedNodes: count,
  freeNodes: count,
  shortfallNodes: count,
})
export const Availability = z.strictObject({ steps: z.array(AvailabilityStep) }).meta({ id: 'Availability' })
export type Availability = z.infer<typeof Availability>
