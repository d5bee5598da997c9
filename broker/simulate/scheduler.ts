/** What the replay asks of a policy, the broker's own or a baseline. A policy is told of events and answers with starts. */
import type { EpochMs } from '../../shared/time.ts'
import type { Fleet } from './fleet.ts'
import type { SimRequest } from './workload.ts'

export const POLICY_NAMES = ['broker', 'fcfs', 'any-fit', 'easy', 'conservative'] as const
export type PolicyName = (typeof POLICY_NAMES)[number]

export interface Start {
  readonly request: SimRequest
  readonly clusterId: string
  /** The latest start that was promised when it was submitted; null: nobody promised any. */
  readonly promisedStart: EpochMs | null
}

/**
 * No call comes with an instant before that of an earlier call. At one instant nodes are given back first, then requests
 * come, then one turn is taken.
 */
export interface Scheduler {
  submitted(request: SimRequest, now: EpochMs): void
  /** Its use is over, at its end or before. Its nodes stay held for the turnover of their cluster. */
  ended(request: SimRequest, now: EpochMs): void
  /** The turnover is over too. */
  givenBack(request: SimRequest, now: EpochMs): void
  /** What starts now. */
  turn(now: EpochMs): readonly Start[]
  /** When it wants a turn though nothing happens; null: never. */
  nextTurnAt(): EpochMs | null
  /** How many wait. */
  waitingCount(): number
}

export type SchedulerFactory = (fleet: Fleet, startAt: EpochMs) => Scheduler
