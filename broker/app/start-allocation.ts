/**
 * Its start has come: the place is taken up, and every node gets a name before any is asked for. The names may be marked
 * as asked for in the same commit; then they are to be asked for next.
 */
import { reservationOf } from '../core/calendar-reads.ts'
import { transition } from './announce.ts'
import { leaveCalendar } from './end-allocation.ts'
import { type Claim, claimed } from './claim.ts'
import type { Member } from './decide-group.ts'
import type { Draft } from './draft.ts'
import { leaseNetwork } from './lease-network.ts'
import { type Building, nameNodes } from './name-nodes.ts'
import { avoiding } from './record-look.ts'
import { placeElsewhere } from './relocate.ts'
import type { AllocationRow, NodeGroupRow, NodeRow } from '../store/changes.ts'

export interface Start extends Building {
  /** Whether its nodes are asked for at once. Only of one that never had any: there is nothing to look for. */
  readonly asks: boolean
}

/** As it was begun, with the groups and nodes that were named for it. */
export interface Begun {
  readonly row: AllocationRow
  readonly nodes: readonly NodeRow[]
  readonly groups: readonly NodeGroupRow[]
}

/** @returns null if it does not begin, or must be looked at before anything is asked for */
export function startAllocation(claim: Claim, { maxBatch, pool, asks }: Start): Member<Begun | null> {
  return {
    needs: { allocations: [claim.id], nodes: true, leases: true },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row?.status !== 'scheduled' || row.startAt === null || row.startAt > draft.now) return null
      if (row.endAt !== null && row.endAt <= draft.now) {
        leaveCalendar(draft, transition(draft, row, 'endReached', { statusReason: 'window-passed' }))
        return null
      }
      const reservation = reservationOf(draft.calendar, row.id)
      if (reservation === null) throw new Error('a scheduled allocation has its place on the calendar')
      if (!leaseNetwork(draft, row, pool)) {
        goElsewhere(draft, row)
        return null
      }
      draft.apply({ op: 'reserve', reservation: { ...reservation, phase: 'running' } })
      const first = draft.nodesOf(row.id).reduce((most, node) => Math.max(most, node.generation), 0) + 1
      const places = Array.from({ length: row.nodes }, (_, ordinal) => ({ ordinal, generation: first }))
      const asked = asks && row.groupCounter === 0
      const named = nameNodes(draft, row, places, { maxBatch, asked })
      transition(draft, named, 'startReached', { nextLookAt: draft.now, readyNodes: 0, failedNodes: 0 })
      const begun = draft.allocation(row.id)
      return asked && begun !== null
        ? { row: begun, nodes: draft.nodesOf(row.id), groups: draft.groupsOf(row.id) }
        : null
    },
  }
}

/** Every network there is another organisation's: as good as a quota that is used up. */
function goElsewhere(draft: Draft, row: AllocationRow): void {
  const clusterIds = row.clusterId === null ? [] : [row.clusterId]
  const displacedBy = { cause: 'fault', causeId: row.clusterId ?? row.id } as const
  const left = avoiding(draft, row, { clusterIds, because: 'no-network' })
  placeElsewhere(draft, { ...left, statusReason: 'quota-exceeded', displacedBy })
}
