/** What operators' staff and SREs do to clusters and providers: drains, suspensions. */
import { z } from 'zod'
import { AllocationId, DrainId, OwnerChosenId } from './ids.ts'
import { Instant, InstantOrNull, lineOfText } from './text.ts'

const Reason = lineOfText(500)

/** `{}` and no body at all are fine: an action needs no reason. */
export const OperationRequest = z.strictObject({ reason: Reason.optional() }).meta({ id: 'OperationRequest' })
export type OperationRequest = z.infer<typeof OperationRequest>

export const FreezeRequest = z
  .strictObject({
    reason: Reason.optional(),
    providerId: OwnerChosenId.optional().meta({ description: 'Default: all providers.' }),
  })
  .meta({ id: 'FreezeRequest' })
export type FreezeRequest = z.infer<typeof FreezeRequest>

/** From the most that is logged to nothing at all. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

/** What the replica that answers logs from now on, until it starts again. */
export const LogLevel = z.strictObject({ level: z.enum(LOG_LEVELS) }).meta({ id: 'LogLevel' })
export type LogLevel = z.infer<typeof LogLevel>

/** Providers at which nothing is made or deleted now. */
export const Frozen = z.strictObject({ frozen: z.array(OwnerChosenId) }).meta({ id: 'Frozen' })
export type Frozen = z.infer<typeof Frozen>

export const DrainRequest = z
  .strictObject({ nodes: z.int().min(1).max(100_000), from: Instant, to: Instant, reason: Reason })
  .refine((drain) => !(Date.parse(drain.from) >= Date.parse(drain.to)), { path: ['to'], message: 'must be after from' })
  .meta({ id: 'DrainRequest' })
export type DrainRequest = z.infer<typeof DrainRequest>

const Affected = z.strictObject({
  allocationId: AllocationId,
  effect: z.enum(['relocated', 'waitlisted', 'running']),
})

export const Drain = z
  .strictObject({
    id: DrainId,
    clusterId: OwnerChosenId,
    nodes: z.int().min(1),
    from: Instant,
    to: Instant,
    reason: z.string(),
    createdAt: Instant,
    liftedAt: InstantOrNull,
    affected: z.array(Affected).meta({
      description:
        'Who had to move when it was taken, and who runs on in the shortfall; of these, what the caller may look at.',
    }),
  })
  .meta({ id: 'Drain' })
export type Drain = z.infer<typeof Drain>

const ClusterDifference = z.strictObject({
  clusterId: OwnerChosenId,
  change: z.enum(['added', 'removed', 'changed']),
  differences: z.array(
    z.strictObject({
      member: z.string().meta({ description: 'Of the inventory, or what the providers’ configuration adds to it.' }),
      before: z.unknown().meta({ description: 'As the inventory writes it; null for a cluster that is added.' }),
      after: z.unknown().meta({ description: 'Null for a cluster that is removed.' }),
    }),
  ),
})

/** What the inventory's file says that the broker does not know yet, and what follows from it. */
export const InventoryReload = z
  .strictObject({
    applied: z.boolean().meta({ description: 'False: this is what would happen, and nothing has.' }),
    clusters: z.array(ClusterDifference).meta({ description: 'By id; empty when nothing differs.' }),
    affected: z.array(Affected).meta({ description: 'Who has to move, and who runs on in the shortfall.' }),
    promises: z
      .array(
        z.strictObject({
          allocationId: AllocationId,
          promisedStart: Instant,
          estimatedStart: InstantOrNull.meta({ description: 'The next plan; null: none.' }),
          newPromisedStart: Instant,
        }),
      )
      .meta({ description: 'The promises that the next plan of those who wait makes later.' }),
  })
  .meta({ id: 'InventoryReload' })
export type InventoryReload = z.infer<typeof InventoryReload>
