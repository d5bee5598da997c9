/** At `placement.end` the broker releases by itself. */
import { transition } from './announce.ts'
import { type Claim, claimed } from './claim.ts'
import { holdUntilGone } from './end-allocation.ts'
import type { Member } from './decide-group.ts'

export function endAtItsEnd(claim: Claim): Member<void> {
  return {
    needs: { allocations: [claim.id] },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row === null || row.endAt === null || row.endAt > draft.now) return
      if (row.status !== 'provisioning' && row.status !== 'active') return
      holdUntilGone(draft, transition(draft, row, 'endReached', { releaseReason: row.releaseReason ?? 'finished' }))
    },
  }
}
