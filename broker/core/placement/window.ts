/**
 * When a request may start: what was asked, and how limits that have nothing to do with load (the approval's validity, the horizon, a
 * stage, an open circuit) narrow it at one cluster. Whether nodes are free is not asked here.
 */
import { hourCeil, type EpochMs } from '../../../shared/time.ts'
import type { Cluster, Stage } from '../cluster.ts'
import { phaseAt } from '../cluster.ts'
import { horizonOf } from '../timeline.ts'
import { askedStartOf, avoidedUntil, durationOf, type PlacementRequest, type RequestedPeriod } from './request.ts'

export interface StartWindow {
  /** A start here is no delay. */
  readonly askedStart: EpochMs
  /** The first instant tried, exactly as it stands: the asked start, or now. Later starts lie on full hours. */
  readonly from: EpochMs
  /** Where a start at `from` ends: a fixed period asked for up to an hour too late keeps its end. */
  readonly endAtFrom: EpochMs
  readonly durationMs: number
  readonly latestStart: EpochMs | null
}

/** For a request that has just come: a start up to now means now. */
export function windowOfAsk(period: RequestedPeriod, now: EpochMs): StartWindow {
  const asked = askedStartOf(period)
  const from = Math.max(asked, now)
  const keepsEnd = period.kind === 'fixed' && asked < now
  return { ...windowFrom(period, from), askedStart: from, ...(keepsEnd ? { endAtFrom: period.end } : {}) }
}

/** For one that waits: it keeps its length, and what it was asked for stays what delay is counted from. */
export function windowOfWait(period: RequestedPeriod, now: EpochMs): StartWindow {
  const asked = askedStartOf(period)
  return { ...windowFrom(period, Math.max(asked, now)), askedStart: asked }
}

function windowFrom(period: RequestedPeriod, from: EpochMs): Omit<StartWindow, 'askedStart'> {
  const durationMs = durationOf(period)
  const latestStart = period.kind === 'flexible' ? period.latestStart : null
  return { from, endAtFrom: from + durationMs, durationMs, latestStart }
}

/** The window at one cluster. */
export interface ClusterWindow {
  /** Whether a start at exactly `StartWindow.from` is allowed. */
  readonly fromIsOpen: boolean
  /** The first full hour to look at after that. */
  readonly laterFrom: EpochMs
  /** The last start of the full length, and the rule that allows none after it. */
  readonly lastStart: EpochMs
  readonly lastStartRule: 'free-nodes' | 'approval-window' | 'horizon'
}

export interface Circumstances {
  readonly now: EpochMs
  /** Until when no node can be made at the cluster's provider; null: at any time. */
  readonly openUntil: EpochMs | null
}

export function clusterWindow(
  cluster: Cluster,
  request: PlacementRequest,
  window: StartWindow,
  circumstances: Circumstances,
): ClusterWindow {
  const { approval, requires } = request
  const opensAt = Math.max(
    window.from,
    approval?.validFrom ?? window.from,
    circumstances.openUntil ?? window.from,
    avoidedUntil(request, cluster.id, window.from) ?? window.from,
    stageOpensAt(cluster, requires.stages, window.from) ?? Number.POSITIVE_INFINITY,
  )
  const lastEnd = lastEndOf(cluster, request, circumstances.now)
  const latestStart = window.latestStart ?? Number.POSITIVE_INFINITY
  const lastStart = Math.min(latestStart, lastEnd - window.durationMs)
  const ruleOfEnd = lastEnd === request.approval?.validTo ? 'approval-window' : 'horizon'
  return {
    fromIsOpen:
      opensAt === window.from &&
      window.from <= latestStart &&
      window.from < window.endAtFrom &&
      window.endAtFrom <= lastEnd,
    laterFrom: hourCeil(opensAt === window.from ? window.from + 1 : opensAt),
    lastStart,
    lastStartRule: lastStart === latestStart ? 'free-nodes' : ruleOfEnd,
  }
}

/** No use may end later: the approval's validity, or what leaves room for the turnover before the horizon. */
function lastEndOf(cluster: Cluster, { approval }: PlacementRequest, now: EpochMs): EpochMs {
  const horizonEnd = horizonOf(now) - cluster.turnoverMs
  return approval === null ? horizonEnd : Math.min(approval.validTo, horizonEnd)
}

/** The first instant from `from` on at which the cluster's stage is one of these; null when none is announced. */
export function stageOpensAt(cluster: Cluster, stages: readonly Stage[] | undefined, from: EpochMs): EpochMs | null {
  if (stages === undefined) return from
  const inForce = phaseAt(cluster.phases, from)
  if (inForce !== null && stages.includes(inForce.stage)) return from
  return cluster.phases.find((phase) => phase.from > from && stages.includes(phase.stage))?.from ?? null
}
