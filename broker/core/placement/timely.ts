/**
 * Why a request does not start as asked at a cluster that the facts allow: one function per rule of time, each null or
 * the reason with its figures. Asked only once the search has found something later, or nothing.
 */
import type { Reason } from '../../../shared/decision.ts'
import { HOUR_MS, toIso, type EpochMs } from '../../../shared/time.ts'
import { approvalBlocksUntil } from '../commitments.ts'
import type { Calendar, ClusterState } from '../calendar.ts'
import { openUntil } from '../calendar-reads.ts'
import { firstShortage, horizonOf, leastFreeIn } from '../timeline.ts'
import type { Place } from './candidate.ts'
import type { Question } from './feasible.ts'
import { clusterWindow, stageOpensAt, type StartWindow } from './window.ts'

export interface Attempt {
  readonly calendar: Calendar
  readonly state: ClusterState
  readonly question: Question
  readonly window: StartWindow
  readonly now: EpochMs
  /** What the search found; null: nothing. */
  readonly place: Place | null
}

type TimelyRule = (attempt: Attempt) => Reason | null

const stageLater: TimelyRule = ({ question, window }) => {
  const { cluster, request } = question
  const { stages } = request.requires
  const opensAt = stageOpensAt(cluster, stages, window.from)
  if (stages === undefined || opensAt === null || opensAt <= window.from) return null
  const detail = `${cluster.id} is of stage ${stages.join(' or ')} only from ${toIso(opensAt)} on.`
  return { rule: 'stage', wanted: [...stages], found: toIso(opensAt), detail }
}

const heldAsAsked = ({ question, window }: Attempt): { start: EpochMs; end: EpochMs } => ({
  start: window.from,
  end: window.endAtFrom + question.cluster.turnoverMs,
})

const freeNodes: TimelyRule = (attempt) => {
  const { state, question, window, place } = attempt
  const { cluster, nodes } = question
  if (firstShortage(state.timeline, heldAsAsked(attempt), nodes) === null) return null
  const found = Math.min(nodes, Math.max(0, leastFreeIn(state.timeline, heldAsAsked(attempt))))
  const when =
    place === null ? `from ${toIso(window.from)} to ${toIso(window.endAtFrom)}` : `before ${toIso(place.start)}`
  return { rule: 'free-nodes', wanted: nodes, found, detail: `${nodes} nodes of ${cluster.id} are not free ${when}.` }
}

const hoursOf = (ms: number): string => `${ms / HOUR_MS} h`

const approvalWindow: TimelyRule = ({ question, window }) => {
  const { approval } = question.request
  if (approval === null) return null
  const rule = 'approval-window'
  const asked = `${toIso(window.from)}/${toIso(window.endAtFrom)}`
  const valid = `${toIso(approval.validFrom)}/${toIso(approval.validTo)}`
  if (window.from < approval.validFrom) {
    const detail = `The approval is valid only from ${toIso(approval.validFrom)} on.`
    return { rule, wanted: asked, found: valid, detail }
  }
  if (window.endAtFrom <= approval.validTo) return null
  const detail = `A start at ${toIso(window.from)} ends after the approval, which is valid until ${toIso(approval.validTo)}.`
  return { rule, wanted: asked, found: valid, detail }
}

const approvalNodes: TimelyRule = ({ calendar, question, window }) => {
  const { request, nodes } = question
  const asked = { nodes, start: window.from, end: window.endAtFrom }
  const until = request.approval === null ? null : approvalBlocksUntil(calendar, request.approval, asked)
  if (request.approval === null || until === null) return null
  const { maxNodes } = request.approval
  const detail = `With what the approval has on the calendar until ${toIso(until)}, ${nodes} nodes more exceed its ${maxNodes} at once.`
  return { rule: 'approval-window', wanted: nodes, found: maxNodes, detail }
}

const horizon: TimelyRule = ({ question, window, now }) => {
  const held = window.endAtFrom + question.cluster.turnoverMs
  const horizonAt = horizonOf(now)
  if (held <= horizonAt) return null
  const detail = `Nothing is planned past ${toIso(horizonAt)}, three years ahead.`
  return { rule: 'horizon', wanted: toIso(window.endAtFrom), found: toIso(horizonAt), detail }
}

const circuitOpen: TimelyRule = ({ calendar, question, window, now }) => {
  const { providerId } = question.cluster
  const until = openUntil(calendar, providerId, now)
  if (until === null || until <= window.from) return null
  const detail = `${providerId} does not answer: no node can be made there before ${toIso(until)}.`
  return { rule: 'circuit-open', wanted: toIso(window.from), found: toIso(until), detail }
}

const RULES: readonly TimelyRule[] = [stageLater, freeNodes, approvalWindow, approvalNodes, horizon, circuitOpen]

/** Empty when the place found is the asked one; never empty otherwise. */
export function reasonsOfTime(attempt: Attempt): Reason[] {
  if (attempt.place !== null && attempt.place.start === attempt.window.from) return []
  const reasons = RULES.map((rule) => rule(attempt)).filter((reason) => reason !== null)
  if (attempt.place !== null) return reasons
  const limit = noStartLeft(attempt)
  return reasons.some((reason) => reason.rule === limit.rule) ? reasons : [...reasons, limit]
}

/** Nothing was found: the limit past which the search did not look. */
function noStartLeft({ calendar, question, window, now }: Attempt): Reason {
  const { cluster, nodes, request } = question
  const circumstances = { now, openUntil: openUntil(calendar, cluster.providerId, now) }
  const { lastStart, lastStartRule } = clusterWindow(cluster, request, window, circumstances)
  const detail = `${nodes} nodes of ${cluster.id} are not free for ${hoursOf(window.durationMs)} at any start up to ${toIso(lastStart)}.`
  return { rule: lastStartRule, wanted: nodes, found: toIso(lastStart), detail }
}
