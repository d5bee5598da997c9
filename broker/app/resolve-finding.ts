/**
 * What a person says about a sweep's findings: these may go, and the next sweep, which is asked for here, acts on it; or
 * this one, which is somebody else's, is in nobody's way.
 */
import type { Reconciliation, SweepFinding } from '../../shared/reconciliation.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { FindingRow } from '../store/changes.ts'
import type { App } from './app.ts'
import { type Answer, type Command, mayOperate } from './command.ts'
import type { Draft } from './draft.ts'
import { occupyFound } from './record-sweep.ts'
import { findingView, reconciliationView } from './read-reconciliation.ts'

/** All that sweeps hold back now may go, beyond the bound per hour. What they find later is not meant. */
export function approveSweep(app: App, command: Command, providerId: string): Promise<Answer<Reconciliation>> {
  return app.writer.answer(command, {
    needs: { sweeps: [providerId] },
    decide(draft) {
      assertMayOperate(command, providerId)
      for (const row of draft.findingsAt(providerId)) if (row.action === 'hold') approve(draft, row)
      return { body: reconciliationView(draft.sweep(providerId), draft.findingsAt(providerId)), etag: null }
    },
  })
}

export interface FoundNode {
  readonly providerId: string
  readonly providerInstanceId: string
}

/** This one may go. Twice is as good as once. */
export function deleteFoundNode(app: App, command: Command, node: FoundNode): Promise<Answer<SweepFinding>> {
  return app.writer.answer(command, {
    needs: { sweeps: [node.providerId] },
    decide(draft) {
      assertMayOperate(command, node.providerId)
      return { body: findingView(approve(draft, findingOf(draft, node))), etag: null }
    },
  })
}

/**
 * Somebody else's node takes no room that we count, for as long as sweeps find it; or does again. Twice is as good as once.
 *
 * @throws Refusal `not-found`; `not-in-this-status` where it carries our tag
 */
export function ignoreFoundNode(
  app: App,
  command: Command,
  node: FoundNode,
  ignored: boolean,
): Promise<Answer<SweepFinding>> {
  return app.writer.answer(command, {
    needs: { sweeps: [node.providerId], waiting: true, scheduled: true },
    decide(draft) {
      assertMayOperate(command, node.providerId)
      const found = findingsOf(draft, node)
      const row = found.find(({ kind, what }) => kind === 'leftover' && what === 'node')
      if (row === undefined)
        throw new Refusal('not-in-this-status', `The finding is ${found[0].kind}; only others' nodes are ignored.`)
      const ruled: FindingRow = { ...row, approved: ignored, action: ignored ? 'ignore' : 'drain' }
      draft.saveFinding(ruled)
      occupyFound(draft, node.providerId)
      return { body: findingView(ruled), etag: null }
    },
  })
}

/** @throws Refusal `not-found` also for a provider that is somebody else's */
export function assertMayOperate({ caller }: Command, providerId: string): void {
  if (!mayOperate(caller, providerId)) throw new Refusal('not-found', `There is no provider ${providerId}.`)
}

/**
 * One that carries our tag.
 *
 * @throws Refusal `not-found` where no sweep has found it; `not-in-this-status` where it is not ours, or not there
 */
export function findingOf(draft: Draft, node: FoundNode): FindingRow {
  const rows = findingsOf(draft, node)
  const [row] = rows
  const ours = rows.find(({ kind }) => kind === 'orphan' || kind === 'unknown')
  if (ours !== undefined) return ours
  throw new Refusal('not-in-this-status', `The finding is ${row.kind}; only nodes that carry our tag are dealt with.`)
}

function findingsOf(draft: Draft, { providerId, providerInstanceId }: FoundNode): [FindingRow, ...FindingRow[]] {
  const [row, ...rows] = draft.findingsAt(providerId).filter((one) => one.providerInstanceId === providerInstanceId)
  if (row === undefined) throw new Refusal('not-found', `The last sweep has found no node ${providerInstanceId}.`)
  return [row, ...rows]
}

function approve(draft: Draft, row: FindingRow): FindingRow {
  const approved: FindingRow = { ...row, approved: true, action: 'delete' }
  draft.saveFinding(approved)
  sweepSoon(draft, row.providerId)
  return approved
}

function sweepSoon(draft: Draft, providerId: string): void {
  const sweep = draft.sweep(providerId)
  if (sweep !== null) draft.saveSweep({ ...sweep, nextAt: draft.now })
}
