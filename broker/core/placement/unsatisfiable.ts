/** Whether any cluster, even empty and not suspended, could ever serve a request: what can never be served does not wait. */
import type { Reason } from '../../../shared/decision.ts'
import { type EpochMs, type Interval, toIso } from '../../../shared/time.ts'
import { phaseAt, type Cluster } from '../cluster.ts'
import { largestShare } from '../concentration.ts'
import { nodesText } from '../words.ts'
import { questionOf, reasonsOfFact, type Question } from './feasible.ts'
import type { PlacementRequest } from './request.ts'
import { clusterWindow, windowOfAsk, type ClusterWindow } from './window.ts'

export interface NeverServed {
  readonly clusterId: string
  readonly reasons: readonly Reason[]
}

/** Null when some cluster could; else every cluster with why not. Drains, suspensions, circuits and load are left out. */
export function unsatisfiable(
  clusters: readonly Cluster[],
  request: PlacementRequest,
  now: EpochMs,
): readonly NeverServed[] | null {
  const refusals: NeverServed[] = []
  for (const cluster of clusters) {
    const reasons = reasonsAgainst(cluster, request, now, clusters)
    if (reasons.length === 0) return null
    refusals.push({ clusterId: cluster.id, reasons })
  }
  return refusals
}

function reasonsAgainst(
  cluster: Cluster,
  request: PlacementRequest,
  now: EpochMs,
  clusters: readonly Cluster[],
): Reason[] {
  const window = windowOfAsk(request.period, now)
  const question = questionOf(cluster, request, window.from)
  const reasons = reasonsOfFact(question)
  if (reasons.length > 0) return reasons
  const most = request.priority === 'idle' ? null : largestShare(clusters, cluster, now)
  if (most !== null && question.nodes > most) return [overShare(question, most)]

  const limits = clusterWindow(cluster, request, window, { now, openUntil: null })
  const starts = [
    limits.laterFrom,
    ...cluster.phases.map((phase) => phase.from).filter((from) => from > limits.laterFrom),
  ]
  const heldMs = window.durationMs + cluster.turnoverMs
  const fitsLater = starts.some(
    (start) => start <= limits.lastStart && leastCapacity(cluster, { start, end: start + heldMs }) >= question.nodes,
  )
  const asAsked = { start: window.from, end: window.endAtFrom + cluster.turnoverMs }
  if (fitsLater || (limits.fromIsOpen && leastCapacity(cluster, asAsked) >= question.nodes)) return []
  return [noRoomInTime(question, limits)]
}

function overShare({ cluster, nodes }: Question, most: number): Reason {
  const detail = `${nodesText(nodes)} would be more than the ${most} of ${cluster.architecture} that one organisation may ever hold at once.`
  return { rule: 'approval-window', wanted: nodes, found: most, detail }
}

/** The least that the phases give within the interval. */
function leastCapacity({ phases }: Cluster, interval: Interval): number {
  const later = phases.filter((phase) => phase.from > interval.start && phase.from < interval.end)
  return later.reduce((least, phase) => Math.min(least, phase.nodes), phaseAt(phases, interval.start)?.nodes ?? 0)
}

function noRoomInTime({ cluster, nodes, from }: Question, { lastStart, lastStartRule }: ClusterWindow): Reason {
  const lastLook = Math.max(from, lastStart)
  const found = phaseAt(cluster.phases, lastLook)?.nodes ?? 0
  if (found < nodes) {
    const detail = `${cluster.id} has ${nodesText(found)} up to ${toIso(lastLook)}, not ${nodes}.`
    return { rule: 'free-nodes', wanted: nodes, found, detail }
  }
  const detail = `${cluster.id} has no start from ${toIso(from)} on that leaves room for the whole period.`
  return { rule: lastStartRule, wanted: toIso(from), found: toIso(lastStart), detail }
}
