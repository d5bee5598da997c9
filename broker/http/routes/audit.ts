import { z } from 'zod'
import { AuditChain, AuditRecord } from '../../../shared/audit.ts'
import { pageOf } from '../../../shared/text.ts'
import { InstantInQuery, openRangeOf } from '../time-range.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { paged, reading, seen } from '../route.ts'
import { Nothing } from './parts.ts'

const LIST = 'audit'
const tag = 'Audit'

const Query = z.strictObject({
  from: InstantInQuery.optional().meta({ description: 'Only since then. Default: since the oldest that is kept.' }),
  to: InstantInQuery.optional().meta({ description: 'Only before then.' }),
  actor: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .meta({ description: 'Only what this client asked for.', example: 'platform' }),
  action: z
    .string()
    .regex(/^[A-Za-z]{1,64}$/, 'must be the name of an operation, such as createAllocation')
    .optional()
    .meta({ description: 'Only this operation.', example: 'createAllocation' }),
})

const listAudit = reading({
  path: '/v1/audit',
  operationId: 'listAudit',
  tag,
  summary: 'Who asked for what change, when, from which client',
  description:
    'Oldest first. Each change that a caller asked for is here, done or refused, written with the change itself; each record carries the hash of the one before. What was sent is not in it. A bound caller sees what is theirs.',
  scope: 'audit:read',
  params: Nothing,
  query: z.strictObject({ ...Query.shape, ...pageMembers }),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(AuditRecord), example: examples.pageOf(examples.auditRecord) },
  },
  hasEtag: false,
  async handle(useCases, { caller, query: { limit, cursor, from: since, to: before, ...filter } }) {
    const { from, to } = openRangeOf({ from: since, to: before })
    const asked = {
      ...(filter.actor !== undefined && { actor: filter.actor }),
      ...(filter.action !== undefined && { action: filter.action }),
      ...(from !== null && { from }),
      ...(to !== null && { to }),
    }
    return paged(pageBody(LIST, await useCases.listAudit(caller, asked, pageRequest(LIST, { limit, cursor }))))
  },
})

const getAuditChain = reading({
  path: '/v1/audit/chain',
  operationId: 'getAuditChain',
  tag,
  summary: 'The two ends of the audit trail',
  description:
    'Whoever walks the trail begins at the one and must come to the other: `gpu-broker audit verify` does. For callers that are bound to nobody.',
  scope: 'audit:read',
  params: Nothing,
  query: Nothing,
  successes: { ok: { description: 'The ends.', schema: AuditChain, example: examples.auditChain } },
  hasEtag: true,
  problems: ['not-found'],
  async handle(useCases, { caller }) {
    const body = await useCases.getAuditChain(caller)
    return seen({ body, etag: `${body.oldest?.sequence ?? 0}-${body.last.sequence}` })
  },
})

export const auditRoutes = [listAudit, getAuditChain]
