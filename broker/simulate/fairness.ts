/**
 * Whether somebody pays for others: for each organisation the mean time from submission to the end of its use when it
 * shares the fleet, divided by the same when it has the whole fleet to itself. 1: the others cost it nothing.
 */
import { finished } from '../core/steps.ts'
import type { Fleet } from './fleet.ts'
import { meanOf } from './figures.ts'
import type { Run } from './machine.ts'
import { replay } from './replay.ts'
import type { PolicyName, SchedulerFactory } from './scheduler.ts'
import type { PolicyResult, Progress } from './simulate.ts'

export interface Fairness {
  readonly organizationId: string
  readonly requests: number
  readonly sharedOverAlone: number
}

export type FairnessByPolicy = Readonly<Record<PolicyName, readonly Fairness[]>>

/** By organisation, for each policy. Yields after each replay, so that whoever runs it can show how far it is, or leave. */
export function* fairnessByPolicy(
  results: readonly PolicyResult[],
  fleet: Fleet,
  schedulers: Readonly<Record<PolicyName, SchedulerFactory>>,
): Generator<Progress, FairnessByPolicy> {
  const found: Record<PolicyName, readonly Fairness[]> = {
    broker: [],
    fcfs: [],
    'any-fit': [],
    easy: [],
    conservative: [],
  }
  for (const { figures, runs } of results) {
    const ids = [...new Set(runs.map(({ request }) => request.organizationId))].toSorted()
    const own: Fairness[] = []
    for (const organizationId of ids) {
      own.push(fairnessOf(runs, organizationId, { fleet, scheduler: schedulers[figures.name] }))
      yield { part: `${figures.name}, each organisation alone`, done: own.length, all: ids.length }
    }
    found[figures.name] = own
  }
  return found
}

function fairnessOf(
  runs: readonly Run[],
  organizationId: string,
  { fleet, scheduler }: { readonly fleet: Fleet; readonly scheduler: SchedulerFactory },
): Fairness {
  const shared = runs.filter(({ request }) => request.organizationId === organizationId)
  const requests = shared.map(({ request }) => request).toSorted((a, b) => a.order - b.order)
  const alone = finished(replay(requests, fleet, scheduler))
  const sharedOverAlone = meanOf(shared.map(turnaroundMs)) / meanOf(alone.map(turnaroundMs))
  return { organizationId, requests: requests.length, sharedOverAlone }
}

const turnaroundMs = ({ request, endedAt }: Run): number => endedAt - request.submittedAt
