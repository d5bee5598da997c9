/**
 * Holds a log of the calendar and its decisions against each other: each decision is made again on the calendar of its
 * version, and compared bit for bit; each place on the calendar must be one that was decided. Nothing that was stored is
 * believed but the log, and that only as far as its digests go.
 */
import type { Decision } from '../../../shared/decision.ts'
import type { EpochMs } from '../../../shared/time.ts'
import { inputDigestWith, type Sha256 } from '../canonical-json.ts'
import type { Reservation } from '../calendar-op.ts'
import type { Calendar } from '../calendar.ts'
import { reservationOf } from '../calendar-reads.ts'
import { POLICIES } from '../placement/policy.ts'
import { toIso } from '../../../shared/time.ts'
import { differences, type Difference } from './difference.ts'
import { candidateView, type DecisionOutcome } from './outcome.ts'
import { createReplay, type LogRecord, type Replay } from './replay.ts'
import { rederive, type Rederived } from './rederive.ts'

export interface DecisionToCheck extends Omit<Decision, 'at'> {
  readonly at: EpochMs
  readonly sequence: number
  /** Null: a request was refused, and no allocation came of it. */
  readonly allocationId: string | null
  readonly calendarVersion: number
  readonly input: unknown
}

/** Something is not as it was decided. */
export interface Deviation {
  /** `decision 17 (dec_…)`, `operation 9 of the calendar`, … */
  readonly of: string
  /** One sentence. */
  readonly detail: string
  readonly differences: readonly Difference[]
}

export interface Head {
  readonly version: number
  readonly logDigest: string
  /** Sequence of the last decision. */
  readonly decisions: number
}

export interface VerifierOptions {
  readonly sha256: Sha256
  /** All decisions are handed in, from the first to the last. Else what they leave out is not looked for. */
  readonly isWhole: boolean
}

export interface Verifier {
  readonly calendar: Calendar
  /** How far the log has been handed in. */
  version(): number
  /** The next operation of the log, in order. Those up to a decision's `calendarVersion` go before it, and no others. */
  append(entry: LogRecord): Deviation | null
  /** The next decision, in order. */
  check(decision: DecisionToCheck): Deviation | null
  /** Nothing is missing at the end. */
  finish(head: Head): Deviation | null
}

interface Seen {
  readonly decisionId: string
  readonly outcome: DecisionOutcome
}

export function createVerifier({ sha256, isWhole }: VerifierOptions): Verifier {
  const replay = createReplay(sha256)
  /** The last decision of each allocation that was not a refusal. */
  const last = new Map<string, Seen>()
  let sequence: number | null = isWhole ? 0 : null
  let decidedAt: EpochMs = 0

  return {
    calendar: replay.calendar,
    version: replay.version,
    append(entry) {
      const of = `operation ${entry.version} of the calendar`
      const expected = replay.version() + 1
      if (entry.version !== expected) return deviation(of, `Operation ${expected} is missing.`)
      if (entry.at < replay.at()) return deviation(of, 'It is older than the one before it.')
      try {
        const found = isWhole ? undecided(replay, last, entry) : null
        replay.append(entry)
        return found === null ? null : deviation(of, found)
      } catch (error) {
        return deviation(of, `It cannot be applied: ${messageOf(error)}`)
      }
    },
    check(decision) {
      const of = `decision ${decision.sequence} (${decision.decisionId})`
      const expected = sequence === null ? decision.sequence : sequence + 1
      sequence = decision.sequence
      if (decision.sequence !== expected) return deviation(of, `Decision ${expected} is missing.`)
      if (decision.at < decidedAt) return deviation(of, 'It is older than the one before it.')
      decidedAt = decision.at
      const found = compared(decision, { of, replay, sha256, last, isWhole })
      if (decision.kind !== 'reject' && decision.allocationId !== null)
        last.set(decision.allocationId, { decisionId: decision.decisionId, outcome: decision.outcome })
      return found
    },
    finish(head) {
      if (replay.version() !== head.version)
        return deviation(
          'the calendar',
          `Its log ends with ${replay.version()}, and the last operation was ${head.version}.`,
        )
      if (replay.digest() !== head.logDigest)
        return deviation('the calendar', DIGESTS_DIFFER, [
          { at: '/logDigest', stored: head.logDigest, derived: replay.digest() },
        ])
      if (isWhole && sequence !== head.decisions)
        return deviation('the decisions', `They end with ${sequence}, and the last one was ${head.decisions}.`)
      return null
    },
  }
}

const DIGESTS_DIFFER = 'What was written down does not have the digest that it had.'

const deviation = (of: string, detail: string, found: readonly Difference[] = []): Deviation => ({
  of,
  detail,
  differences: found,
})

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

interface Circumstances {
  readonly of: string
  readonly replay: Replay
  readonly sha256: Sha256
  readonly last: ReadonlyMap<string, Seen>
  readonly isWhole: boolean
}

function compared(decision: DecisionToCheck, { of, replay, sha256, last, isWhole }: Circumstances): Deviation | null {
  const { allocationId, calendarVersion, input, policyVersion, at: now } = decision
  if (calendarVersion !== replay.version())
    return deviation(of, `It names calendar version ${calendarVersion}, and was made on ${replay.version()}.`)
  if (now < replay.at()) return deviation(of, 'It is older than the calendar that it was made on.')
  const policy = POLICIES.get(policyVersion)
  if (policy === undefined) return deviation(of, `There is no policy ${policyVersion}.`)
  const inputDigest = inputDigestWith(sha256, { input, log: replay.digest(), now, policyVersion })
  if (inputDigest !== decision.inputDigest)
    return deviation(of, DIGESTS_DIFFER, [{ at: '/inputDigest', stored: decision.inputDigest, derived: inputDigest }])
  const before = last.get(allocationId ?? '')
  const supersedes = decision.kind === 'reject' ? null : (before?.decisionId ?? null)
  if (supersedes !== decision.supersedes && (isWhole || before !== undefined))
    return deviation(of, 'It follows another decision.', [
      { at: '/supersedes', stored: decision.supersedes, derived: supersedes },
    ])
  let derived: Rederived
  try {
    const plans = replay.plans(now, policy)
    derived = rederive(
      { calendar: replay.calendar, allocationId: allocationId ?? '', now, policy, plans },
      decision.kind,
      input,
    )
  } catch (error) {
    return deviation(of, `It would not be made again: ${messageOf(error)}.`)
  }
  const candidates = derived.candidates.map(candidateView)
  const found = differences(
    { candidates: decision.candidates, outcome: decision.outcome },
    { candidates, outcome: derived.outcome },
  )
  return found.length === 0 ? null : deviation(of, 'Made again it comes out differently.', found)
}

/** Why nobody has decided that this place is taken; null where somebody has, or where it is no new place. */
function undecided(replay: Replay, last: ReadonlyMap<string, Seen>, { op }: LogRecord): string | null {
  if (op.op !== 'reserve') return null
  const { reservation } = op
  const before = reservationOf(replay.calendar, reservation.allocationId)
  if (before !== null && isSamePlace(before, reservation)) return null
  const seen = last.get(reservation.allocationId)
  const { clusterId, estimatedClusterId, start, estimatedStart } = seen?.outcome ?? {}
  const isDecided =
    (clusterId ?? estimatedClusterId) === reservation.clusterId &&
    (start ?? estimatedStart) === toIso(reservation.start)
  return isDecided ? null : `${reservation.allocationId} has a place that no decision has given it.`
}

const isSamePlace = (a: Reservation, b: Reservation): boolean => a.clusterId === b.clusterId && a.start === b.start
