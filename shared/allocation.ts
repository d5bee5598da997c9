/** Allocations: what callers ask for, and what they are shown. */
import { z } from 'zod'
import { Priority } from './approval.ts'
import { Architecture, Cooling, GpuModel, Share, Stage } from './cluster.ts'
import { AllocationId, DecisionId, OwnerChosenId } from './ids.ts'
import { Instant, InstantOrNull, lineOfText } from './text.ts'

export const ALLOCATION_STATUSES = [
  'scheduled',
  'waitlisted',
  'provisioning',
  'active',
  'preempting',
  'releasing',
  'released',
  'cancelled',
  'failed',
] as const
export const AllocationStatus = z.enum(ALLOCATION_STATUSES)
export type AllocationStatus = z.infer<typeof AllocationStatus>

export const NODE_STATUSES = ['requested', 'building', 'ready', 'failed', 'deleting', 'deleted', 'quarantined'] as const
export const NodeStatus = z.enum(NODE_STATUSES)
export type NodeStatus = z.infer<typeof NodeStatus>

const ONE_DEMAND = 'must have exactly one of nodes, gpus, fp8H200Equivalent'

export const Demand = z
  .strictObject({
    nodes: z.int().min(1).max(100_000).optional(),
    gpus: z.int().min(1).max(1_000_000).optional().meta({ description: 'A multiple of 8.', multipleOf: 8 }),
    fp8H200Equivalent: z
      .number()
      .positive()
      .max(10_000_000)
      .optional()
      .meta({ description: 'FP8 compute in H200s: at each candidate, the fewest nodes that reach it.' }),
  })
  .refine((demand) => Object.values(demand).filter((value) => value !== undefined).length === 1, ONE_DEMAND)
  .meta({
    id: 'Demand',
    description: 'Exactly one of `nodes`, `gpus`, `fp8H200Equivalent`.',
    minProperties: 1,
    maxProperties: 1,
  })
export type Demand = z.infer<typeof Demand>

const listOf = <T extends z.ZodType>(item: T) => z.array(item).min(1).max(32)

export const Requires = z
  .strictObject({
    architectures: listOf(Architecture).optional(),
    gpuModels: listOf(GpuModel).optional(),
    cooling: listOf(Cooling).optional(),
    minClusterNodes: z.int().min(1).max(100_000).optional(),
    providers: listOf(OwnerChosenId).optional(),
    stages: listOf(Stage).optional(),
    shares: listOf(Share).optional().meta({ description: 'Default `["government"]`.' }),
  })
  .meta({ id: 'Requires' })
export type Requires = z.infer<typeof Requires>

export const Prefers = z
  .strictObject({
    architecture: Architecture.optional(),
    cooling: Cooling.optional(),
    provider: OwnerChosenId.optional(),
  })
  .meta({ id: 'Prefers' })
export type Prefers = z.infer<typeof Prefers>

export const FixedPeriod = z
  .strictObject({ start: Instant, end: Instant })
  .refine((period) => Date.parse(period.start) < Date.parse(period.end), {
    path: ['end'],
    message: 'must be after start',
  })
export const FlexiblePeriod = z
  .strictObject({
    durationHours: z
      .number()
      .min(1 / 3_600, 'must be at least a second (1/3600)')
      .max(26_280),
    earliestStart: Instant.optional(),
    latestStart: Instant.optional(),
  })
  .refine(
    ({ earliestStart, latestStart }) =>
      earliestStart === undefined || latestStart === undefined || Date.parse(earliestStart) <= Date.parse(latestStart),
    { path: ['latestStart'], message: 'must not be before earliestStart' },
  )
export const Period = z.union([FixedPeriod, FlexiblePeriod]).meta({
  id: 'Period',
  description: 'Fixed `{start, end}`, or flexible `{durationHours, earliestStart?, latestStart?}`.',
})
export type Period = z.infer<typeof Period>

/** One line of an authorized_keys file; a line break would smuggle in another. */
const SshPublicKey = z
  .string()
  .max(900)
  .regex(
    /^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)|sk-(ssh-ed25519|ecdsa-sha2-nistp256)@openssh\.com) [A-Za-z0-9+/]+={0,3}( \P{Cc}*)?$/u,
    'must be one OpenSSH public key, such as "ssh-ed25519 AAAA… name"',
  )

export const Access = z
  .strictObject({
    sshPublicKeys: z.array(SshPublicKey).max(16).optional(),
    image: z
      .string()
      .regex(/^[a-z0-9.-]{1,64}$/, 'must be an image alias, such as ubuntu-22.04-cuda')
      .optional()
      .meta({ description: 'Default: the first image of the cluster.' }),
  })
  .meta({ id: 'Access' })
export type Access = z.infer<typeof Access>

export const Labels = z
  .record(z.string().regex(/^[A-Za-z0-9._/-]{1,64}$/, 'must be 1 to 64 of [A-Za-z0-9._/-]'), lineOfText(256))
  .refine((labels) => Object.keys(labels).length <= 32, 'must have at most 32 members')
  .meta({ id: 'Labels' })

/** What decides where and when: the part of a request that a preview has too. */
const placementMembers = {
  demand: Demand,
  requires: Requires.optional(),
  prefers: Prefers.optional(),
  period: Period,
}

export const AllocationRequest = z
  .strictObject({
    approvalId: OwnerChosenId,
    name: lineOfText(128),
    ...placementMembers,
    ifUnavailable: z.enum(['waitlist', 'reject']).optional().meta({ description: 'Default `waitlist`.' }),
    access: Access.optional(),
    labels: Labels.optional(),
  })
  .meta({ id: 'AllocationRequest' })
export type AllocationRequest = z.infer<typeof AllocationRequest>

export const PreviewRequest = z
  .strictObject({ ...placementMembers, priority: Priority.optional().meta({ description: 'Default `standard`.' }) })
  .meta({ id: 'PreviewRequest' })
export type PreviewRequest = z.infer<typeof PreviewRequest>

export const ReleaseRequest = z
  .strictObject({
    reason: z.enum(['finished', 'reclaimed', 'revoked', 'other']).optional(),
    at: Instant.optional().meta({
      description: 'When it ends. Default, and for an instant that is past: now. One after its end changes nothing.',
      example: '2026-12-01T00:00:00Z',
    }),
  })
  .meta({ id: 'ReleaseRequest' })
export type ReleaseRequest = z.infer<typeof ReleaseRequest>

export const ShrinkRequest = z.strictObject({ nodes: z.int().min(1).max(100_000) }).meta({ id: 'ShrinkRequest' })
export type ShrinkRequest = z.infer<typeof ShrinkRequest>

export const ExtendRequest = z.strictObject({ end: Instant }).meta({ id: 'ExtendRequest' })
export type ExtendRequest = z.infer<typeof ExtendRequest>

const count = z.int().min(0)

export const PlacementView = z.strictObject({
  providerId: OwnerChosenId,
  clusterId: OwnerChosenId,
  gpuModel: GpuModel,
  nodes: count,
  gpus: count,
  start: Instant,
  end: Instant,
  decisionId: DecisionId,
})

/** One change to the request, and the start that it would have with it. */
export const Earlier = z
  .discriminatedUnion('change', [
    z.strictObject({ change: z.literal('nodes'), to: z.int().min(1), estimatedStart: Instant }),
    z.strictObject({ change: z.literal('architecture'), to: Architecture, estimatedStart: Instant }),
    z.strictObject({
      change: z.literal('duration'),
      to: z.int().min(1).meta({ description: 'In hours.' }),
      estimatedStart: Instant,
    }),
  ])
  .meta({ id: 'Earlier' })
export type Earlier = z.infer<typeof Earlier>

const EARLIER =
  'What would make it earlier, one change at a time, with everybody else as planned now: the most nodes or hours for the earliest start that this can bring, the most for half of the wait, another architecture.'

export const WaitlistView = z.strictObject({
  position: z.int().min(1).meta({ description: 'Counted in the whole list.' }),
  estimatedStart: InstantOrNull,
  estimatedClusterId: OwnerChosenId.nullable(),
  promisedStart: InstantOrNull,
  reason: z.string(),
  since: Instant,
  earlier: z
    .array(Earlier)
    .optional()
    .meta({ description: `${EARLIER} Only where one allocation is read.` }),
})

export const Allocation = z
  .strictObject({
    id: AllocationId,
    approvalId: OwnerChosenId,
    organizationId: OwnerChosenId,
    program: OwnerChosenId,
    name: z.string(),
    priority: Priority,
    status: AllocationStatus,
    statusReason: z.string().nullable(),
    demand: Demand,
    requires: Requires,
    prefers: Prefers,
    period: Period,
    labels: Labels,
    placement: PlacementView.nullable(),
    waitlist: WaitlistView.nullable(),
    nodes: z.strictObject({ desired: count, ready: count, failed: count }),
    createdAt: Instant,
    updatedAt: Instant,
    activeAt: InstantOrNull,
    releasedAt: InstantOrNull,
  })
  .meta({ id: 'Allocation' })
export type Allocation = z.infer<typeof Allocation>

export const AllocationNode = z
  .strictObject({
    ordinal: count,
    generation: z.int().min(1),
    name: z.string(),
    providerInstanceId: z.string().nullable(),
    status: NodeStatus,
    address: z.string().nullable(),
    since: Instant,
    lastError: z.strictObject({ kind: z.string(), code: z.string().nullable(), message: z.string() }).nullable(),
  })
  .meta({ id: 'AllocationNode' })
export type AllocationNode = z.infer<typeof AllocationNode>

export const WaitlistItem = z
  .strictObject({
    allocationId: AllocationId,
    position: z.int().min(1),
    priority: Priority,
    nodes: count,
    since: Instant,
    estimatedStart: InstantOrNull,
    estimatedClusterId: OwnerChosenId.nullable(),
    promisedStart: InstantOrNull,
    reason: z.string(),
    earlier: z.array(Earlier).meta({ description: EARLIER }),
  })
  .meta({ id: 'WaitlistItem' })
export type WaitlistItem = z.infer<typeof WaitlistItem>
