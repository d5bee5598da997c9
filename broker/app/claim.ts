/** A worker's hold on an allocation: what it brings back counts only while its token is still in the row. */
import type { Draft } from './draft.ts'
import type { AllocationRow } from '../store/changes.ts'

export interface Claim {
  readonly id: string
  readonly token: string
}

/** Null when the claim was lost: somebody else works on it now, and knows better. */
export function claimed(draft: Draft, { id, token }: Claim): AllocationRow | null {
  const row = draft.allocation(id)
  return row?.claimToken === token ? row : null
}
