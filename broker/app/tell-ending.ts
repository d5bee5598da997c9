/** Tells that an allocation ends soon, once for each notice: whichever replica comes first finds it untold. */
import { dueNotice, type Term } from '../core/ending.ts'
import type { AllocationRow } from '../store/changes.ts'
import { summaryOf } from './announce.ts'
import type { Member } from './decide-group.ts'

/** Null while it does not run. */
export function termOf(row: Pick<AllocationRow, 'status' | 'startAt' | 'endAt' | 'endingToldAt'>): Term | null {
  const { status, startAt, endAt, endingToldAt: toldAt } = row
  const runs = status === 'provisioning' || status === 'active'
  return runs && startAt !== null && endAt !== null ? { startAt, endAt, toldAt } : null
}

export const tellEnding = (id: string): Member<void> => ({
  needs: { allocations: [id] },
  decide(draft) {
    const row = draft.allocation(id)
    const term = row === null ? null : termOf(row)
    const notice = term === null ? null : dueNotice(term, draft.now)
    if (row === null || notice === null) return
    draft.save({ ...row, endingToldAt: notice.at })
    draft.event({
      type: 'allocation.ending',
      subject: `allocations/${id}`,
      allocation: row,
      data: { ...summaryOf(row), days: notice.days },
    })
  },
})
