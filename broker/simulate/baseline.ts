/** What the baselines share: clusters with their profiles, who holds which nodes, and best-fit placement. */
import type { EpochMs } from '../../shared/time.ts'
import type { Cluster } from '../core/cluster.ts'
import { clustersFor, placementRequestOf, type Fleet } from './fleet.ts'
import { earliestStart, forgetBefore, leastFree, profileOf, take, type Profile } from './profile.ts'
import type { SimRequest } from './workload.ts'

export interface Site {
  readonly cluster: Cluster
  readonly profile: Profile
}

/** Nodes of one site in `[start, heldUntil)`. */
export interface Seat {
  readonly site: Site
  readonly start: EpochMs
  readonly heldUntil: EpochMs
}

export interface Ground {
  readonly sites: readonly Site[]
  /** By request id: what runs, or is reserved. */
  readonly seats: Map<string, Seat>
  /** The sites that may hold it at all, by cluster id. */
  sitesFor(request: SimRequest): readonly Site[]
}

export function groundOf(fleet: Fleet): Ground {
  const sites = fleet.clusters.map((cluster) => ({ cluster, profile: profileOf(cluster.phases) }))
  const known = new Map<string, readonly Site[]>()
  return {
    sites,
    seats: new Map(),
    sitesFor(request) {
      const key = `${request.architecture} ${request.nodes}`
      const before = known.get(key)
      if (before !== undefined) return before
      const asked = placementRequestOf({ ...request, durationMs: request.grantedMs })
      const clusters = clustersFor(fleet, asked, request.submittedAt)
      const found = sites.filter(({ cluster }) => clusters.includes(cluster))
      known.set(key, found)
      return found
    },
  }
}

export function forgetPast({ sites }: Ground, now: EpochMs): void {
  for (const { profile } of sites) forgetBefore(profile, now)
}

/** What one request would hold at a site from `start` on, its turnover included. */
export const seatAt = (site: Site, request: SimRequest, start: EpochMs): Seat => ({
  site,
  start,
  heldUntil: start + request.grantedMs + site.cluster.turnoverMs,
})

/**
 * The earliest seat that begins before `before`; of several alike the one that leaves the fewest nodes over, then the
 * first by cluster id. Null when there is none.
 */
export function bestSeat(
  ground: Ground,
  request: SimRequest,
  { from, before }: { readonly from: EpochMs; readonly before: EpochMs },
): Seat | null {
  let best: Seat | null = null
  let fewestLeft = Number.POSITIVE_INFINITY
  for (const site of ground.sitesFor(request)) {
    const lengthMs = request.grantedMs + site.cluster.turnoverMs
    // One that starts as early as the best so far is of use too.
    const limit = best === null ? before : best.start + 1
    const start = earliestStart(site.profile, { from, before: limit, lengthMs, nodes: request.nodes })
    if (start === null) continue
    const seat = seatAt(site, request, start)
    const left = leastFree(site.profile, { start, end: seat.heldUntil }) - request.nodes
    if (best !== null && start === best.start && left >= fewestLeft) continue
    best = seat
    fewestLeft = left
  }
  return best
}

export function sit({ seats }: Ground, request: SimRequest, seat: Seat): void {
  seats.set(request.id, seat)
  take(seat.site.profile, { start: seat.start, end: seat.heldUntil }, request.nodes)
}

/** @returns the seat that it had; null where it had none */
export function leave({ seats }: Ground, request: SimRequest): Seat | null {
  const seat = seats.get(request.id)
  if (seat === undefined) return null
  seats.delete(request.id)
  take(seat.site.profile, { start: seat.start, end: seat.heldUntil }, -request.nodes)
  return seat
}

/** The use ends now: what is held beyond the turnover becomes free. @returns whether anything did */
export function endSeat(ground: Ground, request: SimRequest, now: EpochMs): boolean {
  const seat = leave(ground, request)
  if (seat === null) return false
  const heldUntil = Math.min(seat.heldUntil, now + seat.site.cluster.turnoverMs)
  sit(ground, request, { ...seat, heldUntil })
  return heldUntil < seat.heldUntil
}
