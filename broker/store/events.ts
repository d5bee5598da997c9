/**
 * The log of events, read. It is written under the calendar's lock, so whoever sees a number sees all before it; numbers
 * at its old end may be gone, once their retention has passed.
 */
import { sql } from 'kysely'
import type { EventFilter } from '../core/event-filter.ts'
import type { EventRow } from './changes.ts'
import type { Queries } from './database.ts'

export interface EventSpan {
  /** Exclusive. */
  readonly after: number
  /** Inclusive; default: as far as there are some. */
  readonly upTo?: number
  readonly limit: number
}

/** In order. */
export async function readEvents(
  db: Queries,
  { types, allocationId, organizationId, providerId }: EventFilter,
  { after, upTo, limit }: EventSpan,
): Promise<readonly EventRow[]> {
  let query = db.selectFrom('events').selectAll().where('sequence', '>', after).orderBy('sequence').limit(limit)
  if (upTo !== undefined) query = query.where('sequence', '<=', upTo)
  if (types !== null) query = query.where('type', 'in', types)
  if (allocationId !== null) query = query.where('allocationId', '=', allocationId)
  if (organizationId !== null) query = query.where('organizationId', '=', organizationId)
  if (providerId !== null) query = query.where('providerId', '=', providerId)
  return query.execute()
}

export interface EventBounds {
  /** The oldest that is kept; one above `last` when none is. */
  readonly oldest: number
  /** The last one ever written; 0 before the first. */
  readonly last: number
}

export async function eventBounds(db: Queries): Promise<EventBounds> {
  const { last, oldest } = await db
    .selectFrom('calendarHead')
    .select(['eventSequence as last', sql<number | null>`(select min(sequence) from events)`.as('oldest')])
    .executeTakeFirstOrThrow()
  return { last, oldest: oldest ?? last + 1 }
}
