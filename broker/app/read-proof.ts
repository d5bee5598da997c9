/**
 * What somebody who trusts nobody needs to decide everything again: the decisions with their inputs, and the calendar's
 * log. It is of all organisations and all operators, so whoever is bound to one does not see it.
 */
import type { CalendarEntry, CalendarHead, DecisionRecord } from '../../shared/proof.ts'
import { Refusal } from '../../shared/refusal.ts'
import { type EpochMs, toIso } from '../../shared/time.ts'
import type { DecisionRow } from '../store/changes.ts'
import { findDecision, pageOfDecisions } from '../store/decisions.ts'
import { pageOfLog, readHead } from '../store/head.ts'
import type { App } from './app.ts'
import { afterNumber, type Caller, type Page, type PageRequest } from './command.ts'
import { decisionView } from './views.ts'

export interface DecisionQuery {
  /** Made at or after; null: from the first. */
  readonly from: EpochMs | null
  /** Made before; null: to the last. */
  readonly to: EpochMs | null
}

/** In the order in which they were made. */
export async function listDecisions(
  app: App,
  caller: Caller,
  query: DecisionQuery,
  page: PageRequest,
): Promise<Page<DecisionRecord>> {
  assertUnbound(caller)
  const asked = { ...query, after: afterNumber(page), limit: page.limit + 1 }
  const rows = await pageOfDecisions(app.database.queries, asked)
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return { items: shown.map(recordOf), next: last === undefined ? null : String(last.sequence) }
}

export async function getDecision(app: App, caller: Caller, id: string): Promise<DecisionRecord> {
  assertUnbound(caller)
  const row = await findDecision(app.database.queries, id)
  if (row === null) throw new Refusal('not-found', `There is no decision ${id}.`)
  return recordOf(row)
}

export async function getCalendarHead(app: App, caller: Caller): Promise<CalendarHead> {
  assertUnbound(caller)
  const { version, logDigest, decisionSequence } = await readHead(app.database.queries)
  return { version, logDigest, decisions: decisionSequence }
}

/** In order. */
export async function listCalendarLog(app: App, caller: Caller, page: PageRequest): Promise<Page<CalendarEntry>> {
  assertUnbound(caller)
  const entries = await pageOfLog(app.database.queries, afterNumber(page) ?? 0, page.limit + 1)
  const shown = entries.slice(0, page.limit)
  const last = entries.length > page.limit ? shown.at(-1) : undefined
  return {
    items: shown.map(({ version, at, op }) => ({ version, at: toIso(at), op: { ...op } })),
    next: last === undefined ? null : String(last.version),
  }
}

const recordOf = (row: DecisionRow): DecisionRecord => ({
  sequence: row.sequence,
  allocationId: row.allocationId,
  calendarVersion: row.calendarVersion,
  input: row.input as DecisionRecord['input'],
  ...decisionView(row),
})

/** @throws Refusal `insufficient-scope` */
function assertUnbound({ organizationId, providerId }: Caller): void {
  if (organizationId === null && providerId === null) return
  throw new Refusal('insufficient-scope', 'The whole record is shown only to a caller who is bound to nobody.')
}
