/** Whose an allocation is: a caller bound to an organisation or a provider touches only what is theirs. */
import { Refusal } from '../../shared/refusal.ts'
import type { AllocationRow } from '../store/changes.ts'
import type { Caller } from './command.ts'
import type { Draft } from './draft.ts'

/** @throws Refusal `not-found` also for what is somebody else's */
export function ownAllocation(draft: Draft, caller: Caller, id: string): AllocationRow {
  const row = draft.allocation(id)
  const own =
    row !== null &&
    (caller.organizationId === null || row.organizationId === caller.organizationId) &&
    (caller.providerId === null || row.providerId === caller.providerId)
  if (!own) throw new Refusal('not-found', `There is no allocation ${id}.`)
  return row
}
