/** The programme's five clusters, as full as they get: reservations placed by the broker's own decisions, years ahead. */
import { readFileSync } from 'node:fs'
import { applyOp, emptyCalendar, type Calendar } from '../../broker/core/calendar.ts'
import type { CalendarOp, Reservation, WaitingEntry } from '../../broker/core/calendar-op.ts'
import { waitingEntryOf } from '../../broker/core/calendar-reads.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import type { Place } from '../../broker/core/placement/candidate.ts'
import { place } from '../../broker/core/placement/place.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import type { PlacementRequest } from '../../broker/core/placement/request.ts'
import { opsOfChange } from '../../broker/core/plan-change.ts'
import { replan } from '../../broker/core/replan.ts'
import { draw } from '../../broker/simulate/draw.ts'
import { fleetOf, placementRequestOf } from '../../broker/simulate/fleet.ts'
import { Inventory } from '../../shared/inventory.ts'
import { DAY_MS, HOUR_MS, type EpochMs } from '../../shared/time.ts'

const inventory = Inventory.parse(
  JSON.parse(readFileSync(new URL('../../deploy/inventory.json', import.meta.url), 'utf8')),
)

/** Some minutes past the hour, as it mostly is. */
export const NOW: EpochMs = Date.parse('2027-01-04T10:17:23Z')
const SEED = 11
const SIZES = [1, 1, 1, 2, 2, 4, 4, 8, 16, 32] as const
const MOST_DAYS = 14

/** Requests of all sizes and lengths, one in five for Hopper; the same for the same index. */
export function requestAt(index: number, submittedAt: EpochMs): PlacementRequest {
  const [size, length] = [draw(SEED, 'organization', index), draw(SEED + 1, 'organization', index)]
  return placementRequestOf({
    nodes: SIZES[Math.floor(size * SIZES.length)] ?? 1,
    architecture: draw(SEED, 'architecture', index) < 0.2 ? 'hopper' : 'blackwell',
    durationMs: Math.ceil(length * MOST_DAYS * 24) * HOUR_MS,
    submittedAt,
  })
}

/** Asked to start any time in the next two years. */
export const laterRequestAt = (index: number, now: EpochMs = NOW): PlacementRequest =>
  requestAt(index, now + Math.floor(draw(SEED + 2, 'organization', index) * 730) * DAY_MS)

/** As ids are: so that what is decided here can be written down in a store. */
export const idOf = (index: number): string => {
  const letters = index.toString(26).replaceAll(/./g, (digit) => String.fromCharCode(97 + Number.parseInt(digit, 26)))
  return `alc_${letters.padStart(16, 'a')}`
}

export function reserveAt(index: number, found: Place): CalendarOp {
  const { clusterId, nodes, start, end, heldUntil } = found
  const reservation: Reservation = {
    allocationId: idOf(index),
    approvalId: `apr-${index % 100}`,
    organizationId: 'org',
    clusterId,
    nodes,
    start,
    end,
    heldUntil,
    phase: 'scheduled',
    priority: 'standard',
    order: index,
  }
  return { op: 'reserve', reservation }
}

/** @returns a calendar with so many live reservations */
export function calendarWith(
  live: number,
  { now = NOW, clusters = fleetOf(inventory).clusters }: { now?: EpochMs; clusters?: readonly Cluster[] } = {},
): Calendar {
  const calendar = emptyCalendar(clusters, now)
  for (let index = 0; index < live; index += 1) {
    const { best } = place(calendar, laterRequestAt(index, now), now, DEFAULT_POLICY)
    if (best === null) throw new Error('there is room for all that are asked for')
    applyOp(calendar, reserveAt(index, best))
  }
  return calendar
}

/** Takes one more in line, with the place that it is given. */
function putInLine(calendar: Calendar, index: number, now: EpochMs): void {
  const request = requestAt(index, now)
  const { best } = place(calendar, request, now, DEFAULT_POLICY)
  const entry: WaitingEntry = {
    allocationId: idOf(index),
    approvalId: `apr-${index % 100}`,
    organizationId: 'org',
    priority: 'standard',
    since: now - DAY_MS,
    order: index,
    request,
    promisedStart: best?.start ?? null,
  }
  applyOp(calendar, { op: 'wait', entry })
  if (best === null) return
  const { clusterId, nodes, start, end, heldUntil } = best
  const { approvalId, organizationId, priority, order, allocationId } = entry
  applyOp(calendar, {
    op: 'reserve',
    reservation: {
      ...{ allocationId, approvalId, organizationId, priority, order },
      ...{ clusterId, nodes, start, end, heldUntil, phase: 'planned' },
    },
  })
}

const MOST_ROUNDS = 50

/**
 * So many wait, and nobody of them can be given anything better: what a waitlist looks like between two events.
 *
 * @param from index of the first to be taken in line
 * @returns index of the next
 */
export function fillLine(calendar: Calendar, wanted: number, { from, now }: { from: number; now: EpochMs }): number {
  let asked = from
  for (let round = 0; round < MOST_ROUNDS && calendar.waiting.size < wanted; round += 1) {
    for (; calendar.waiting.size < wanted; asked += 1) putInLine(calendar, asked, now)
    // Settling starts some of those who wait: others take their place in line.
    settle(calendar, now)
  }
  return asked
}

function settle(calendar: Calendar, now: EpochMs): void {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const { changes } = replan(calendar, { now, policy: DEFAULT_POLICY, seed: 1 })
    for (const change of changes) {
      const entry = waitingEntryOf(calendar, change.allocationId)
      if (entry !== null) for (const op of opsOfChange(entry, change)) applyOp(calendar, op)
    }
    if (changes.length === 0) return
  }
  throw new Error('somebody always gains')
}
