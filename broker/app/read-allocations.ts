/** Reading allocations, their nodes and decisions, and the waitlist; each caller sees what is theirs. */
import type { Allocation, AllocationNode, WaitlistItem } from '../../shared/allocation.ts'
import type { Decision } from '../../shared/decision.ts'
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, toIso, toIsoOrNull } from '../../shared/time.ts'
import type { Calendar } from '../core/calendar.ts'
import type { WaitingEntry } from '../core/calendar-op.ts'
import { clusterOf, clustersIn, standingOf, waiting, waitingEntryOf } from '../core/calendar-reads.ts'
import { type EarlierStart, earlierStarts } from '../core/earlier.ts'
import { factsAllow, questionOf } from '../core/placement/feasible.ts'
import { askedStartOf } from '../core/placement/request.ts'
import { compareServing, type Served } from '../core/waitlist.ts'
import {
  type AllocationFilter,
  type ShownAllocation,
  decisionsOf,
  isVisible,
  nodesOf,
  pageOfAllocations,
  waitingByIds,
} from '../store/allocations.ts'
import type { App } from './app.ts'
import { earlierOf } from './earlier-of.ts'
import { afterNumber, type Caller, type Page, type PageRequest } from './command.ts'
import { parseServingKey, servingKeyText } from './serving-key.ts'
import { allocationView, decisionView, earlierView, etagOf, nodeView, positionsOf } from './views.ts'

export async function getAllocation(app: App, caller: Caller, id: string): Promise<{ body: Allocation; etag: string }> {
  const row = await foundAllocation(app, caller, id)
  const calendar = await calendarFor(app, [row])
  const entry = waits(row) ? waitingEntryOf(calendar, id) : null
  const line =
    entry === null
      ? { position: undefined }
      : { position: positionsOf(calendar).get(id), earlier: earlierStarts(calendar, entry, app.now()) }
  return { body: allocationView(row, { calendar, ...line }), etag: etagOf(row) }
}

async function foundAllocation(app: App, caller: Caller, id: string): Promise<ShownAllocation> {
  const row = await app.findAllocation(id)
  if (row === undefined || !isVisible(row, caller)) throw new Refusal('not-found', `There is no allocation ${id}.`)
  return row
}

const waits = ({ status }: ShownAllocation): boolean => status === 'waitlisted'

/** Who waits is shown with his place in the line; of all others only what their cluster is. */
async function calendarFor({ cache }: App, rows: readonly ShownAllocation[]): Promise<Calendar> {
  if (rows.some(waits)) return await cache.read()
  const known = await cache.facts()
  const isKnown = rows.every(({ clusterId }) => clusterId === null || clusterOf(known, clusterId) !== null)
  return isKnown ? known : await cache.read()
}

async function viewsOf(app: App, rows: readonly ShownAllocation[]): Promise<Allocation[]> {
  const calendar = await calendarFor(app, rows)
  const positions = rows.some(waits) ? positionsOf(calendar) : new Map<string, number>()
  return rows.map((row) => allocationView(row, { calendar, position: positions.get(row.id) }))
}

/** Newest first. */
export async function listAllocations(
  app: App,
  caller: Caller,
  filter: AllocationFilter,
  page: PageRequest,
): Promise<Page<Allocation>> {
  const rows = await pageOfAllocations(app.database.queries, {
    filter,
    sight: caller,
    after: afterNumber(page),
    limit: page.limit + 1,
  })
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return { items: await viewsOf(app, shown), next: last === undefined ? null : String(last.sequence) }
}

export async function listAllocationNodes(app: App, caller: Caller, id: string): Promise<readonly AllocationNode[]> {
  await foundAllocation(app, caller, id)
  return (await nodesOf(app.database.queries, id)).map(nodeView)
}

export async function listAllocationDecisions(app: App, caller: Caller, id: string): Promise<readonly Decision[]> {
  await foundAllocation(app, caller, id)
  return (await decisionsOf(app.database.queries, id)).map(decisionView)
}

/** In serving order; positions are counted in the whole list, whoever looks. */
export async function listWaitlist(
  app: App,
  caller: Caller,
  filter: { readonly architecture?: string },
  page: PageRequest,
): Promise<Page<WaitlistItem>> {
  const calendar = await app.cache.read()
  const after = page.after === null ? null : parseServingKey(page.after)
  const now = app.now()
  const wanted: InLine[] = []
  for (const [index, entry] of waiting(calendar).entries()) {
    if (wanted.length > page.limit) break
    const key = { ...entry, standing: standingOf(calendar, entry) }
    if (after !== null && compareServing(key, after) <= 0) continue
    if (!maySee(caller, entry) || !mayRunOn(calendar, entry, filter.architecture, now)) continue
    wanted.push({ id: entry.allocationId, key, position: index + 1 })
  }
  const shown = wanted.slice(0, page.limit)
  const ids = shown.map(({ id }) => id)
  const rows = await waitingByIds(app.database.queries, ids)
  const earlier = await earlierOf(app, ids)
  const items = shown.flatMap(({ id, position }) => {
    const row = rows.get(id)
    return row === undefined ? [] : [itemOf(row, position, earlier.get(id) ?? [])] // it started between the two reads
  })
  const last = wanted.length > page.limit ? shown.at(-1) : undefined
  return { items, next: last === undefined ? null : servingKeyText(last.key) }
}

interface InLine {
  readonly id: string
  readonly key: Served
  readonly position: number
}

/** Whether some cluster of the architecture has all that is required: a request may name none, and mean one all the same. */
function mayRunOn(
  calendar: Calendar,
  { request }: WaitingEntry,
  architecture: string | undefined,
  now: EpochMs,
): boolean {
  if (architecture === undefined) return true
  const from = Math.max(now, askedStartOf(request.period))
  return clustersIn(calendar).some(
    (cluster) => cluster.architecture === architecture && factsAllow(questionOf(cluster, request, from)),
  )
}

/** Nobody waits *at* a provider, so a caller bound to one sees none of those waiting. */
const maySee = (caller: Caller, entry: WaitingEntry): boolean =>
  caller.providerId === null && (caller.organizationId === null || caller.organizationId === entry.organizationId)

const itemOf = (row: ShownAllocation, position: number, earlier: readonly EarlierStart[]): WaitlistItem => ({
  allocationId: row.id,
  position,
  priority: row.priority,
  nodes: row.desiredNodes,
  since: toIso(row.waitingSince ?? row.createdAt),
  estimatedStart: toIsoOrNull(row.estimatedStartAt),
  estimatedClusterId: row.estimatedClusterId,
  promisedStart: toIsoOrNull(row.promisedStartAt),
  reason: row.waitingReason ?? '',
  earlier: earlier.map(earlierView),
})
