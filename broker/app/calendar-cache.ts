/**
 * This replica's calendar: built from rows once, then kept by applying what was committed since its last look. Whoever
 * decides advances it ahead of the commit; when that commit fails, it is forgotten and built anew by the next decision.
 * What is decided ahead of the lock itself (ahead.ts) is taken back again where somebody else got the lock first. A store
 * that is not the one that was followed, as after a standby took over that did not have the last commits, is told by the
 * digest of its log.
 */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, type Calendar, emptyCalendar } from '../core/calendar.ts'
import type { Database, Queries, Transaction } from '../store/database.ts'
import { share } from '../store/shared-read.ts'
import { waitingRows } from '../store/allocations.ts'
import { type Head, readHead, readLog } from '../store/head.ts'
import { operationsInForce } from '../store/operations.ts'
import { liveReservations } from '../store/reservations.ts'
import { findingsInForce } from '../store/sweeps.ts'
import { chained } from './digest.ts'
import { waitingEntryOf } from './placement-request.ts'

/** The calendar itself and how far it has come: both go on changing as this replica decides, together. */
export interface SeenCalendar {
  readonly calendar: Calendar
  /** Of the last operation that it has. */
  readonly version: number
  /** So often operations were taken back: a copy made before is of a calendar that never came to be. */
  readonly takenBack: number
}

export interface CalendarCache {
  /** For those who only look, together with all who ask at the time: as committed when the query ran, or ahead of it by what this replica is committing. */
  read(): Promise<Calendar>
  /** The same with its version: a plan made on a copy holds only while both are what they were. */
  see(): Promise<SeenCalendar>
  /** As it was at the last look, however long ago: for what a cluster is, not for what lies on it. */
  facts(): Promise<Calendar>
  /** For whoever holds the lock, whose head it is: exactly as committed. */
  lead(trx: Transaction, head: LogHead): Promise<Calendar>
  /** What the transaction in hand decides has been applied to the calendar, as far as `head` says. */
  advance(head: LogHead): void
  /** The same of whoever hopes for the lock next. */
  advanceAhead(head: LogHead): void
  /** Whoever hoped for the lock has it, and nobody was there before him: what he has advanced is of the transaction in hand. */
  confirm(): void
  /** Somebody was there before him, and what he had advanced has been taken back from the calendar. */
  takeBack(): void
  /** The transaction failed: what was applied ahead of it is not true. */
  forget(): void
}

/** How far a log has come, and what vouches for all of it. */
type LogHead = Pick<Head, 'version' | 'logDigest'>

interface Kept extends SeenCalendar, LogHead {
  version: number
  logDigest: string
  takenBack: number
  /** What it was before what is nobody's yet, on which nothing can be applied that others commit meanwhile; null: nothing is. */
  committed: LogHead | null
}

export function createCalendarCache(database: Pick<Database, 'queries'>, now: () => EpochMs): CalendarCache {
  let kept: Kept | null = null
  const see = share(async (): Promise<SeenCalendar> => {
    for (;;) {
      const known = kept
      // One that is built outside the lock is not kept: whoever leads would otherwise advance what it has not built.
      const seen = await caughtUp(known ?? (await build(database.queries, now())), { db: database.queries })
      // What was forgotten meanwhile may have what was never committed, and on top of it what others did commit.
      if (known === null || known === kept) return seen
    }
  })
  return {
    see,
    read: async () => (await see()).calendar,
    facts: async () => kept?.calendar ?? (await see()).calendar,
    async lead(trx, head) {
      const known = kept === null ? await build(trx, now()) : await caughtUp(kept, { db: trx, upTo: head.version })
      kept = isAt(known, head) ? known : await build(trx, now())
      return kept.calendar
    },
    advance(head) {
      if (kept !== null) advanceTo(kept, head)
    },
    advanceAhead(head) {
      if (kept === null) return
      kept.committed ??= { version: kept.version, logDigest: kept.logDigest }
      advanceTo(kept, head)
    },
    confirm() {
      if (kept !== null) kept.committed = null
    },
    takeBack() {
      if (kept === null) return
      if (kept.committed !== null) advanceTo(kept, kept.committed)
      kept.committed = null
      kept.takenBack += 1
    },
    forget() {
      kept = null
    },
  }
}

/**
 * The rows may be newer than the head that was read before them. Operations set, they do not add: applying those of the
 * log from that head on ends in the state of the log.
 */
async function build(db: Queries, now: EpochMs): Promise<Kept> {
  const head = await readHead(db)
  // What lies in a cluster that is no longer listed lies there still, with the facts that it had.
  const calendar = emptyCalendar([...head.formerClusters, ...head.catalogue], now)
  if (head.formerClusters.length > 0) applyOp(calendar, { op: 'catalogue', clusters: head.catalogue })
  for (const reservation of await liveReservations(db)) applyOp(calendar, { op: 'reserve', reservation })
  for (const op of await operationsInForce(db)) applyOp(calendar, op)
  for (const op of await findingsInForce(db)) {
    // What was found in a cluster that is no longer configured stays a finding until the next sweep, and takes no room.
    if (calendar.clusters.has(op.drain.clusterId)) applyOp(calendar, op)
  }
  for (const row of await waitingRows(db)) applyOp(calendar, { op: 'wait', entry: waitingEntryOf(row, row.approval) })
  const { version, logDigest } = head
  return { calendar, version, logDigest, takenBack: 0, committed: null }
}

/** @param upTo of the last operation that there is; default: the log is asked */
async function caughtUp(kept: Kept, { db, upTo }: { db: Queries; upTo?: number }): Promise<Kept> {
  if (kept.committed !== null) return kept // it is seen within a moment, by whoever has the lock next
  if (kept.version === upTo) return kept
  for (const { version, op } of await readLog(db, kept.version)) {
    if (kept.committed !== null) break
    if (version !== kept.version + 1) continue // another reader was first
    applyOp(kept.calendar, op)
    advanceTo(kept, { version, logDigest: chained(kept.logDigest, op) })
  }
  return kept
}

const isAt = (kept: Kept, { version, logDigest }: LogHead): boolean =>
  kept.version === version && kept.logDigest === logDigest

function advanceTo(kept: Kept, { version, logDigest }: LogHead): void {
  kept.version = version
  kept.logDigest = logDigest
}
