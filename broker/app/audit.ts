/**
 * The audit trail, written: one record for each change that a caller has asked for, done or refused, in the transaction
 * of the change. A record names the operation and what it was asked of. What was sent is not in it, and so no secret is.
 */
import type { RefusalCode } from '../../shared/refusal.ts'
import { type EpochMs, toIso } from '../../shared/time.ts'
import { linkText } from '../core/audit-chain.ts'
import type { AuditRow } from '../store/changes.ts'
import type { Head } from '../store/head.ts'
import type { Attempt } from './command.ts'
import { sha256 } from './digest.ts'

export interface Audited {
  readonly attempt: Attempt
  /** What the use case answered; null where it refused. */
  readonly value: unknown
  readonly code: RefusalCode | null
  /** Which operator the resource belongs to. */
  readonly providerOf: (subject: string) => string | null
}

export function auditRow(
  { attempt, value, code, providerOf }: Audited,
  { head, now }: { readonly head: Head; readonly now: EpochMs },
): AuditRow {
  const { caller, action, requestId } = attempt
  const found = factsIn(value)
  const resource = named(attempt.resource, found.id)
  const record = {
    sequence: head.auditSequence + 1,
    actor: caller.clientId,
    action,
    resource,
    outcome: code === null ? ('done' as const) : ('refused' as const),
    code,
    requestId,
    organizationId: caller.organizationId ?? found.organizationId,
    providerId: caller.providerId ?? found.providerId ?? providerOf(resource),
    previousHash: head.auditHash,
  }
  return { ...record, at: now, hash: sha256(linkText({ ...record, at: toIso(now) })) }
}

/** What was made is named by its id: the path that was asked has none yet. */
const named = (resource: string, id: string | null): string =>
  id === null || resource.split('/').includes(id) ? resource : `${resource}/${id}`

interface Facts {
  readonly id: string | null
  readonly organizationId: string | null
  readonly providerId: string | null
}

/** Answers are the resources of the API: they say themselves whose they are. */
function factsIn(value: unknown): Facts {
  const { body } = membersOf(value)
  const { id, organizationId, providerId, placement } = membersOf(body)
  return {
    id: textOrNull(id),
    organizationId: textOrNull(organizationId),
    providerId: textOrNull(providerId) ?? textOrNull(membersOf(placement)['providerId']),
  }
}

const membersOf = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {} // read, never called

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? value : null)
