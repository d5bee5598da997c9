/**
 * Three baselines that keep one queue in the order of submission and start from it, without a promise to anybody.
 * `fcfs`: strictly in order. `any-fit`: whatever fits now, in order. `easy`: in order; the first who does not fit keeps the
 * earliest place that it can have, and whoever comes after it starts now only where that place stays whole.
 */
import type { EpochMs } from '../../shared/time.ts'
import { bestSeat, endSeat, forgetPast, groundOf, leave, sit, type Ground } from './baseline.ts'
import type { Scheduler, SchedulerFactory, Start } from './scheduler.ts'
import type { SimRequest } from './workload.ts'

/** @returns those of the queue that start now; they sit when it returns */
type Serve = (ground: Ground, queue: readonly SimRequest[], now: EpochMs) => readonly Start[]

export const fcfs: SchedulerFactory = (fleet) => queueOf(groundOf(fleet), headOf)

export const anyFit: SchedulerFactory = (fleet) => queueOf(groundOf(fleet), fittingOf)

export const easy: SchedulerFactory = (fleet) => queueOf(groundOf(fleet), backfilled)

function queueOf(ground: Ground, serve: Serve): Scheduler {
  let queue: readonly SimRequest[] = []
  return {
    submitted(request) {
      queue = [...queue, request]
    },
    ended: (request, now) => void endSeat(ground, request, now),
    givenBack: (request) => void leave(ground, request),
    turn(now) {
      forgetPast(ground, now)
      const starts = serve(ground, queue, now)
      const started = new Set(starts.map(({ request }) => request))
      if (starts.length > 0) queue = queue.filter((request) => !started.has(request))
      return starts
    },
    nextTurnAt: () => null,
    waitingCount: () => queue.length,
  }
}

/** Null when it cannot start at this very instant. */
function startNow(ground: Ground, request: SimRequest, now: EpochMs): Start | null {
  const seat = bestSeat(ground, request, { from: now, before: now + 1 })
  if (seat === null) return null
  sit(ground, request, seat)
  return { request, clusterId: seat.site.cluster.id, promisedStart: null }
}

function headOf(ground: Ground, queue: readonly SimRequest[], now: EpochMs): Start[] {
  const starts: Start[] = []
  for (const request of queue) {
    const start = startNow(ground, request, now)
    if (start === null) break
    starts.push(start)
  }
  return starts
}

const fittingOf: Serve = (ground, queue, now) =>
  queue.map((request) => startNow(ground, request, now)).filter((start) => start !== null)

function backfilled(ground: Ground, queue: readonly SimRequest[], now: EpochMs): readonly Start[] {
  const inOrder = headOf(ground, queue, now)
  const [head, ...others] = queue.slice(inOrder.length)
  if (head === undefined) return inOrder
  const place = bestSeat(ground, head, { from: now, before: Number.POSITIVE_INFINITY })
  if (place === null) return [...inOrder, ...fittingOf(ground, others, now)]
  sit(ground, head, place)
  const between = fittingOf(ground, others, now)
  leave(ground, head)
  return [...inOrder, ...between]
}
