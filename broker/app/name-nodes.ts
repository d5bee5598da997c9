/** Writing names down before they are used: groups of at most `maxBatch`, each with a counter that never goes back. */
import { groupName, memberName } from '../../shared/ids.ts'
import type { Draft } from './draft.ts'
import type { NetworkPool } from './lease-network.ts'
import type { AllocationRow } from '../store/changes.ts'

/** What nodes are named and built by, where they shall stand. */
export interface Building {
  /** Most nodes in one group. */
  readonly maxBatch: number
  readonly pool: NetworkPool
}

export interface NodePlace {
  readonly ordinal: number
  readonly generation: number
}

export interface Naming {
  /** Most nodes in one group. */
  readonly maxBatch: number
  /** Whether they are asked for as soon as this is written. Default: they are not. */
  readonly asked?: boolean
}

/** Saves groups and nodes for these places; @returns the row with its counter moved on, not saved. */
export function nameNodes(
  draft: Draft,
  row: AllocationRow,
  places: readonly NodePlace[],
  { maxBatch, asked = false }: Naming,
): AllocationRow {
  let counter = row.groupCounter
  for (let from = 0; from < places.length; from += maxBatch) {
    const members = places.slice(from, from + maxBatch)
    const name = groupName(row.id, counter)
    counter += 1
    draft.saveGroup({
      name,
      allocationId: row.id,
      size: members.length,
      askedAt: asked ? draft.now : null,
      effect: asked ? 'asked' : 'unasked',
      notBefore: 0,
      attempts: asked ? 1 : 0,
    })
    for (const [index, { ordinal, generation }] of members.entries()) {
      draft.saveNode({
        allocationId: row.id,
        ordinal,
        generation,
        name: memberName(name, index + 1),
        groupName: name,
        providerInstanceId: null,
        status: 'requested',
        address: null,
        since: draft.now,
        lastError: null,
        adopted: false,
      })
    }
  }
  return { ...row, groupCounter: counter }
}
