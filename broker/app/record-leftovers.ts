/** What operators keep beside nodes although they were asked again and again: shown until they let it go. */
import type { Leftover } from '../../shared/provider.ts'
import type { FindingRow } from '../store/changes.ts'
import type { Member } from './decide-group.ts'
import { announceFinding } from './record-sweep.ts'

/** @param kept all that is kept at the provider now */
export function recordLeftovers(providerId: string, kept: readonly Leftover[]): Member<void> {
  return {
    needs: { sweeps: [providerId] },
    decide(draft) {
      const before = new Map(
        draft.findingsAt(providerId).flatMap((row) => (row.what === 'node' ? [] : [[row.providerInstanceId, row]])),
      )
      for (const { kind: what, id, name } of kept) {
        if (before.delete(id)) continue
        const row: FindingRow = {
          providerId,
          kind: 'leftover',
          providerInstanceId: id,
          what,
          name,
          allocationId: null,
          clusterId: null,
          since: draft.now,
          action: 'retry',
          approved: false,
        }
        draft.saveFinding(row)
        announceFinding(draft, providerId, row)
      }
      for (const row of before.values()) draft.dropFinding(row)
    },
  }
}
