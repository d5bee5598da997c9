/**
 * Why a request does not start as asked at a cluster that the facts allow: one function per rule of time, each null or
 * the reason with its figures. Asked only once the search has found something later, or nothing.
 */
import type { Reason } from '../../../shared/decision.ts'
import { END_OF_TIME, HOUR_MS, type EpochMs, toIso } from '../../../shared/time.ts'
import { leastLeft, shareBlocksUntil } from '../concentration.ts'
import { approvalBlocksUntil } from '../commitments.ts'
import type { Calendar, ClusterState } from '../calendar.ts'
import { openUntil } from '../calendar-reads.ts'
import { areText, nodesText } from '../words.ts'
import { firstShortage, horizonOf, leastFreeIn } from '../timeline.ts'
import { surelyNeeded, withGrantsKept } from '../idle/charge.ts'
import { isAsAsked, type Place } from './candidate.ts'
import type { Question } from './feasible.ts'
import { avoidanceOf, avoidanceText, holdingOf } from './request.ts'
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

/** Nothing is kept for idle-use: whether the nodes are free is seen when its start has come. */
const nothingAhead: TimelyRule = ({ question, window, now }) => {
  const { cluster, nodes, request } = question
  if (request.priority !== 'idle' || window.from <= now) return null
  const detail = `Nothing is reserved for idle-use: it starts when ${nodesText(nodes)} of ${cluster.id} ${areText(nodes)} free at its time.`
  return { rule: 'free-nodes', wanted: nodes, found: null, detail }
}

const freeNodes: TimelyRule = (attempt) =>
  attempt.question.request.priority === 'idle'
    ? withGrantsKept(attempt.calendar, attempt.state, () => notFree(attempt))
    : notFree(attempt)

const notFree: TimelyRule = (attempt) => {
  const { state, question, window, place } = attempt
  const { cluster, nodes, request } = question
  const heldUntil = window.endAtFrom + cluster.turnoverMs
  const held = surelyNeeded(request, cluster, { start: window.from, heldUntil })
  // The grid's cheap answer may be too low, never too high: only where it is too low is the exact one asked.
  const found = leastFreeIn(state.timeline, held)
  if (found >= nodes || firstShortage(state.timeline, held, nodes) === null) return null
  const when =
    place === null ? `from ${toIso(window.from)} to ${toIso(window.endAtFrom)}` : `before ${toIso(place.start)}`
  const detail = `${nodesText(nodes)} of ${cluster.id} ${areText(nodes)} not free ${when}.`
  return { rule: 'free-nodes', wanted: nodes, found: Math.max(0, found), detail }
}

const hoursOf = (ms: number): string => `${ms / HOUR_MS} h`

const approvalWindow: TimelyRule = ({ question, window }) => {
  const { approval } = question.request
  if (approval === null) return null
  const early = window.from < approval.validFrom
  if (!early && window.endAtFrom <= approval.validTo) return null
  const wanted = `${toIso(window.from)}/${toIso(window.endAtFrom)}`
  const found = `${toIso(approval.validFrom)}/${toIso(approval.validTo)}`
  const detail = early
    ? `The approval is valid only from ${toIso(approval.validFrom)} on.`
    : `A start at ${toIso(window.from)} ends after the approval, which is valid until ${toIso(approval.validTo)}.`
  return { rule: 'approval-window', wanted, found, detail }
}

const approvalNodes: TimelyRule = ({ calendar, question, window }) => {
  const { request, nodes } = question
  const asked = { nodes, start: window.from, end: window.endAtFrom }
  const until = request.approval === null ? null : approvalBlocksUntil(calendar, request.approval, asked)
  if (request.approval === null || until === null) return null
  const { maxNodes } = request.approval
  const detail = `With what the approval has on the calendar until ${toIso(until)}, ${nodesText(nodes)} more would exceed its ${maxNodes} at once.`
  return { rule: 'approval-window', wanted: nodes, found: maxNodes, detail }
}

/** Told as a limit of what is approved, not of what is free: others may well have these nodes. */
const organizationShare: TimelyRule = ({ calendar, question, window }) => {
  const { cluster, nodes, request } = question
  const holding = holdingOf(request, cluster, { nodes, start: window.from, end: window.endAtFrom })
  const until = holding === null ? null : shareBlocksUntil(calendar, holding)
  if (holding === null || until === null) return null
  const when = until === END_OF_TIME ? '' : ` until ${toIso(until)}`
  const detail = `One organisation may hold ${cluster.maxSharePerOrganization} % of ${cluster.architecture} at once: with what ${holding.organizationId} has${when}, ${nodesText(nodes)} more would exceed that.`
  return { rule: 'approval-window', wanted: nodes, found: leastLeft(calendar, holding), detail }
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

const hadNoRoom: TimelyRule = ({ question, window }) => {
  const { cluster, nodes, request } = question
  const avoided = avoidanceOf(request, cluster.id, window.from)
  if (avoided === null) return null
  const detail = `${cluster.id} ${avoidanceText(avoided)}, and is not asked again before ${toIso(avoided.until)}.`
  return { rule: 'free-nodes', wanted: nodes, found: 0, detail }
}

const RULES: readonly TimelyRule[] = [
  stageLater,
  hadNoRoom,
  nothingAhead,
  freeNodes,
  approvalWindow,
  approvalNodes,
  organizationShare,
  horizon,
  circuitOpen,
]

/** Empty when the place found is the asked one; never empty otherwise. */
export function reasonsOfTime(attempt: Attempt): Reason[] {
  const { question, window, now, place } = attempt
  if (place !== null && isAsAsked(question.request, place, { askedStart: window.from, now })) return []
  const reasons: Reason[] = []
  for (const rule of RULES) {
    const reason = rule(attempt)
    if (reason !== null) reasons.push(reason)
  }
  if (attempt.place !== null) return reasons
  const limit = noStartLeft(attempt)
  return reasons.some((reason) => reason.rule === limit.rule) ? reasons : [...reasons, limit]
}

/** Nothing was found: the limit past which the search did not look. */
function noStartLeft({ calendar, question, window, now }: Attempt): Reason {
  const { cluster, nodes, request } = question
  const circumstances = { now, openUntil: openUntil(calendar, cluster.providerId, now) }
  const { lastStart, lastStartRule } = clusterWindow(cluster, request, window, circumstances)
  const detail = `${nodesText(nodes)} of ${cluster.id} ${areText(nodes)} not free for ${hoursOf(window.durationMs)} at any start up to ${toIso(lastStart)}.`
  return { rule: lastStartRule, wanted: nodes, found: toIso(lastStart), detail }
}
