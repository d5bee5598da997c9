/**
 * Every decision made again on this machine, by the very core that made it, from what the broker has exported: its answers
 * are looked into, not believed.
 */
import { createHash } from 'node:crypto'
import type { CalendarEntry, DecisionRecord } from '../../shared/proof.ts'
import type { CalendarOp } from '../core/calendar-op.ts'
import { createVerifier, type Deviation, type Verifier } from '../core/decisions/verify.ts'
import type { Client } from '../client/client.ts'

export interface Range {
  readonly from?: string
  readonly to?: string
}

export interface Verified {
  readonly decisions: number
  readonly operations: number
  /** As the broker says, and, where there is no deviation, as it was found to be. */
  readonly logDigest: string
  /** The first one; null: all is as it was decided. */
  readonly deviation: Deviation | null
}

export interface Watching {
  readonly signal: AbortSignal
  /** @param share done, 0 to 1 */
  readonly progress: (share: number, decisions: number) => void
}

type Exported = Pick<Client, 'getCalendarHead' | 'listDecisions' | 'listCalendarLog'>

const PAGE_SIZE = 500

/** @param range only these are made again; the log is folded whole all the same, and held to its digest */
export async function verifyDecisions(exported: Exported, range: Range, watching: Watching): Promise<Verified> {
  const { signal } = watching
  // First, so that what is decided meanwhile is left out.
  const head = await exported.getCalendarHead({ signal })
  const isWhole = range.from === undefined && range.to === undefined
  const verifier = createVerifier({ sha256, isWhole })
  const log = exported.listCalendarLog({ pageSize: PAGE_SIZE, signal })
  let decisions = 0
  const said = (deviation: Deviation | null): Verified => ({
    decisions,
    operations: verifier.version(),
    logDigest: head.logDigest,
    deviation,
  })
  for await (const decision of exported.listDecisions(range, { pageSize: PAGE_SIZE, signal })) {
    if (decision.sequence > head.decisions) break
    const found =
      (await foldTo(verifier, log, Math.min(decision.calendarVersion, head.version))) ?? check(verifier, decision)
    decisions += 1
    if (found !== null) return said(found)
    watching.progress(decision.sequence / head.decisions, decisions)
  }
  const found = (await foldTo(verifier, log, head.version)) ?? verifier.finish(head)
  watching.progress(1, decisions)
  return said(found)
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Stops where the log ends: what is missing is then told by whoever names it. */
async function foldTo(
  verifier: Verifier,
  log: AsyncIterator<CalendarEntry>,
  version: number,
): Promise<Deviation | null> {
  while (verifier.version() < version) {
    const { value: entry, done } = await log.next()
    if (done === true) return null
    // What is no operation cannot be applied, and is told so.
    const found = verifier.append({ ...entry, at: Date.parse(entry.at), op: entry.op as unknown as CalendarOp })
    if (found !== null) return found
  }
  return null
}

const check = (verifier: Verifier, decision: DecisionRecord): Deviation | null =>
  verifier.check({ ...decision, at: Date.parse(decision.at) })
