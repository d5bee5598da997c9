/** The audit trail: who asked for what change, when, from which client, and what came of it. */
import { z } from 'zod'
import { Instant } from './text.ts'

const Hash = z.string().regex(/^[0-9a-f]{64}$/)

export const AuditRecord = z
  .strictObject({
    sequence: z.int().min(1).meta({ description: 'Its number in the whole trail, which has no gaps.' }),
    at: Instant,
    actor: z.string().meta({ description: 'The client that asked.' }),
    action: z
      .string()
      .meta({ description: 'The operation, as the OpenAPI document names it.', example: 'createAllocation' }),
    resource: z.string().meta({ description: 'What it was asked of, as a path below `/v1/`.' }),
    outcome: z.enum(['done', 'refused']),
    code: z.string().nullable().meta({ description: 'Why it was refused.' }),
    requestId: z.string(),
    organizationId: z.string().nullable().meta({ description: 'Whose it is, or who asked; null: nobody’s alone.' }),
    providerId: z.string().nullable(),
    previousHash: Hash.meta({ description: 'The hash of the record before; of the first one zeros.' }),
    hash: Hash.meta({
      description:
        'SHA-256 in hex of `previousHash`, a line feed, and the JSON array of the members from `sequence` to `providerId` in this order.',
    }),
  })
  .meta({ id: 'AuditRecord' })
export type AuditRecord = z.infer<typeof AuditRecord>

export const AuditChain = z
  .strictObject({
    oldest: z
      .strictObject({ sequence: z.int().min(1), previousHash: Hash })
      .nullable()
      .meta({ description: 'The oldest record that is kept. Null: there is none.' }),
    last: z
      .strictObject({ sequence: z.int().min(0), hash: Hash })
      .meta({ description: 'The last one ever written, as the installation’s head knows it; 0 before the first.' }),
  })
  .meta({ id: 'AuditChain', description: 'The ends of the trail: whoever walks it begins and ends there.' })
export type AuditChain = z.infer<typeof AuditChain>
