/** What would have changed a decision: how far the next best cluster was from being chosen. */
import type { Candidate } from '../../../shared/decision.ts'
import { DAY_MS, type EpochMs } from '../../../shared/time.ts'
import { type Policy, SCORE_PARTS, type ScorePart } from '../placement/policy.ts'

/** In the order in which clusters are ranked; what is 0 was no difference. */
export interface RunnerUp {
  readonly candidate: Candidate
  /** Its circuit was open, and that of the chosen one was not. */
  readonly circuitOpen: boolean
  /** By so many whole days it starts later. */
  readonly daysLater: number
  /** By so much its score is lower. */
  readonly scoreBehind: number
  /** The same by part, weighed; only where there is a difference. */
  readonly parts: readonly { readonly part: ScorePart; readonly behind: number }[]
}

export interface Choice {
  readonly candidates: readonly Candidate[]
  readonly chosenId: string
  /** The start that would have been no delay. */
  readonly askedStart: EpochMs
  readonly policy: Pick<Policy, 'weights'>
}

/** Null where no other cluster could have served. */
export function runnerUp({ candidates, chosenId, askedStart, policy }: Choice): RunnerUp | null {
  const chosen = candidates.find((one) => one.clusterId === chosenId)
  if (chosen === undefined) return null
  const [next] = candidates
    .filter((one) => one.feasible && one.clusterId !== chosenId)
    .toSorted((a, b) => compare(rankOf(a, askedStart), rankOf(b, askedStart)))
  if (next === undefined) return null
  const [first, second] = [rankOf(chosen, askedStart), rankOf(next, askedStart)]
  return {
    candidate: next,
    circuitOpen: second.circuitOpen && !first.circuitOpen,
    daysLater: second.delayDays - first.delayDays,
    scoreBehind: first.score - second.score,
    parts: SCORE_PARTS.map((part) => ({
      part,
      behind: weighed(chosen, part, policy) - weighed(next, part, policy),
    })).filter(({ behind }) => behind !== 0),
  }
}

interface Rank {
  readonly circuitOpen: boolean
  readonly delayDays: number
  readonly score: number
}

/** As `placement/place.ts` ranks; candidates come by id, so that of two alike the first stays. */
const compare = (a: Rank, b: Rank): number =>
  Number(a.circuitOpen) - Number(b.circuitOpen) || a.delayDays - b.delayDays || b.score - a.score

const rankOf = ({ earliestStart, score, reasons }: Candidate, askedStart: EpochMs): Rank => ({
  circuitOpen: reasons.some(({ rule }) => rule === 'circuit-open'),
  delayDays: Math.max(
    0,
    Math.ceil(((earliestStart === null ? askedStart : Date.parse(earliestStart)) - askedStart) / DAY_MS),
  ),
  score: score ?? 0,
})

const weighed = ({ scoreParts }: Candidate, part: ScorePart, { weights }: Pick<Policy, 'weights'>): number =>
  (scoreParts?.[part] ?? 0) * weights[part]
