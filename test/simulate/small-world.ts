/** Fleets of a few nodes, requests by the hour, and a replay that is run to its end. */
import type { Fleet } from '../../broker/simulate/fleet.ts'
import type { Run } from '../../broker/simulate/machine.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import { DEFAULT_POLICY } from '../../broker/core/placement/policy.ts'
import { replay } from '../../broker/simulate/replay.ts'
import type { PolicyName } from '../../broker/simulate/scheduler.ts'
import { schedulersWith } from '../../broker/simulate/simulate.ts'
import type { SimRequest } from '../../broker/simulate/workload.ts'
import { HOUR_MS, type EpochMs } from '../../shared/time.ts'
import { aCluster } from '../core/fleet.ts'

/** A full hour, after the first phase of `aCluster`. */
export const T0: EpochMs = Date.parse('2027-01-04T00:00:00Z')

/** One cluster of ten nodes without turnover, unless said otherwise. */
export function aFleet(clusters: readonly Cluster[] = [aCluster({ nodes: 10, turnoverMs: 0 })]): Fleet {
  const names = [...new Set(clusters.map(({ architecture }) => architecture))]
  return {
    clusters,
    nodes: clusters.reduce((sum, { nodes }) => sum + nodes, 0),
    architectures: names.map((name) => ({ name, weight: 1, largestNodes: 10 })),
    completeAt: T0,
  }
}

/** At hour `at`, so many nodes for so many hours, of which so many are used. */
export type Asked = readonly [at: number, nodes: number, hours: number, usedHours?: number]

export const requestsOf = (asked: readonly Asked[]): SimRequest[] =>
  asked.map(([at, nodes, hours, usedHours], order) => ({
    id: `r${order}`,
    order,
    submittedAt: T0 + at * HOUR_MS,
    nodes,
    architecture: 'blackwell',
    organizationId: `org-${order % 2}`,
    grantedMs: hours * HOUR_MS,
    usedMs: (usedHours ?? hours) * HOUR_MS,
  }))

export function finished<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

export const replayed = (name: PolicyName, requests: readonly SimRequest[], fleet: Fleet = aFleet()): readonly Run[] =>
  finished(replay(requests, fleet, schedulersWith(DEFAULT_POLICY)[name]))

/** Hours from `T0`, in the order of submission. */
export const startHours = (runs: readonly Run[]): number[] =>
  runs.toSorted((a, b) => a.request.order - b.request.order).map(({ startedAt }) => (startedAt - T0) / HOUR_MS)
