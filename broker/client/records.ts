/** What was decided, used and asked for: decisions and the calendar's log, usage and settlement, the audit trail. */
import type { AuditChain, AuditRecord } from '../../shared/audit.ts'
import type { CalendarEntry, CalendarHead, DecisionRecord } from '../../shared/proof.ts'
import type { ClosedPeriod, Settlement, UsageReport } from '../../shared/usage.ts'
import {
  type CallOptions,
  type Calls,
  type ListOptions,
  type PostOptions,
  type ReadById,
  type ReadOne,
  pathTo,
} from './calls.ts'
import type { TimeRange } from './catalogue.ts'

export interface UsageQuery extends TimeRange {
  /** Up to two groups, comma-separated. */
  readonly groupBy?: string
}

/** Members left out do not filter. */
export interface AuditFilter extends TimeRange {
  readonly actor?: string
  readonly action?: string
}

export interface RecordCalls {
  /** All decisions, in the order in which they were made. */
  listDecisions(range?: TimeRange, options?: ListOptions): AsyncGenerator<DecisionRecord>
  readonly getDecision: ReadById<DecisionRecord>
  readonly getCalendarHead: ReadOne<CalendarHead>
  /** All that ever changed the calendar, in order. */
  listCalendarLog(options?: ListOptions): AsyncGenerator<CalendarEntry>

  getUsage(query?: UsageQuery, options?: CallOptions): Promise<UsageReport>
  /** @param period `2026-12` */
  closeUsagePeriod(period: string, options?: PostOptions): Promise<ClosedPeriod>
  getSettlement(period: string, options?: CallOptions): Promise<Settlement>

  /** Oldest first. */
  listAudit(filter?: AuditFilter, options?: ListOptions): AsyncGenerator<AuditRecord>
  readonly getAuditChain: ReadOne<AuditChain>
}

export const recordCalls = ({ read, readOne, readById, post, walk }: Calls): RecordCalls => ({
  listDecisions: (range, options) => walk(pathTo('decisions'), options, { ...range }),
  getDecision: readById('decisions'),
  getCalendarHead: readOne(pathTo('calendar')),
  listCalendarLog: (options) => walk(pathTo('calendar', 'log'), options),

  getUsage: (query, options) => read(pathTo('usage'), options, { ...query }),
  closeUsagePeriod: (period, options) => post(pathTo('usage', 'periods', period, 'close'), {}, options),
  getSettlement: (period, options) => read(pathTo('usage', 'periods', period, 'settlement'), options),

  listAudit: (filter, options) => walk(pathTo('audit'), options, { ...filter }),
  getAuditChain: readOne(pathTo('audit', 'chain')),
})
