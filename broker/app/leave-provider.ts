/** A provider has not answered for longer than it is given: what is being built there is built elsewhere, or waits. */
import { type EpochMs, toIso } from '../../shared/time.ts'
import { clustersIn } from '../core/calendar-reads.ts'
import type { AllocationRow, NodeRow } from '../store/changes.ts'
import { announce } from './announce.ts'
import { type Claim, claimed } from './claim.ts'
import type { Draft } from './draft.ts'
import type { Member } from './decide-group.ts'
import { leaveNetwork } from './lease-network.ts'
import { avoiding, undo } from './record-look.ts'
import { placeElsewhere } from './relocate.ts'

export interface Outage {
  /** The first of the calls that failed, with no success since. */
  readonly failingSince: EpochMs
  readonly allowanceMs: number
}

/**
 * Changes nothing while the allowance lasts. What was asked for may stand there: it is given back first, which takes
 * until the provider answers again. Where surely nothing was made, the allocation moves on at once.
 *
 * @returns whether it leaves
 */
export function leaveProvider(claim: Claim, { failingSince, allowanceMs }: Outage): Member<boolean> {
  return {
    needs: { allocations: [claim.id], nodes: true },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row?.status !== 'provisioning' || row.undoing !== null) return false
      // From before its start on, the outage is no reproach to an allocation that has only begun.
      if (draft.now - Math.max(failingSince, row.startAt ?? 0) < allowanceMs) return false
      const message = `${row.providerId} has not answered since ${toIso(failingSince)}`
      const undoing = { next: 'place-again', kind: 'provider-down', code: null, message } as const
      const clusterIds = clustersIn(draft.calendar).flatMap((one) =>
        one.providerId === row.providerId ? [one.id] : [],
      )
      const left = avoiding(draft, row, { clusterIds, because: 'provider-down' })
      if (mayHaveNodes(draft, row)) waitToBeRid(draft, undo(left, undoing, draft.now))
      else moveOn(draft, { ...left, statusReason: undoing.kind })
      return true
    },
  }
}

const isLive = (node: NodeRow): boolean => node.status !== 'deleted'

/** Whether anything of it was seen there, or was asked for without a sure no. */
function mayHaveNodes(draft: Draft, row: AllocationRow): boolean {
  const live = draft.nodesOf(row.id).filter(isLive)
  const names = new Set(live.map((node) => node.groupName))
  const asked = draft
    .groupsOf(row.id)
    .some(({ name, effect }) => names.has(name) && effect !== 'unasked' && effect !== 'none')
  return asked || live.some((node) => node.providerInstanceId !== null)
}

/** For as long as the provider is down: so it is told. */
function waitToBeRid(draft: Draft, row: AllocationRow): void {
  draft.save(row)
  announce(draft, row)
}

function moveOn(draft: Draft, row: AllocationRow): void {
  leaveNetwork(draft, row)
  for (const node of draft.nodesOf(row.id).filter(isLive))
    draft.saveNode({ ...node, status: 'deleted', since: draft.now })
  const displacedBy = { cause: 'fault', causeId: row.clusterId ?? row.id } as const
  placeElsewhere(draft, { ...row, nextLookAt: null, readyNodes: 0, failedNodes: 0, displacedBy })
}
