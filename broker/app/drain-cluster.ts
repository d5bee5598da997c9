/** Takes nodes of a cluster out of service for a time: who has not started moves, what runs stays in the shortfall. */
import type { Drain, DrainRequest } from '../../shared/operation.ts'
import { invalidRequest, Refusal } from '../../shared/refusal.ts'
import { HOUR_MS, toIso, toIsoOrNull } from '../../shared/time.ts'
import { clusterOf } from '../core/calendar-reads.ts'
import { findAllocations, isVisible } from '../store/allocations.ts'
import type { DrainRow } from '../store/changes.ts'
import { findDrain, drainOp, pageOfDrains } from '../store/operations.ts'
import type { App } from './app.ts'
import { type Answer, type Caller, type Command, type Page, type PageRequest, mayOperate } from './command.ts'
import type { Draft } from './draft.ts'
import { assertSeen } from './fresh.ts'
import { newId } from './ids.ts'
import { relocateOverbooked, stillRunning } from './relocate.ts'
import { giveNotices } from './take-back.ts'

export function drainCluster(
  app: App,
  command: Command,
  clusterId: string,
  request: DrainRequest,
): Promise<Answer<Drain>> {
  return app.writer.answer(command, {
    needs: { waiting: true, scheduled: true, idle: true },
    decide(draft) {
      const cluster = clusterOf(draft.calendar, clusterId)
      if (cluster === null || !mayOperate(command.caller, cluster.providerId)) {
        throw new Refusal('not-found', `There is no cluster ${clusterId}.`)
      }
      assertSane(draft, request, cluster.nodes)
      const row = take(draft, clusterId, request)
      return { body: drainView(row), etag: etagOfDrain(row) }
    },
  })
}

function assertSane(draft: Draft, request: DrainRequest, clusterNodes: number): void {
  if (request.nodes > clusterNodes) {
    throw invalidRequest([{ pointer: '/nodes', detail: `must be at most ${clusterNodes}, all that the cluster has` }])
  }
  if (Date.parse(request.from) < draft.now - HOUR_MS) {
    throw invalidRequest([{ pointer: '/from', detail: `must not be before ${toIso(draft.now - HOUR_MS)}` }])
  }
  if (Date.parse(request.to) <= draft.now) throw invalidRequest([{ pointer: '/to', detail: 'must be in the future' }])
}

function take(draft: Draft, clusterId: string, request: DrainRequest): DrainRow {
  const row: DrainRow = {
    id: newId('drn'),
    clusterId,
    nodes: request.nodes,
    fromAt: Date.parse(request.from),
    toAt: Date.parse(request.to),
    reason: request.reason,
    affected: [],
    createdAt: draft.now,
    liftedAt: null,
  }
  draft.apply(drainOp(row))
  const told = giveNotices.decide(draft).map((allocationId) => ({ allocationId, effect: 'waitlisted' as const }))
  const moved = relocateOverbooked(draft, clusterId, { cause: 'drain', causeId: row.id })
  const during = { start: Math.max(row.fromAt, draft.now), end: row.toAt }
  const affected = [...told, ...moved, ...stillRunning(draft, clusterId, during)]
  const drained = { ...row, affected }
  draft.saveDrain(drained)
  draft.event({
    type: 'cluster.drained',
    subject: `clusters/${clusterId}`,
    data: { drainId: row.id, ...request, affected },
  })
  return drained
}

/** Lifting what is lifted changes nothing. */
export async function liftDrain(app: App, command: Command, id: string): Promise<Answer<Drain>> {
  return app.writer.answer(command, {
    needs: { drains: [id] },
    decide(draft) {
      const row = draft.drain(id)
      const cluster = row === null ? null : clusterOf(draft.calendar, row.clusterId)
      if (row === null || (cluster !== null && !mayOperate(command.caller, cluster.providerId))) throw noSuch(id)
      assertSeen(command, etagOfDrain(row))
      if (row.liftedAt !== null) return { body: drainView(row), etag: etagOfDrain(row) }
      const lifted = { ...row, liftedAt: draft.now }
      draft.apply({ op: 'lift-drain', drainId: id })
      draft.saveDrain(lifted)
      draft.event({ type: 'cluster.drain-lifted', subject: `clusters/${row.clusterId}`, data: { drainId: id } })
      return { body: drainView(lifted), etag: etagOfDrain(lifted) }
    },
  })
}

const noSuch = (id: string): Refusal => new Refusal('not-found', `There is no drain ${id}.`)

export async function getDrain(app: App, caller: Caller, id: string): Promise<{ body: Drain; etag: string }> {
  const row = await findDrain(app.database.queries, id)
  if (row === null) throw noSuch(id)
  const affected = await affectedFor(app, caller, row.clusterId, [row])
  return { body: drainView({ ...row, affected: affected(row) }), etag: etagOfDrain(row) }
}

export async function listDrains(app: App, caller: Caller, clusterId: string, page: PageRequest): Promise<Page<Drain>> {
  const rows = await pageOfDrains(app.database.queries, { clusterId, after: page.after, limit: page.limit + 1 })
  const shown = rows.slice(0, page.limit)
  const affected = await affectedFor(app, caller, clusterId, shown)
  return {
    items: shown.map((row) => drainView({ ...row, affected: affected(row) })),
    next: rows.length > page.limit ? (shown.at(-1)?.id ?? null) : null,
  }
}

/** Drains are in the catalogue, which everybody reads; of the allocations in them each sees what is theirs. */
async function affectedFor(
  { cache, database }: App,
  caller: Caller,
  clusterId: string,
  drains: readonly DrainRow[],
): Promise<(drain: DrainRow) => DrainRow['affected']> {
  // Of a cluster that is gone nobody is the operator.
  const operator = clusterOf(await cache.read(), clusterId)?.providerId ?? ''
  if (mayOperate(caller, operator)) return ({ affected }) => affected
  const ids = new Set(drains.flatMap(({ affected }) => affected.map(({ allocationId }) => allocationId)))
  const rows = await findAllocations(database.queries, [...ids])
  const isTheirs = ({ allocationId }: DrainRow['affected'][number]): boolean => {
    const row = rows.get(allocationId)
    return row !== undefined && isVisible(row, caller)
  }
  return ({ affected }) => affected.filter(isTheirs)
}

const etagOfDrain = (row: DrainRow): string => (row.liftedAt === null ? 'in-force' : 'lifted')

const drainView = (row: DrainRow): Drain => ({
  id: row.id,
  clusterId: row.clusterId,
  nodes: row.nodes,
  from: toIso(row.fromAt),
  to: toIso(row.toAt),
  reason: row.reason,
  createdAt: toIso(row.createdAt),
  liftedAt: toIsoOrNull(row.liftedAt),
  affected: [...row.affected],
})
