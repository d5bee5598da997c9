/** Instances of planning: who waits for which clusters, what is held there for how long, and the best plan, proven. */
import { z } from 'zod'
import { applyOp, emptyCalendar, type Calendar } from '../../broker/core/calendar.ts'
import type { WaitingEntry } from '../../broker/core/calendar-op.ts'
import { DEFAULT_POLICY, type Policy } from '../../broker/core/placement/policy.ts'
import { replan } from '../../broker/core/replan.ts'
import { HOUR_MS, type EpochMs } from '../../shared/time.ts'
import { aCluster, aRequest, flexible } from '../core/fleet.ts'

const count = z.int().min(0)

/** One slot is an hour; nothing is said in smaller units. */
export const Instance = z.strictObject({
  name: z.string(),
  clusters: z.array(z.strictObject({ id: z.string(), architecture: z.string(), nodes: count })),
  /** What runs already: nodes of a cluster until a slot. */
  held: z.array(z.strictObject({ cluster: z.string(), nodes: count, until: count })),
  /** All wait since slot 0, in serving order. */
  requests: z.array(z.strictObject({ architecture: z.string(), nodes: count, slots: z.int().min(1) })),
  /** A slot that a request of so many nodes or more waits counts so often; of all others once. */
  big: z.strictObject({ nodes: count, weight: z.int().min(1) }),
})
export type Instance = z.infer<typeof Instance>

/** Where each request starts, in their order. */
export const Starts = z.array(z.strictObject({ cluster: z.string(), slot: count }))
export type Starts = z.infer<typeof Starts>

export const Proven = z.strictObject({ instance: Instance, cost: count, starts: Starts })
export type Proven = z.infer<typeof Proven>

export const weightOf = ({ big }: Instance, nodes: number): number => (nodes >= big.nodes ? big.weight : 1)

export const costOf = (instance: Instance, starts: Starts): number =>
  starts.reduce((sum, { slot }, at) => sum + weightOf(instance, instance.requests[at]?.nodes ?? 0) * slot, 0)

/** Nodes beyond what a cluster has, at the worst slot of all; 0 for a plan that can be carried out. */
export function excessOf({ clusters, held, requests }: Instance, starts: Starts): number {
  let worst = 0
  for (const { id, nodes } of clusters) {
    const taken = [
      ...held.flatMap(({ cluster, ...what }) => (cluster === id ? [{ ...what, from: 0 }] : [])),
      ...starts.flatMap(({ cluster, slot }, at) => {
        const request = requests[at]
        if (cluster !== id || request === undefined) return []
        return [{ nodes: request.nodes, from: slot, until: slot + request.slots }]
      }),
    ]
    for (const { from: slot } of taken) {
      const sum = taken.reduce((all, one) => all + (one.from <= slot && slot < one.until ? one.nodes : 0), 0)
      worst = Math.max(worst, sum - nodes)
    }
  }
  return worst
}

const T0: EpochMs = Date.parse('2027-01-04T00:00:00Z')

/** The plan of the broker for all of them at once, none of whom has a place yet. It weighs as the instance does. */
export function plannedByBroker(instance: Instance, by: Policy = DEFAULT_POLICY): Starts {
  const { calendar, entries } = waitlistOf(instance)
  const { nodes: bigNodes, weight: bigWeight } = instance.big
  const policy = { ...by, search: by.search && { ...by.search, bigNodes, bigWeight } }
  const { changes } = replan(calendar, { now: T0, policy, seed: 1 })
  const changed = new Map(changes.map(({ allocationId, placement }) => [allocationId, placement]))
  return entries.map(({ allocationId }) => {
    const planned = changed.get(allocationId)
    if (planned === undefined || planned === null) throw new Error('everybody has a place')
    return { cluster: planned.clusterId, slot: (planned.start - T0) / HOUR_MS }
  })
}

function waitlistOf({ clusters, held, requests }: Instance): { calendar: Calendar; entries: readonly WaitingEntry[] } {
  const calendar = emptyCalendar(
    clusters.map((cluster) => aCluster({ ...cluster, turnoverMs: 0 })),
    T0,
  )
  const ids = { approvalId: 'apr', organizationId: 'org', priority: 'standard' } as const
  for (const [at, { cluster: clusterId, nodes, until }] of held.entries()) {
    const end = T0 + until * HOUR_MS
    const times = { start: T0 - HOUR_MS, end, heldUntil: end }
    const reservation = { ...ids, ...times, allocationId: `held-${at}`, clusterId, nodes, order: at }
    applyOp(calendar, { op: 'reserve', reservation: { ...reservation, phase: 'running' } })
  }
  const entries = requests.map(({ architecture, nodes, slots }, at): WaitingEntry => {
    const requires = { architectures: [architecture], shares: ['government' as const] }
    const request = aRequest({ demand: { nodes }, requires, period: flexible(slots, T0) })
    return { ...ids, allocationId: `alc-${at}`, since: T0, order: held.length + at, request, promisedStart: null }
  })
  for (const entry of entries) applyOp(calendar, { op: 'wait', entry })
  return { calendar, entries }
}
