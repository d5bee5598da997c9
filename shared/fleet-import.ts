/** Day one of a fleet in use: what is written down of grants that run already, and what taking them over comes to. */
import { z } from 'zod'
import { Access, FixedPeriod, Labels } from './allocation.ts'
import { ApprovalRequest } from './approval.ts'
import { AllocationId, OwnerChosenId } from './ids.ts'
import { lineOfText } from './text.ts'

/** More than the programme has nodes. */
const MAX_ROWS = 2_000

export const ImportedApproval = z
  .strictObject({ id: OwnerChosenId, ...ApprovalRequest.shape })
  .meta({ id: 'ImportedApproval' })
export type ImportedApproval = z.infer<typeof ImportedApproval>

export const ImportedAllocation = z
  .strictObject({
    approvalId: OwnerChosenId.meta({ description: 'Registered already, or in the same file.' }),
    name: lineOfText(128),
    clusterId: OwnerChosenId,
    period: FixedPeriod.meta({ description: 'It has begun, and has not ended.' }),
    providerInstanceIds: z
      .array(z.string().regex(/^[\w.-]{1,128}$/, 'must be 1 to 128 of letters, digits, "_", "." and "-"'))
      .min(1)
      .max(MAX_ROWS)
      .meta({ description: 'Its nodes, as the operator numbers them; all of them run in the cluster.' }),
    access: Access.optional().meta({ description: 'For nodes that replace failed ones; those that run keep theirs.' }),
    labels: Labels.optional(),
  })
  .meta({ id: 'ImportedAllocation' })
export type ImportedAllocation = z.infer<typeof ImportedAllocation>

export const ImportRequest = z
  .strictObject({
    approvals: z.array(ImportedApproval).max(MAX_ROWS).optional(),
    allocations: z.array(ImportedAllocation).max(MAX_ROWS).optional(),
  })
  .meta({ id: 'ImportRequest' })
export type ImportRequest = z.infer<typeof ImportRequest>

const Effect = z
  .enum(['create', 'unchanged'])
  .meta({ description: '`unchanged`: it was taken over before, and nothing is done.' })

export const ImportReport = z
  .strictObject({
    applied: z.boolean(),
    approvals: z.array(z.strictObject({ id: OwnerChosenId, organizationId: OwnerChosenId, effect: Effect })),
    allocations: z.array(
      z.strictObject({
        name: z.string(),
        approvalId: OwnerChosenId,
        clusterId: OwnerChosenId,
        nodes: z.int().min(1),
        effect: Effect,
        allocationId: AllocationId.nullable().meta({ description: 'Null: it has none before it is applied.' }),
      }),
    ),
    problems: z
      .array(z.strictObject({ pointer: z.string(), detail: z.string() }))
      .meta({ description: 'What stands in the way, by JSON pointer. With any, nothing is applied.' }),
  })
  .meta({ id: 'ImportReport' })
export type ImportReport = z.infer<typeof ImportReport>
