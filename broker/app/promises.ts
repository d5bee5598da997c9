/**
 * Promises and their slips (invariant 6). Whoever takes a place away notes what it was; the next plan shows whether the
 * promise holds all the same. If not, it is made later and an event tells why, in the transaction that holds that plan.
 */
import type { Displacement } from '../../shared/promise.ts'
import { type EpochMs, toIso, toIsoOrNull } from '../../shared/time.ts'
import type { Reservation, WaitingEntry } from '../core/calendar-op.ts'
import { openUntil, reservationOf, reservationsOn, waiting, waitingEntryOf } from '../core/calendar-reads.ts'
import type { PlacementRequest } from '../core/placement/request.ts'
import { promiseGiven } from '../core/promise.ts'
import { isStillGood } from '../core/replan-entry.ts'
import { waitingReason } from '../core/waiting-reason.ts'
import type { AllocationRow } from '../store/changes.ts'
import type { Draft } from './draft.ts'
import type { PlanAside } from './plan-aside.ts'

/** Of a slip that nothing is noted for: a bug, which the metric of the same name shows. */
const UNEXPLAINED = { cause: 'unexplained', causeId: null } as const

type Promised = Pick<AllocationRow, 'promisedStartAt' | 'displacedBy'>

/** Idle-use gives way to whoever comes: it holds no place, and is told when it may start, not when it will at the latest. */
const NOTHING_PROMISED: Promised = { promisedStartAt: null, displacedBy: null }

interface NewPlan {
  readonly request: PlacementRequest
  readonly plannedStart: EpochMs | null
}

/** What the row is promised with this plan: the first promise, the one that it has, or a later one with its event. */
export function promiseWith(draft: Draft, row: AllocationRow, { request, plannedStart }: NewPlan): Promised {
  const { now, policy } = draft
  const before = row.promisedStartAt
  const promised = promiseGiven({ request, plannedStart, promisedStart: before, now, policy })
  const given = { promisedStartAt: promised, displacedBy: null }
  if (before === null || promised === null || promised === before) return given
  draft.event({
    type: 'allocation.promise-slipped',
    subject: `allocations/${row.id}`,
    allocation: row,
    data: {
      allocationId: row.id,
      ...(row.displacedBy ?? UNEXPLAINED),
      promisedStart: toIso(promised),
      previousPromisedStart: toIso(before),
      estimatedStart: toIsoOrNull(plannedStart),
    },
  })
  return given
}

/** Notes what took the places of those who wait for this cluster; `slipPromises` says what it means for them. */
export function displaceFrom(draft: Draft, clusterId: string, by: Displacement): void {
  for (const { phase, allocationId } of reservationsOn(draft.calendar, clusterId)) {
    const row = phase === 'planned' ? draft.allocation(allocationId) : null
    if (row !== null) draft.save({ ...row, displacedBy: by })
  }
}

/** To be called once they have been planned again: holds their promises against the plan that there is now. */
export function slipPromises(draft: Draft, allocationIds: Iterable<string>): void {
  for (const id of allocationIds) {
    const row = draft.allocation(id)
    const entry = waitingEntryOf(draft.calendar, id)
    // Idle-use has no place while it waits, and no promise.
    if (row?.status === 'waitlisted' && row.priority !== 'idle' && entry !== null) holdAgainstPlan(draft, row, entry)
  }
}

/**
 * Who waits without a place, or past what was promised: held against the plan each time, since time passes for them. Who has
 * lost a place since the plan was made is left to the next one.
 */
export function* brokenPromises(
  { seen, placeless }: Pick<PlanAside, 'seen' | 'placeless'>,
  now: EpochMs,
): Generator<undefined, string[]> {
  const found: string[] = []
  for (const { allocationId, priority, promisedStart } of waiting(seen)) {
    yield
    const place = reservationOf(seen, allocationId)
    if (priority === 'idle' || isKept(place, promisedStart, now)) continue
    if (place !== null || placeless.has(allocationId)) found.push(allocationId)
  }
  return found
}

const isKept = (place: Reservation | null, promisedStart: EpochMs | null, now: EpochMs): boolean =>
  place !== null && Math.max(place.start, now) <= (promisedStart ?? Number.POSITIVE_INFINITY)

function holdAgainstPlan(draft: Draft, row: AllocationRow, entry: WaitingEntry): void {
  const place = reservationOf(draft.calendar, row.id)
  const kept = place !== null && isKept(place, row.promisedStartAt, draft.now)
  if (kept && row.displacedBy === null) return
  // What has come in its way since the plan was made is still to be answered for, by the next one.
  if (kept && !isStillGood({ scratch: draft.calendar, entry, now: draft.now }, place)) return
  // One whose time has come, and that cannot begin, is held up by the operator that does not answer.
  const circuitUntil = kept || place === null ? null : circuitAt(draft, place.clusterId)
  const blamed = row.displacedBy === null && circuitUntil !== null ? { ...row, displacedBy: circuitUntil.by } : row
  const plannedStart = place === null ? null : Math.max(place.start, circuitUntil?.at ?? draft.now)
  const { request } = entry
  const promised =
    row.promisedStartAt === null ? NOTHING_PROMISED : promiseWith(draft, blamed, { request, plannedStart })
  const reason = place === null ? waitingReason(draft.calendar, { request, place }, draft.now, draft.policy) : null
  if (promised.promisedStartAt !== entry.promisedStart) {
    draft.apply({ op: 'wait', entry: { ...entry, promisedStart: promised.promisedStartAt } })
  }
  const waits = reason === null ? {} : { estimatedStartAt: null, estimatedClusterId: null, waitingReason: reason }
  const next = { ...row, ...promised, ...waits }
  const changed = (Object.keys(next) as (keyof AllocationRow)[]).some((name) => next[name] !== row[name])
  if (changed) draft.save({ ...next, updatedAt: draft.now })
}

function circuitAt(draft: Draft, clusterId: string): { readonly at: EpochMs; readonly by: Displacement } | null {
  const providerId = draft.calendar.clusters.get(clusterId)?.cluster.providerId
  const at = providerId === undefined ? null : openUntil(draft.calendar, providerId, draft.now)
  return at === null || providerId === undefined ? null : { at, by: { cause: 'fault', causeId: providerId } }
}
