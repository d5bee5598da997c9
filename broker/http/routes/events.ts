import { z } from 'zod'
import { CloudEvent, EVENT_TYPES, NamedEventType } from '../../../shared/event.ts'
import { AllocationId } from '../../../shared/ids.ts'
import { invalidRequest } from '../../../shared/refusal.ts'
import { pageOf } from '../../../shared/text.ts'
import type { EventQuery, EventStart } from '../../app/read-events.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { paged, reading } from '../route.ts'
import { Nothing } from './parts.ts'

const LIST = 'events'

const EventNumber = z.string().regex(/^(0|[1-9][0-9]{0,14})$/, 'must be the number of an event, or 0')

const After = z
  .union([EventNumber.transform(Number), z.literal('latest')], 'must be the number of an event, 0, or "latest"')
  .meta({
    description:
      'Only events behind this number, or behind the last one that there is. Default: from the oldest that is kept. A number beyond the last one is refused (400, its member `last` is that one’s number): nothing would be told until the log has come to it.',
    example: 41,
    override: {
      anyOf: [
        { type: 'integer', minimum: 0 },
        { type: 'string', enum: ['latest'] },
      ],
    },
  })

const Types = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(NamedEventType).max(EVENT_TYPES.length))
  .meta({
    description: 'Only these types, comma-separated, with the prefix `kr.gpubroker.` or without it.',
    example: 'allocation.active,allocation.released',
    override: { type: 'string' },
  })

const Query = z.strictObject({
  after: After.optional(),
  types: Types.optional(),
  allocationId: AllocationId.optional().meta({ description: 'Only those about this allocation and its nodes.' }),
})

const listEvents = reading({
  path: '/v1/events',
  operationId: 'listEvents',
  tag: 'Events',
  summary: 'List events',
  description:
    'Oldest first. `sequence` has no gaps in the whole log; what is filtered, or seen by a bound caller, skips numbers. With `Accept: text/event-stream` the same events come as server-sent events (`id` is the sequence, `event` the type, `data` the event as JSON), and the stream goes on with what happens next; after a break, the header `Last-Event-ID` resumes it on any replica without a loss or a double. A number beyond the last event, as after a restore from a backup, is refused with 400 (the member `last` says how far the log has come): read the present state of what you follow, and go on behind that number. Before the first event, and while nothing is to be told, an `id` without data says how far the stream has come: as the HTML standard has it, that is no event, but the number to come back with. A client that keeps only the ids of events should begin behind an event that it knows: cut off before its first one, it would begin at a later `latest`. A stream ends after an hour at the latest: come back with a token that still holds.',
  scope: 'allocations:read',
  params: Nothing,
  query: z.strictObject({ ...Query.shape, ...pageMembers }),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(CloudEvent), example: examples.pageOf(examples.event) },
  },
  hasEtag: false,
  problems: ['events-gone'],
  async handle(useCases, { caller, query: { after, limit, cursor, ...query } }) {
    // Parsed, so a member left out is absent rather than undefined.
    const asked = { ...(query as EventQuery), start: startAt(after) }
    return paged(pageBody(LIST, await useCases.listEvents(caller, asked, pageRequest(LIST, { limit, cursor }))))
  },
  async stream(useCases, { caller, query: { after, limit, cursor, ...query } }, lastEventId) {
    const ofPages = Object.entries({ limit, cursor }).filter(([, value]) => value !== undefined)
    if (ofPages.length > 0) {
      const detail = 'is for pages: a stream has `after`'
      throw invalidRequest(ofPages.map(([name]) => ({ pointer: `/${name}`, detail })))
    }
    const seen = seenLast(lastEventId)
    const start: EventStart = seen === null ? startAt(after) : { number: seen, by: 'Last-Event-ID' }
    return useCases.openEvents(caller, { ...(query as EventQuery), start })
  },
})

const startAt = (after: number | 'latest' | undefined): EventStart =>
  typeof after === 'number' ? { number: after, by: 'after' } : (after ?? 'oldest')

/**
 * A client that was cut off names what it saw last, and its address still says where it began at first: the former wins.
 *
 * @throws Refusal `invalid-request` for what is no number of an event
 */
function seenLast(lastEventId: string | null): number | null {
  if (lastEventId === null || lastEventId === '') return null
  const parsed = EventNumber.safeParse(lastEventId)
  if (parsed.success) return Number(parsed.data)
  throw invalidRequest([{ pointer: '', detail: 'Last-Event-ID must be the number of an event' }])
}

export const eventRoutes = [listEvents]
