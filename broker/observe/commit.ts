/** What is counted of each commit: who was in it, what was decided, and how late or early what had been told came true. */
import { EVENT_PREFIX, type EventType } from '../../shared/event.ts'
import { SLIP_CAUSES } from '../../shared/promise.ts'
import { SECOND_MS } from '../../shared/time.ts'
import type { Commit, HowDecided } from '../app/run-groups.ts'
import type { Metrics } from '../metrics.ts'
import type { AllocationRow, Changes, EventRow } from '../store/changes.ts'

const typed = (type: EventType): string => `${EVENT_PREFIX}${type}`

const HOW_DECIDED: Readonly<Record<HowDecided, true>> = { locked: true, ahead: true, again: true }

export function observeCommit(metrics: Metrics): (commit: Commit) => void {
  // What has not happened yet reads as 0 and not as missing, so that an alert can tell the two apart.
  for (const how of Object.keys(HOW_DECIDED)) metrics.groups.inc({ decided: how }, 0)
  for (const cause of [...SLIP_CAUSES, 'unexplained']) metrics.promisesSlipped.inc({ cause }, 0)
  return ({ members, how, seconds, lockSeconds, decided, replays, traceId, changes }) => {
    metrics.groupMembers.observe(members)
    metrics.groups.inc({ decided: how })
    metrics.commitSeconds.observe({}, seconds, traceId)
    metrics.lockWaitSeconds.observe(lockSeconds)
    metrics.idempotentReplays.inc(replays)
    for (const one of decided) metrics.decisionSeconds.observe({ kind: one.kind }, one.seconds, one.traceId)
    for (const decision of changes.decisions) {
      const { clusterId } = decision.outcome as { readonly clusterId?: string }
      metrics.decisions.inc({ kind: decision.kind, cluster: clusterId ?? 'none' })
    }
    for (const event of changes.events) OBSERVERS.get(event.type)?.(metrics, event, changes)
  }
}

type Observer = (metrics: Metrics, event: EventRow, changes: Changes) => void

/** Of an event that an allocation's row came with, as the group left it. */
const ofRow =
  (observe: (metrics: Metrics, event: EventRow, row: AllocationRow) => void): Observer =>
  (metrics, event, changes) => {
    const row = changes.allocations.get(event.allocationId ?? '')
    if (row !== undefined) observe(metrics, event, row)
  }

const seconds = (ms: number): number => ms / SECOND_MS

const started = ofRow((metrics, { at }, { toldStartAt, createdAt }) => {
  if (toldStartAt === null || toldStartAt <= createdAt) return // it was to start at once
  metrics.estimateErrorSeconds.observe(seconds(at - toldStartAt))
})

const active = ofRow((metrics, { at }, { startAt, providerId }) => {
  if (startAt === null) return
  metrics.startToActiveSeconds.observe({ provider: providerId ?? 'none' }, seconds(at - startAt))
})

const gone = ofRow((metrics, { at }, { endAt, groupCounter, providerId }) => {
  if (endAt === null || at < endAt || groupCounter === 0) return // nothing of it was ever built
  metrics.releaseConfirmSeconds.observe({ provider: providerId ?? 'none' }, seconds(at - endAt))
})

const OBSERVERS: ReadonlyMap<string, Observer> = new Map([
  [typed('allocation.provisioning'), started],
  [typed('allocation.active'), active],
  [typed('allocation.released'), gone],
  [typed('allocation.cancelled'), gone],
  [
    typed('allocation.promise-slipped'),
    (metrics, { data }) => metrics.promisesSlipped.inc({ cause: (data as { readonly cause: string }).cause }),
  ],
])
