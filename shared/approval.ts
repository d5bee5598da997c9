/** Approvals: who may have how much, until when. */
import { z } from 'zod'
import { Architecture } from './cluster.ts'
import { OwnerChosenId } from './ids.ts'
import { Instant, lineOfText } from './text.ts'

/** Highest first. `idle` runs on capacity that nobody has reserved and is preempted with notice. */
export const PRIORITIES = ['national', 'standard', 'idle'] as const
export const Priority = z.enum(PRIORITIES)
export type Priority = z.infer<typeof Priority>

export const ApprovalLimits = z.strictObject({
  maxNodes: z.int().min(1).max(100_000).meta({ description: 'Nodes at once.' }),
  gpuHours: z
    .number()
    .positive()
    .max(1e12)
    .meta({ description: 'GPU-hours over the whole validity, waiting ones included.' }),
  architectures: z.array(Architecture).min(1).max(16),
  validFrom: Instant,
  validTo: Instant,
})
export type ApprovalLimits = z.infer<typeof ApprovalLimits>

export const ApprovalRequest = z
  .strictObject({
    organizationId: OwnerChosenId,
    organizationName: lineOfText(200).optional(),
    organizationType: z.enum(['university', 'institute', 'company', 'startup', 'public']).optional(),
    program: OwnerChosenId,
    priority: Priority,
    limits: ApprovalLimits.refine((limits) => Date.parse(limits.validFrom) < Date.parse(limits.validTo), {
      path: ['validTo'],
      message: 'must be after validFrom',
    }),
    note: z
      .string()
      .max(2_000)
      .regex(/^(\P{Cc}|[\t\n\r])*$/u, 'must not contain control characters')
      .optional(),
  })
  .meta({ id: 'ApprovalRequest' })
export type ApprovalRequest = z.infer<typeof ApprovalRequest>

export const Approval = z
  .strictObject({
    id: OwnerChosenId,
    organizationId: OwnerChosenId,
    organizationName: z.string().nullable(),
    organizationType: z.string().nullable(),
    program: OwnerChosenId,
    priority: Priority,
    limits: ApprovalLimits,
    note: z.string().nullable(),
    status: z.enum(['valid', 'revoked']),
    usage: z.strictObject({
      gpuHoursCommitted: z.number().meta({ description: 'Used, running, scheduled and waiting together.' }),
      gpuHoursUsed: z.number().meta({ description: 'Reserved time that has passed.' }),
      nodesInUse: z.int().min(0),
    }),
    createdAt: Instant,
    updatedAt: Instant,
  })
  .meta({ id: 'Approval' })
export type Approval = z.infer<typeof Approval>
