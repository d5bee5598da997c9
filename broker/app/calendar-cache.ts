/**
 * This replica's calendar: rebuilt from rows at first, then kept by applying what was committed since its last look.
 * Whoever decides advances it ahead of the commit; when that commit fails, it is forgotten and rebuilt.
 */
import type { EpochMs } from '../../shared/time.ts'
import { applyOp, type Calendar, emptyCalendar } from '../core/calendar.ts'
import type { Queries } from '../store/database.ts'
import { readHead, readLog } from '../store/head.ts'
import { liveReservations } from '../store/reservations.ts'
import { waitingRows } from '../store/allocations.ts'
import { waitingEntryOf } from './placement-request.ts'

export interface CalendarCache {
  /** The calendar as committed when the query ran, or ahead of it by what this replica is committing. */
  read(db: Queries): Promise<Calendar>
  /** One operation of the transaction in hand, already applied to the calendar. */
  advance(): void
  /** The transaction failed: what was applied ahead of it is not true. */
  forget(): void
}

export function createCalendarCache(now: () => EpochMs): CalendarCache {
  let calendar: Calendar | null = null
  let version = 0

  const rebuild = async (db: Queries): Promise<Calendar> => {
    const head = await readHead(db)
    const built = emptyCalendar(head.catalogue, now())
    for (const reservation of await liveReservations(db)) applyOp(built, { op: 'reserve', reservation })
    for (const row of await waitingRows(db)) applyOp(built, { op: 'wait', entry: waitingEntryOf(row, row.approval) })
    calendar = built
    version = head.version
    return built
  }

  return {
    async read(db) {
      const present = calendar ?? (await rebuild(db))
      for (const entry of await readLog(db, version)) {
        if (entry.version !== version + 1) continue // another reader was first
        applyOp(present, entry.op)
        version = entry.version
      }
      return present
    },
    advance() {
      version += 1
    },
    forget() {
      calendar = null
    },
  }
}
