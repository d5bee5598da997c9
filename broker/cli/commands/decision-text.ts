/** A decision as people read it: what was decided, the clusters beside each other, and what would have changed it. */
import type { Candidate } from '../../../shared/decision.ts'
import type { DecisionRecord } from '../../../shared/proof.ts'
import { runnerUp, type RunnerUp } from '../../core/decisions/explain.ts'
import type { Deviation } from '../../core/decisions/verify.ts'
import { POLICIES } from '../../core/placement/policy.ts'
import { askedStartOf, type PlacementRequest } from '../../core/placement/request.ts'
import { type Column, facts, table } from '../screen/table.ts'
import { instant, NONE } from '../screen/words.ts'

/** What each kind has done, in words; the outcome's own facts follow. */
const DONE: Readonly<Record<DecisionRecord['kind'], string>> = {
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

export function decisionText(decision: DecisionRecord): string {
  const { decisionId, allocationId, kind, at, policyVersion, candidates, outcome, supersedes } = decision
  const sentence = `${allocationId ?? 'A request'} ${DONE[kind]}.\n`
  const told = facts([
    ['decision', `${decisionId}, number ${decision.sequence}`],
    ['made (UTC)', instant(at)],
    ['policy', policyVersion],
    ['on calendar version', decision.calendarVersion],
    ['instead of', supersedes],
    ...Object.entries(outcome).map(([name, value]) => [name, valueText(value)] as const),
  ])
  if (candidates.length === 0) return sentence + told
  return `${sentence}${told}\n${table(CANDIDATES, candidates)}\n${whatWouldHaveChangedIt(decision)}`
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

function whatWouldHaveChangedIt({ candidates, outcome, policyVersion, input }: DecisionRecord): string {
  const chosenId = outcome['clusterId'] ?? outcome['estimatedClusterId']
  const policy = POLICIES.get(policyVersion)
  const request = input['request'] as PlacementRequest | undefined // as the broker stores it (core/decisions/input.ts)
  if (typeof chosenId !== 'string') return `No cluster was chosen. ${bindingText(candidates)}`
  if (policy === undefined || request === undefined) return `Chosen: ${chosenId}.\n`
  const next = runnerUp({ candidates, chosenId, askedStart: askedStartOf(request.period), policy })
  const chosen = candidates.filter((one) => one.clusterId === chosenId)
  const second = next === null ? 'No other cluster could have served.\n' : `${nextText(next)}\n`
  return `Chosen: ${chosenId}. ${second}${bindingText(chosen)}`
}

function nextText({ candidate, circuitOpen, daysLater, scoreBehind, parts }: RunnerUp): string {
  const next = `Next best: ${candidate.clusterId}, `
  if (circuitOpen) return `${next}where nothing could be made: its operator did not answer.`
  if (daysLater > 0)
    return `${next}which starts ${daysLater} ${daysLater === 1 ? 'day' : 'days'} later; days count before scores.`
  // A plan of many may give somebody another place than the one that ranks first for him alone.
  if (daysLater < 0) return `${next}which would start ${-daysLater} days earlier, had others not been planned there.`
  if (scoreBehind === 0) return `${next}which is alike in all that counts; of two alike the first by id is chosen.`
  const why = parts.map(({ part: name, behind }) => `${name} ${behind > 0 ? '−' : '+'}${Math.abs(behind).toFixed(3)}`)
  return `${next}whose score is ${Math.abs(scoreBehind).toFixed(3)} ${scoreBehind > 0 ? 'lower' : 'higher'} (${why.join(', ')}).`
}

function bindingText(candidates: readonly Candidate[]): string {
  const rules = new Set(candidates.flatMap((one) => one.reasons.map((reason) => reason.rule)))
  return rules.size === 0 ? '' : `What bound it: ${[...rules].join(', ')}.\n`
}

/** The first line says what, then what is stored and what comes out, line by line. */
export function deviationText({ of, detail, differences }: Deviation): string {
  const lines = differences.flatMap(({ at, stored, derived }) => [
    `  ${at === '' ? 'all of it' : at}`,
    `  - stored   ${JSON.stringify(stored) ?? 'nothing'}`,
    `  + derived  ${JSON.stringify(derived) ?? 'nothing'}`,
  ])
  return `${[`${of}: ${detail}`, ...lines].join('\n')}\n`
}
