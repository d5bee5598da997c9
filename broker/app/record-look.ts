/** What a look at the provider's list found, what follows for the allocation, and what is about to be asked for. */
import { MINUTE_MS } from '../../shared/time.ts'
import type { Avoided } from '../core/placement/request.ts'
import type { NodeNote, Plan, Step } from '../core/reconcile.ts'
import type { Undoing } from '../store/schema.ts'
import { summaryOf, transition } from './announce.ts'
import { type Claim, claimed } from './claim.ts'
import type { Draft } from './draft.ts'
import { type AllocationRow, nodeKey, type NodeRow } from '../store/changes.ts'
import type { Member } from './decide-group.ts'
import { type Building, nameNodes } from './name-nodes.ts'
import { leaseNetwork } from './lease-network.ts'
import { settleShrink } from './shrink-allocation.ts'

/** The `statusReason` of one that runs on without all of its nodes, or with one that is not joined to the others. */
const DEGRADED = 'degraded'

/** Whether there is anything in the plan that must be written down before the provider is asked. */
export const mustRecord = (plan: Plan, row: AllocationRow): boolean =>
  plan.notes.length > 0 ||
  row.nodes > row.desiredNodes ||
  plan.unanswered.length > 0 ||
  plan.steps.some((step) => step.step === 'create' || step.step === 'rename' || step.step === 'give-up') ||
  plan.counts.ready !== row.readyNodes ||
  plan.counts.failed !== row.failedNodes ||
  (plan.ready && row.status === 'provisioning') ||
  (row.status === 'active' && plan.ready === (row.statusReason === DEGRADED))

/** What followed from what was stored, as it was in that version of the allocation. */
export interface Looked {
  readonly plan: Plan
  readonly version: number
}

/**
 * Groups about to be asked for are marked first: a crash between this and the answer leaves the mark, and whoever takes
 * the allocation up finds it and treats the answer as lost.
 *
 * @returns the allocation as it is then; null if the claim was lost, or if somebody has decided something since the look began,
 * which knows nothing of it: nothing may be asked, and nodes that are to leave since may not be noted as if they stayed
 */
export function recordLook(
  claim: Claim,
  { plan, version }: Looked,
  { maxBatch, pool }: Building,
): Member<AllocationRow | null> {
  return {
    needs: { allocations: [claim.id], nodes: true, leases: true },
    decide(draft) {
      const row = claimed(draft, claim)
      if (row === null || (row.status !== 'provisioning' && row.status !== 'active')) return null
      if (row.version !== version) return null
      const stored = new Map(draft.nodesOf(row.id).map((node) => [nodeKey(node), node]))
      for (const note of plan.notes) noteNode(draft, row, note, stored)
      noteUnanswered(draft, row, plan)
      for (const step of plan.steps) if (step.step === 'create') markAsked(draft, row, step.group)
      // It has one since its start, unless it was built by others and taken over. Without one its creates are refused.
      if (plan.steps.some((step) => step.step === 'rename')) leaseNetwork(draft, row, pool)
      const named = renameNodes(draft, row, plan.steps, maxBatch)
      const counted = { ...named, readyNodes: plan.counts.ready, failedNodes: plan.counts.failed, updatedAt: draft.now }
      const lost = plan.steps.find((step) => step.step === 'give-up')
      if (lost !== undefined && row.status === 'provisioning') {
        draft.save(giveUp(draft, counted, lost.failure))
        return draft.allocation(row.id)
      }
      const leaving = row.nodes > row.desiredNodes && draft.nodesOf(row.id).some((node) => node.status === 'deleting')
      const settled = row.nodes > row.desiredNodes && !leaving ? settleShrink(draft, counted) : counted
      moveOn(draft, settled, plan)
      return draft.allocation(row.id)
    },
  }
}

/** How often nodes may fail for good at one cluster after another before the request itself is taken for the cause. */
const MAX_PLACES = 3

/** For want of room it is placed again for as long as it takes; for faults only so often. */
function giveUp(
  draft: Draft,
  row: AllocationRow,
  failure: Extract<Step, { step: 'give-up' }>['failure'],
): AllocationRow {
  const { now } = draft
  const what = { code: failure?.code ?? null, message: failure?.message ?? '' }
  if (failure?.kind === 'out-of-capacity') {
    return undo(avoidingHere(draft, row), { next: 'place-again', kind: 'out-of-capacity', ...what }, now)
  }
  const faults = row.avoid.filter(({ because }) => because === undefined).length
  const next = faults + 1 < MAX_PLACES ? 'place-again' : 'fail'
  return undo(avoidingHere(draft, row), { next, kind: 'node-failed', ...what }, now)
}

/** How long a cluster that did not do is not tried again for the same allocation. */
const AVOID_MS = 30 * MINUTE_MS
/** More than there are clusters to avoid at one time. */
const MAX_AVOIDED = 32

export function avoiding(
  { calendar, now }: Pick<Draft, 'calendar' | 'now'>,
  row: AllocationRow,
  { clusterIds, because }: { readonly clusterIds: readonly string[] } & Pick<Avoided, 'because'>,
): AllocationRow {
  const architecture = calendar.clusters.get(row.clusterId ?? '')?.cluster.architecture
  const avoided = clusterIds.map((clusterId) => ({
    clusterId,
    until: now + AVOID_MS,
    ...(because !== undefined && { because }),
    ...(clusterId === row.clusterId && architecture !== undefined && { architecture }),
  }))
  return { ...row, avoid: [...row.avoid, ...avoided].slice(-MAX_AVOIDED) }
}

export const avoidingHere = (draft: Pick<Draft, 'calendar' | 'now'>, row: AllocationRow): AllocationRow =>
  avoiding(draft, row, { clusterIds: row.clusterId === null ? [] : [row.clusterId] })

/** The allocation is given back where it stands; `next` says what then. */
export const undo = (row: AllocationRow, undoing: Undoing, now: number): AllocationRow => ({
  ...row,
  undoing,
  statusReason: undoing.kind,
  nextLookAt: now,
})

function moveOn(draft: Draft, row: AllocationRow, plan: Plan): void {
  if (plan.ready && row.status === 'provisioning') {
    transition(draft, row, 'allReady', { activeAt: row.activeAt ?? draft.now, statusReason: null })
    return
  }
  const degraded = row.status === 'active' && !plan.ready
  const statusReason = degraded ? DEGRADED : row.status === 'active' ? null : row.statusReason
  if (degraded && row.statusReason !== DEGRADED) {
    draft.event({
      type: 'allocation.degraded',
      subject: `allocations/${row.id}`,
      allocation: row,
      data: summaryOf(row),
    })
  }
  draft.save({ ...row, statusReason })
}

function noteNode(draft: Draft, row: AllocationRow, note: NodeNote, stored: ReadonlyMap<string, NodeRow>): void {
  const before = stored.get(nodeKey({ allocationId: row.id, ...note }))
  if (before === undefined) return
  const { failure } = note
  const lastError =
    failure === null ? before.lastError : { kind: failure.kind, code: failure.code, message: failure.message }
  const next: NodeRow = {
    ...before,
    status: note.status,
    providerInstanceId: note.providerInstanceId,
    address: note.address,
    since: before.status === note.status ? before.since : draft.now,
    lastError,
  }
  draft.saveNode(next)
  if (note.status === 'failed') {
    draft.event({
      type: 'node.failed',
      subject: `allocations/${row.id}/nodes/${next.ordinal}`,
      allocation: row,
      data: { name: next.name, ordinal: next.ordinal, generation: next.generation, error: lastError },
    })
  }
}

/** Whoever asked is gone and sends nothing any more; what it sent last can appear from now on, for the whole delay. */
export function noteUnanswered(draft: Draft, row: AllocationRow, { unanswered }: Plan): void {
  for (const group of draft.groupsOf(row.id)) {
    if (unanswered.includes(group.name)) draft.saveGroup({ ...group, effect: 'maybe', askedAt: draft.now })
  }
}

function markAsked(draft: Draft, row: AllocationRow, name: string): void {
  const group = draft.groupsOf(row.id).find((one) => one.name === name)
  if (group === undefined) throw new Error(`group ${name} was written down before`)
  draft.saveGroup({ ...group, askedAt: draft.now, effect: 'asked', attempts: group.attempts + 1 })
}

function renameNodes(draft: Draft, row: AllocationRow, steps: readonly Step[], maxBatch: number): AllocationRow {
  let named = row
  for (const step of steps) {
    if (step.step !== 'rename') continue
    const newest = newestGenerations(draft.nodesOf(row.id))
    const places = step.ordinals.map((ordinal) => ({
      ordinal,
      generation: (newest.get(ordinal) ?? 1) + (step.failed ? 1 : 0),
    }))
    named = nameNodes(draft, named, places, { maxBatch })
    if (!step.failed) continue
    for (const { ordinal, generation } of places) {
      draft.event({
        type: 'node.replaced',
        subject: `allocations/${row.id}/nodes/${ordinal}`,
        allocation: row,
        data: { ordinal, generation },
      })
    }
  }
  return named
}

function newestGenerations(nodes: readonly NodeRow[]): ReadonlyMap<number, number> {
  const newest = new Map<number, number>()
  for (const node of nodes) newest.set(node.ordinal, Math.max(newest.get(node.ordinal) ?? 0, node.generation))
  return newest
}
