/** Reading the log of events page by page; each caller sees what is theirs. */
import { type CloudEvent, type EventType, fullType } from '../../shared/event.ts'
import { Refusal, invalidRequest } from '../../shared/refusal.ts'
import { toIso } from '../../shared/time.ts'
import type { EventFilter } from '../core/event-filter.ts'
import type { EventRow } from '../store/changes.ts'
import { type EventBounds, eventBounds, readEvents } from '../store/events.ts'
import type { App } from './app.ts'
import { afterNumber, type Caller, type Page, type PageRequest } from './command.ts'

/** What a caller asks for; members left out do not filter. */
export interface EventQuery {
  readonly types?: readonly EventType[]
  readonly allocationId?: string
}

/** Where to begin: behind a number that was given, behind the last one there is, or with the oldest that is kept. */
export type EventStart = GivenNumber | 'latest' | 'oldest'

interface GivenNumber {
  readonly number: number
  /** What gave it, for who has to be told that the log has no such number. */
  readonly by: 'after' | 'cursor' | 'Last-Event-ID'
}

export const eventFilter = (
  { organizationId, providerId }: Pick<Caller, 'organizationId' | 'providerId'>,
  { types, allocationId }: EventQuery,
): EventFilter => ({
  types: types?.map(fullType) ?? null,
  allocationId: allocationId ?? null,
  organizationId,
  providerId,
})

/**
 * Oldest first.
 *
 * @throws Refusal `events-gone` when some after the start are no longer kept; `invalid-request` beyond the last one
 */
export async function listEvents(
  app: App,
  caller: Caller,
  { start: asked, ...query }: EventQuery & { readonly start: EventStart },
  page: PageRequest,
): Promise<Page<CloudEvent>> {
  const db = app.database.queries
  const number = afterNumber(page)
  const start: EventStart = number === null ? asked : { number, by: 'cursor' }
  const after = positionOf(start, await eventBounds(db))
  const rows = await readEvents(db, eventFilter(caller, query), { after, limit: page.limit + 1 })
  // Asked after the rows are read: what was kept then was kept all the while.
  assertKept(after, (await eventBounds(db)).oldest)
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return {
    items: shown.map((row) => eventView(row, app.installationId)),
    next: last === undefined ? null : String(last.sequence),
  }
}

/**
 * The number behind which to read.
 *
 * @param bounds as the store has them now: somebody may have been given an event by another replica a moment ago
 * @throws Refusal `invalid-request` for a number that the log has not come to. Its reader would be told nothing until it
 *   has, and so would lose what happens meanwhile: it knows the log of before a restore.
 */
export function positionOf(start: EventStart, { oldest, last }: EventBounds): number {
  if (start === 'latest') return last
  if (start === 'oldest') return oldest - 1
  const { number, by } = start
  if (number <= last) return number
  const detail = `must be at most ${last}, the number of the last event: whoever has seen a later one read a log that was since restored from a backup`
  const { code, message, members } = invalidRequest([
    by === 'Last-Event-ID' ? { pointer: '', detail: `${by} ${detail}` } : { pointer: `/${by}`, detail },
  ])
  throw new Refusal(code, message, { ...members, last })
}

/** @throws Refusal `events-gone` */
export function assertKept(after: number, oldest: number): void {
  if (after + 1 >= oldest) return
  throw new Refusal('events-gone', `The oldest event that is kept is number ${oldest}.`, { oldest })
}

export const eventView = (row: EventRow, installationId: string): CloudEvent => ({
  specversion: '1.0',
  id: row.id,
  source: `urn:gpu-broker:${installationId}`,
  type: row.type,
  subject: row.subject,
  time: toIso(row.at),
  datacontenttype: 'application/json',
  sequence: row.sequence,
  ...(row.traceparent !== null && { traceparent: row.traceparent }),
  data: row.data as CloudEvent['data'], // written by draft.ts from exactly that
})
