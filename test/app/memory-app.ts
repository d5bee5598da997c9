/**
 * The app without a database: the very members, drafts and groups, deciding over rows that are kept in memory. Everything
 * that they write down is there to be looked at. Time is what the test says.
 */
import type { App } from '../../broker/app/app.ts'
import type { CalendarCache } from '../../broker/app/calendar-cache.ts'
import { chained } from '../../broker/app/digest.ts'
import { type KeyedMember, openGroup, type Outcome } from '../../broker/app/decide-group.ts'
import { whatIsDue } from '../../broker/app/group-commit.ts'
import type { Writer } from '../../broker/app/writer.ts'
import { type Calendar, emptyCalendar } from '../../broker/core/calendar.ts'
import type { Cluster } from '../../broker/core/cluster.ts'
import type { Policy } from '../../broker/core/placement/policy.ts'
import { type Changes, type DecisionRow, type EventRow, noChanges } from '../../broker/store/changes.ts'
import type { Database, Queries } from '../../broker/store/database.ts'
import type { Head, LogEntry } from '../../broker/store/head.ts'
import { EMPTY_LOG_DIGEST } from '../../shared/proof.ts'
import type { EpochMs } from '../../shared/time.ts'

export interface MemoryApp {
  readonly app: App
  readonly calendar: Calendar
  /** All rows that there are. */
  readonly rows: Changes
  readonly log: LogEntry[]
  readonly decisions: DecisionRow[]
  readonly events: EventRow[]
  head(): Head
  now: EpochMs
  /** So often something was taken back from the calendar. */
  takenBack: number
}

export interface MemoryAppOptions {
  readonly catalogue: readonly Cluster[]
  readonly policy: Policy
  readonly now: EpochMs
  /** Whether whoever decides waits for a turn first, as for a database: others may come in between. Default false. */
  readonly takesTurns?: boolean
}

export function memoryApp({ catalogue, policy, now, takesTurns = false }: MemoryAppOptions): MemoryApp {
  const first = { op: 'catalogue', clusters: catalogue } as const
  let head: Head = {
    version: 1,
    logDigest: chained(EMPTY_LOG_DIGEST, first),
    lastAt: now,
    eventSequence: 0,
    allocationSequence: 0,
    decisionSequence: 0,
    auditHash: EMPTY_LOG_DIGEST,
    auditSequence: 0,
    usageClosedUntil: 0,
  }
  const calendar = emptyCalendar(catalogue, now)
  const cache: CalendarCache = {
    read: async () => calendar,
    facts: async () => calendar,
    see: async () => ({
      calendar,
      get takenBack() {
        return memory.takenBack
      },
      get version() {
        return head.version
      },
    }),
    lead: async () => calendar,
    advance: () => undefined,
    advanceAhead: () => undefined,
    confirm: () => undefined,
    takeBack: () => undefined,
    forget: () => undefined,
  }
  const run = (keyed: KeyedMember): Outcome => {
    memory.now = Math.max(memory.now, head.lastAt)
    const group = [...whatIsDue(calendar, memory.now), keyed]
    const { rows } = memory
    const decided = openGroup({ calendar, now: memory.now, head, rows, policy, advance: () => undefined })
    for (const one of group) decided.decide(one)
    head = decided.head()
    memory.log.push(...decided.changes.log)
    memory.decisions.push(...decided.changes.decisions)
    memory.events.push(...decided.changes.events)
    const outcome = decided.outcomes.at(-1)
    if (outcome === undefined) throw new Error('a member has an outcome')
    if ('error' in outcome) throw outcome.error
    return outcome
  }
  const writer: Writer = {
    async run<T>(member: KeyedMember['member']) {
      if (takesTurns) await new Promise((resolve) => void setImmediate(resolve))
      return valueOf(run({ member, idempotency: null, attempt: null, traceparent: null })) as T // the member's own
    },
    perform: async <T>(_attempt: unknown, member: KeyedMember['member']) =>
      valueOf(run({ member, idempotency: null, attempt: null, traceparent: null })) as T, // the member's own
    answer: async (_command, member) => ({
      ...(valueOf(run({ member, idempotency: null, attempt: null, traceparent: null })) as Awaited<
        ReturnType<Writer['answer']>
      >), // the member's own
      replayed: false,
    }),
    onCommit: () => undefined,
    close: async () => undefined,
  } as Writer // generic in what members answer, which a literal cannot be
  const memory: MemoryApp = {
    app: {
      database: NO_DATABASE,
      writer,
      cache,
      findAllocation: async (id) => memory.rows.allocations.get(id),
      policy,
      installationId: 'ins',
      now: () => memory.now,
    },
    calendar,
    rows: noChanges(),
    log: [{ version: 1, at: now, op: first }],
    decisions: [],
    events: [],
    head: () => head,
    now,
    takenBack: 0,
  }
  return memory
}

const valueOf = (outcome: Outcome): unknown => ('value' in outcome ? outcome.value : undefined)

/** What uses it fails: only its handle is passed on, to a cache that looks at nothing. */
const NO_DATABASE = { queries: null as unknown as Queries } as Database
