/** All policies against one workload, and what they come to. */
import type { Policy } from '../core/placement/policy.ts'
import { brokerWith } from './broker-policy.ts'
import { conservative } from './conservative.ts'
import { figuresOf, type Figures } from './figures.ts'
import type { Fleet } from './fleet.ts'
import type { Run } from './machine.ts'
import { anyFit, easy, fcfs } from './queues.ts'
import { replay } from './replay.ts'
import { POLICY_NAMES, type PolicyName, type SchedulerFactory } from './scheduler.ts'
import type { SimRequest } from './workload.ts'

export interface Progress {
  /** What is being done, in words. */
  readonly part: string
  readonly done: number
  readonly all: number
}

export interface PolicyResult {
  readonly figures: Figures
  readonly runs: readonly Run[]
}

/** By the broker's policy the one, as they are known the others. */
export const schedulersWith = (policy: Policy): Readonly<Record<PolicyName, SchedulerFactory>> => ({
  broker: brokerWith(policy),
  fcfs,
  'any-fit': anyFit,
  easy,
  conservative,
})

/** Yields after each start, so that whoever runs it can show how far it is, or leave. */
export function* simulate(
  requests: readonly SimRequest[],
  fleet: Fleet,
  policy: Policy,
): Generator<Progress, readonly PolicyResult[]> {
  const schedulers = schedulersWith(policy)
  const results: PolicyResult[] = []
  for (const name of POLICY_NAMES) {
    const runs = yield* withName(name, replay(requests, fleet, schedulers[name]), requests.length)
    results.push({ figures: figuresOf(name, runs, fleet), runs })
  }
  return results
}

function* withName(
  part: PolicyName,
  steps: Generator<number, readonly Run[]>,
  all: number,
): Generator<Progress, readonly Run[]> {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    yield { part, done: step.value, all }
  }
}
