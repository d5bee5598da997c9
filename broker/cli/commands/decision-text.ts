/** A decision as people read it: what was decided, the clusters beside each other, and what would have changed it. */
import type { Candidate, Decision } from '../../../shared/decision.ts'
import type { DecisionRecord } from '../../../shared/proof.ts'
import { runnerUp, type RunnerUp } from '../../core/decisions/explain.ts'
import type { Deviation } from '../../core/decisions/verify.ts'
import { POLICIES } from '../../core/placement/policy.ts'
import { askedStartOf, type PlacementRequest } from '../../core/placement/request.ts'
import { facts } from '../screen/table.ts'
import { instant, NONE } from '../screen/words.ts'
import { type Plain, type Text, english } from '../text/text.ts'
import { type Column, tableIn } from './listing.ts'

/** What each kind has done, in words; the outcome's own facts follow. */
const DONE: Readonly<Record<DecisionRecord['kind'], Plain>> = {
  place: 'has its place',
  waitlist: 'waits',
  promote: 'waits no longer: its start has come, or the start that it asked for is free',
  replan: 'waits with another plan',
  preempt: 'gives its nodes back to somebody who reserved them',
  relocate: 'has lost its place and is placed again',
  extend: 'keeps its nodes for longer',
  shrink: 'gives some of its nodes back',
  reject: 'was refused',
}

/** Where it was placed, or is planned. */
function clusterIn(outcome: Decision['outcome']): string | null {
  const id = outcome['clusterId'] ?? outcome['estimatedClusterId']
  return typeof id === 'string' ? id : null
}

/** Decisions beside each other. */
export const DECISION_COLUMNS: readonly Column<Decision>[] = [
  { head: 'decision', value: (one) => one.decisionId },
  { head: 'made (UTC)', value: (one) => instant(one.at) },
  { head: 'kind', value: (one) => one.kind },
  { head: 'policy', value: (one) => one.policyVersion },
  { head: 'cluster', value: ({ outcome }) => clusterIn(outcome) ?? NONE },
  { head: 'instead of', value: (one) => one.supersedes ?? '' },
]

export const RECORD_COLUMNS: readonly Column<DecisionRecord>[] = [
  { head: '#', align: 'right', value: (one) => one.sequence },
  { head: 'allocation', value: (one) => one.allocationId ?? NONE },
  ...DECISION_COLUMNS,
]

export function decisionText(decision: DecisionRecord, t: Text): string {
  const { decisionId, allocationId, kind, at, policyVersion, candidates, outcome, supersedes } = decision
  const sentence = `${allocationId ?? t('A request')}: ${t(DONE[kind])}.\n`
  const told = facts([
    [t('decision'), t('{id}, number {number}', { id: decisionId, number: decision.sequence })],
    [t('made (UTC)'), instant(at)],
    [t('policy'), policyVersion],
    [t('on calendar version'), decision.calendarVersion],
    [t('instead of'), supersedes],
    // Its members are the API's own words.
    ...Object.entries(outcome).map(([name, value]) => [name, valueText(value)] as const),
  ])
  if (candidates.length === 0) return sentence + told
  return `${sentence}${told}\n${tableIn(t, CANDIDATES, candidates)}\n${whatWouldHaveChangedIt(decision, t)}`
}

const valueText = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

const part = (name: keyof NonNullable<Candidate['scoreParts']>): Column<Candidate> => ({
  head: name,
  align: 'right',
  value: ({ scoreParts }) => scoreParts?.[name].toFixed(3) ?? NONE,
})

const CANDIDATES: readonly Column<Candidate>[] = [
  { head: 'cluster', value: (one) => one.clusterId },
  { head: 'nodes', align: 'right', value: (one) => one.nodes },
  { head: 'earliest start (UTC)', value: (one) => instant(one.earliestStart) },
  { head: 'score', align: 'right', value: (one) => one.score?.toFixed(3) ?? NONE },
  part('preference'),
  part('fit'),
  part('energy'),
  part('balance'),
  { head: 'why not, or not sooner', value: (one) => one.reasons.map((reason) => reason.detail).join('\n') },
]

function whatWouldHaveChangedIt({ candidates, outcome, policyVersion, input }: DecisionRecord, t: Text): string {
  const chosenId = clusterIn(outcome)
  const policy = POLICIES.get(policyVersion)
  const request = input['request'] as PlacementRequest | undefined // as the broker stores it (core/decisions/input.ts)
  if (chosenId === null) return `${t('No cluster was chosen.')} ${bindingText(candidates, t)}`
  const said = t('Chosen: {cluster}.', { cluster: chosenId })
  if (policy === undefined || request === undefined) return `${said}\n`
  const next = runnerUp({ candidates, chosenId, askedStart: askedStartOf(request.period), policy })
  const chosen = candidates.filter((one) => one.clusterId === chosenId)
  const second = next === null ? t('No other cluster could have served.') : nextText(next, t)
  return `${said} ${second}\n${bindingText(chosen, t)}`
}

function nextText({ candidate, circuitOpen, daysLater, scoreBehind, parts }: RunnerUp, t: Text): string {
  const cluster = candidate.clusterId
  if (circuitOpen)
    return t('Next best: {cluster}, where nothing could be made: its operator did not answer.', { cluster })
  if (daysLater === 1)
    return t('Next best: {cluster}, which starts 1 day later; days count before scores.', { cluster })
  if (daysLater > 1)
    return t('Next best: {cluster}, which starts {days} days later; days count before scores.', {
      cluster,
      days: daysLater,
    })
  // A plan of many may give somebody another place than the one that ranks first for him alone.
  if (daysLater < 0)
    return t('Next best: {cluster}, which would start {days} days earlier, had others not been planned there.', {
      cluster,
      days: -daysLater,
    })
  if (scoreBehind === 0)
    return t('Next best: {cluster}, which is alike in all that counts; of two alike the first by id is chosen.', {
      cluster,
    })
  const why = parts.map(({ part: name, behind }) => `${name} ${behind > 0 ? '−' : '+'}${Math.abs(behind).toFixed(3)}`)
  const figures = { cluster, by: Math.abs(scoreBehind).toFixed(3), parts: why.join(', ') }
  return scoreBehind > 0
    ? t('Next best: {cluster}, whose score is {by} lower ({parts}).', figures)
    : t('Next best: {cluster}, whose score is {by} higher ({parts}).', figures)
}

function bindingText(candidates: readonly Candidate[], t: Text): string {
  const rules = new Set(candidates.flatMap((one) => one.reasons.map((reason) => reason.rule)))
  return rules.size === 0 ? '' : `${t('What bound it: {rules}.', { rules: [...rules].join(', ') })}\n`
}

/** The first line says what, then what is stored and what comes out, line by line. */
export function deviationText({ of, detail, differences }: Deviation, t: Text = english): string {
  const lines = differences.flatMap(({ at, stored, derived }) => [
    `  ${at === '' ? t('all of it') : at}`,
    `  - ${t('stored')}   ${JSON.stringify(stored) ?? t('nothing')}`,
    `  + ${t('derived')}  ${JSON.stringify(derived) ?? t('nothing')}`,
  ])
  return `${[`${of}: ${detail}`, ...lines].join('\n')}\n`
}
