/**
 * One policy against one workload, on a clock that jumps from event to event. It is also the referee: it keeps its own
 * count of who holds what, and a policy that cheats fails the replay instead of looking good.
 */
import type { EpochMs } from '../../shared/time.ts'
import type { Fleet } from './fleet.ts'
import { machineOf, type Machine, type Run } from './machine.ts'
import type { Scheduler, SchedulerFactory } from './scheduler.ts'
import type { SimRequest } from './workload.ts'

/**
 * Yields how many requests have started, each time that one has; returns the runs in the order of their starts.
 *
 * @param requests in the order of submission
 * @throws RangeError when the policy starts what it may not, or leaves somebody waiting for ever
 */
export function* replay(
  requests: readonly SimRequest[],
  fleet: Fleet,
  scheduler: SchedulerFactory,
): Generator<number, readonly Run[]> {
  const [first] = requests
  if (first === undefined) return []
  const machine = machineOf(fleet)
  const policy = scheduler(fleet, first.submittedAt)
  let submitted = 0
  let now = first.submittedAt
  while (now !== Number.POSITIVE_INFINITY) {
    for (const request of machine.endedUntil(now)) policy.ended(request, now)
    for (const request of machine.givenBackUntil(now)) policy.givenBack(request, now)
    for (let next = requests[submitted]; next !== undefined && next.submittedAt <= now; next = requests[submitted]) {
      policy.submitted(next, now)
      submitted += 1
    }
    for (const start of policy.turn(now)) {
      machine.begin(start, now)
      yield machine.runs.length
    }
    now = Math.min(requests[submitted]?.submittedAt ?? Number.POSITIVE_INFINITY, nextTurn(machine, policy, now))
  }
  if (machine.runs.length < requests.length)
    throw new RangeError(`${requests.length - machine.runs.length} of ${requests.length} requests never started`)
  return machine.runs
}

/** When there is something to do beside submissions; infinity when nothing is left. */
function nextTurn(machine: Machine, policy: Scheduler, now: EpochMs): EpochMs {
  const next = machine.nextAt()
  if (policy.waitingCount() === 0) return next
  const own = policy.nextTurnAt()
  // A turn that was asked for and not used is not asked for again at the same instant, or time would stand still.
  return Math.min(next, machine.nextPhaseAfter(now), own !== null && own > now ? own : Number.POSITIVE_INFINITY)
}
