/**
 * The conservative baseline: whoever comes is given the earliest place beside those that all others have, and is promised
 * its start. When one ends early, all who wait are asked in the order of submission whether they can start earlier; nobody
 * is ever moved later.
 */
import type { EpochMs } from '../../shared/time.ts'
import { bestSeat, endSeat, forgetPast, groundOf, leave, sit, type Ground } from './baseline.ts'
import type { Scheduler, SchedulerFactory, Start } from './scheduler.ts'
import type { SimRequest } from './workload.ts'

export const conservative: SchedulerFactory = (fleet) => conservativeOn(groundOf(fleet))

function conservativeOn(ground: Ground): Scheduler {
  const promises = new Map<SimRequest, EpochMs>()
  let hasFreed = false
  const startOf = (request: SimRequest): EpochMs => ground.seats.get(request.id)?.start ?? Number.POSITIVE_INFINITY
  return {
    submitted(request, now) {
      const seat = bestSeat(ground, request, { from: now, before: Number.POSITIVE_INFINITY })
      if (seat === null) throw new RangeError(`no cluster ever has room for ${request.id}`)
      sit(ground, request, seat)
      promises.set(request, seat.start)
    },
    ended(request, now) {
      hasFreed = endSeat(ground, request, now) || hasFreed
    },
    givenBack: (request) => void leave(ground, request),
    turn(now) {
      forgetPast(ground, now)
      if (hasFreed) for (const request of promises.keys()) moveEarlier(ground, request, now)
      hasFreed = false
      const starts: Start[] = []
      for (const [request, promisedStart] of promises) {
        const seat = ground.seats.get(request.id)
        if (seat === undefined || seat.start > now) continue
        promises.delete(request)
        starts.push({ request, clusterId: seat.site.cluster.id, promisedStart })
      }
      return starts
    },
    nextTurnAt() {
      let next = Number.POSITIVE_INFINITY
      for (const request of promises.keys()) next = Math.min(next, startOf(request))
      return Number.isFinite(next) ? next : null
    },
    waitingCount: () => promises.size,
  }
}

function moveEarlier(ground: Ground, request: SimRequest, now: EpochMs): void {
  const seat = leave(ground, request)
  if (seat === null) return
  sit(ground, request, bestSeat(ground, request, { from: now, before: seat.start }) ?? seat)
}
