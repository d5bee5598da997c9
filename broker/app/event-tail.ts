/**
 * The newest events in memory, and everybody who reads along. New events are read from the store once, whoever many
 * readers there are; a reader that begins or has fallen behind the tail reads its own pages until it has caught up. Each
 * reader pulls what comes next when it is ready for it, so a slow one keeps a position and holds up nobody.
 */
import type { CloudEvent } from '../../shared/event.ts'
import { Refusal } from '../../shared/refusal.ts'
import type { EpochMs } from '../../shared/time.ts'
import { type EventFilter, passes } from '../core/event-filter.ts'
import type { EventRow } from '../store/changes.ts'
import type { Database } from '../store/database.ts'
import { eventBounds, readEvents } from '../store/events.ts'
import { assertKept, eventView, type EventStart, positionOf } from './read-events.ts'

export interface TailedEvent {
  readonly sequence: number
  readonly type: CloudEvent['type']
  /** As JSON, made once for all readers. */
  readonly json: string
}

export interface EventReader {
  /** The number up to which it has been given everything: before the first, the one behind which it begins. */
  position(): number
  /**
   * What comes next, in order: at once if it is there, else when it comes. Null when there is no more to come, because the
   * reader or the tail is closed.
   *
   * @throws Refusal `events-gone` when retention has overtaken the reader
   */
  next(): Promise<readonly TailedEvent[] | null>
  close(): void
}

export interface EventTail {
  /** @throws Refusal `events-gone`; `invalid-request` beyond the last event; `unavailable` when too many read already */
  open(filter: EventFilter, start: EventStart): Promise<EventReader>
  /** Reads what is new and wakes who waits for it. One at a time. Costs nothing while nobody reads. */
  refresh(): Promise<void>
  readers(): number
  /** Ends all readers; there are no new ones. */
  close(): void
}

export interface EventTailOptions {
  readonly database: Database
  readonly installationId: string
  /** A reader was opened: refresh soon. */
  readonly onOpened: () => void
  /** Told of each new event when it was written. */
  readonly onRead?: (writtenAt: EpochMs) => void
  /** Default 2,000, on one replica. */
  readonly maxReaders?: number
  /** Default 5,000, some megabytes. */
  readonly maxKept?: number
}

const MAX_READERS = 2_000
const MAX_KEPT = 5_000
/** Rows read at once, and events handed out at once: what a reader's connection has to take before it is asked again. */
const PAGE = 200

interface Kept extends TailedEvent {
  readonly row: EventRow
}

export function createEventTail(options: EventTailOptions): EventTail {
  const { database, installationId, maxReaders = MAX_READERS, maxKept = MAX_KEPT } = options
  const sleepers = new Set<() => void>()
  let readers = 0
  let isClosed = false
  /** The tail: `kept` are the events up to `last`, without a gap. Null while nobody reads: then it is not kept up. */
  let last: number | null = null
  let kept: Kept[] = []

  const tailed = (row: EventRow): Kept => ({
    row,
    sequence: row.sequence,
    type: row.type,
    json: JSON.stringify(eventView(row, installationId)),
  })

  const wakeAll = (): void => {
    const woken = [...sleepers]
    sleepers.clear()
    for (const wake of woken) wake()
  }

  const take = (rows: readonly EventRow[]): void => {
    for (const row of rows) options.onRead?.(row.at)
    kept.push(...rows.map(tailed))
    if (kept.length > maxKept) kept = kept.slice(-maxKept)
    last = rows.at(-1)?.sequence ?? last
  }

  const refresh = async (): Promise<void> => {
    if (readers === 0) {
      last = null
      kept = []
      return
    }
    last ??= (await eventBounds(database.queries)).last
    for (;;) {
      const rows = await readEvents(database.queries, EVERYTHING, { after: last, limit: PAGE })
      take(rows)
      if (rows.length > 0) wakeAll()
      if (rows.length < PAGE) break
    }
    wakeAll()
  }

  const openReader = (filter: EventFilter, start: number): EventReader => {
    let position = start
    let isOpen = true
    let wake = (): void => undefined
    readers += 1

    /** From memory where the tail reaches back that far, else a page from the store. */
    const more = async (upTo: number): Promise<readonly TailedEvent[]> => {
      const first = kept[0]?.sequence ?? upTo + 1
      if (position + 1 >= first) {
        const found = kept.slice(position + 1 - first, position + 1 - first + PAGE)
        position = found.at(-1)?.sequence ?? position
        return found.filter(({ row }) => passes(filter, row))
      }
      const rows = await readEvents(database.queries, filter, { after: position, upTo, limit: PAGE })
      assertKept(position, (await eventBounds(database.queries)).oldest)
      position = rows.length < PAGE ? upTo : (rows.at(-1)?.sequence ?? upTo)
      return rows.map(tailed)
    }
    const isOver = (): boolean => !isOpen || isClosed
    const hasMore = (): boolean => last !== null && position < last

    return {
      position: () => position,
      async next() {
        while (!isOver()) {
          if (hasMore()) {
            const found = await more(last ?? position)
            if (found.length > 0) return found
          } else {
            await new Promise<void>((resolve) => {
              wake = resolve
              sleepers.add(resolve)
            })
          }
        }
        return null
      },
      close() {
        if (!isOpen) return
        isOpen = false
        readers -= 1
        sleepers.delete(wake)
        wake()
      },
    }
  }

  return {
    async open(filter, start) {
      if (isClosed) throw new Refusal('unavailable', 'The broker is stopping.')
      if (readers >= maxReaders) throw new Refusal('unavailable', `${maxReaders} streams of events are open already.`)
      const bounds = await eventBounds(database.queries)
      const after = positionOf(start, bounds)
      assertKept(after, bounds.oldest)
      const reader = openReader(filter, after)
      options.onOpened()
      return reader
    },
    refresh,
    readers: () => readers,
    close() {
      isClosed = true
      wakeAll()
    },
  }
}

const EVERYTHING: EventFilter = { types: null, allocationId: null, organizationId: null, providerId: null }
