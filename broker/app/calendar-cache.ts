/**
 * This replica's calendar: built from rows once, then kept by applying what was committed since its last look. Whoever
 * decides advances it ahead of the commit; when that commit fails, it is forgotten and built anew by the next decision.
 * What is decided ahead of the lock itself (ahead.ts) is taken back again where somebody else got the lock first.
 */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, type Calendar, emptyCalendar } from '../core/calendar.ts'
import type { Database, Queries, Transaction } from '../store/database.ts'
import { share } from '../store/shared-read.ts'
import { waitingRows } from '../store/allocations.ts'
import { readHead, readLog } from '../store/head.ts'
import { operationsInForce } from '../store/operations.ts'
import { liveReservations } from '../store/reservations.ts'
import { findingsInForce } from '../store/sweeps.ts'
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
  /** For whoever holds the lock: exactly as committed. @param version of the last operation; default: the log is asked */
  lead(trx: Transaction, version?: number): Promise<Calendar>
  /** One operation of the transaction in hand, already applied to the calendar. */
  advance(): void
  /** One operation of whoever hopes for the lock next, already applied to the calendar. */
  advanceAhead(): void
  /** Whoever hoped for the lock has it, and nobody was there before him: what he has advanced is of the transaction in hand. */
  confirm(): void
  /** Somebody was there before him, and what he had advanced has been taken back from the calendar. */
  takeBack(): void
  /** The transaction failed: what was applied ahead of it is not true. */
  forget(): void
}

interface Kept extends SeenCalendar {
  version: number
  takenBack: number
  /** So many of its last operations are nobody's yet. What others commit meanwhile cannot be applied on top of them. */
  ahead: number
}

export function createCalendarCache(database: Pick<Database, 'queries'>, now: () => EpochMs): CalendarCache {
  let kept: Kept | null = null
  // One that is built outside the lock is not kept: whoever leads would otherwise advance what it has not built.
  const see = share(
    async (): Promise<SeenCalendar> => caughtUp(kept ?? (await build(database.queries, now())), database.queries),
  )
  return {
    see,
    read: async () => (await see()).calendar,
    facts: async () => kept?.calendar ?? (await see()).calendar,
    async lead(trx, version) {
      kept ??= await build(trx, now())
      return (kept.version === version ? kept : await caughtUp(kept, trx)).calendar
    },
    advance() {
      if (kept !== null) kept.version += 1
    },
    advanceAhead() {
      if (kept === null) return
      kept.version += 1
      kept.ahead += 1
    },
    confirm() {
      if (kept !== null) kept.ahead = 0
    },
    takeBack() {
      if (kept === null) return
      kept.version -= kept.ahead
      kept.ahead = 0
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
  return { calendar, version: head.version, takenBack: 0, ahead: 0 }
}

async function caughtUp(kept: Kept, db: Queries): Promise<Kept> {
  if (kept.ahead > 0) return kept // it is seen within a moment, by whoever has the lock next
  for (const entry of await readLog(db, kept.version)) {
    if (kept.ahead > 0) break
    if (entry.version !== kept.version + 1) continue // another reader was first
    applyOp(kept.calendar, entry.op)
    kept.version = entry.version
  }
  return kept
}
