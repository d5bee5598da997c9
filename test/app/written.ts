/** What the app in memory has written down, as an auditor is given it, and making it again. */
import { sha256 } from '../../broker/app/digest.ts'
import type { Calendar } from '../../broker/core/calendar.ts'
import { candidateView } from '../../broker/core/decisions/outcome.ts'
import { createVerifier, type DecisionToCheck, type Deviation, type Head } from '../../broker/core/decisions/verify.ts'
import type { LogRecord } from '../../broker/core/decisions/replay.ts'
import type { Candidate } from '../../broker/core/placement/candidate.ts'
import type { MemoryApp } from './memory-app.ts'

export interface Written {
  readonly log: LogRecord[]
  readonly decisions: DecisionToCheck[]
  readonly head: Head
}

/** As it comes out of a database and over the wire. */
export const copied = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T // JSON data, so it is what it was

export function writtenBy(memory: MemoryApp): Written {
  const { version, logDigest, decisionSequence } = memory.head()
  const decisions = memory.decisions.map(({ id, candidates, outcome, ...decision }) => ({
    ...decision,
    decisionId: id,
    candidates: (candidates as Candidate[]).map(candidateView),
    outcome: outcome as DecisionToCheck['outcome'],
  }))
  return copied({ log: memory.log, decisions, head: { version, logDigest, decisions: decisionSequence } })
}

/** Everything made again, up to the first deviation. */
export function replayed({ log, decisions, head }: Written): {
  readonly deviation: Deviation | null
  readonly calendar: Calendar
} {
  const verifier = createVerifier({ sha256, isWhole: true })
  const entries = log.values()
  const foldTo = (version: number): Deviation | null => {
    while (verifier.version() < version) {
      const { value: entry, done } = entries.next()
      const found = done === true ? null : verifier.append(entry)
      if (done === true || found !== null) return found
    }
    return null
  }
  const all = (): Deviation | null => {
    for (const decision of decisions) {
      const found = foldTo(decision.calendarVersion) ?? verifier.check(decision)
      if (found !== null) return found
    }
    return foldTo(head.version) ?? verifier.finish(head)
  }
  return { deviation: all(), calendar: verifier.calendar }
}
