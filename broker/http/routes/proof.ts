import { z } from 'zod'
import { DecisionId } from '../../../shared/ids.ts'
import { CalendarEntry, CalendarHead, DecisionRecord } from '../../../shared/proof.ts'
import { pageOf } from '../../../shared/text.ts'
import { InstantInQuery, openRangeOf } from '../time-range.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { paged, reading, seen } from '../route.ts'
import { Nothing } from './parts.ts'

const tag = 'Proof'
const DECISIONS = 'all-decisions'
const LOG = 'calendar-log'

const listDecisions = reading({
  path: '/v1/decisions',
  operationId: 'listDecisions',
  tag,
  summary: 'List all decisions with what they followed from',
  description:
    'In the order in which they were made. With the calendar’s log, each can be made again: `gpu-broker decisions verify` does so, on the reader’s own machine.',
  scope: 'audit:read',
  params: Nothing,
  query: z.strictObject({
    from: InstantInQuery.optional().meta({ description: 'Made then or later.' }),
    to: InstantInQuery.optional().meta({ description: 'Made before.' }),
    ...pageMembers,
  }),
  successes: {
    ok: {
      description: 'A page of them.',
      schema: pageOf(DecisionRecord),
      example: examples.pageOf(examples.decisionRecord),
    },
  },
  hasEtag: false,
  async handle(useCases, { caller, query: { from, to, limit, cursor } }) {
    const page = await useCases.listDecisions(
      caller,
      openRangeOf({ from, to }),
      pageRequest(DECISIONS, { limit, cursor }),
    )
    return paged(pageBody(DECISIONS, page))
  },
})

const getDecision = reading({
  path: '/v1/decisions/{id}',
  operationId: 'getDecision',
  tag,
  summary: 'Look at one decision with what it followed from',
  scope: 'audit:read',
  params: z.strictObject({ id: DecisionId }),
  query: Nothing,
  successes: { ok: { description: 'The decision.', schema: DecisionRecord, example: examples.decisionRecord } },
  hasEtag: true,
  // A decision is never changed: whoever has it has it.
  handle: async (useCases, { caller, params: { id } }) =>
    seen({ body: await useCases.getDecision(caller, id), etag: id }),
})

const getCalendarHead = reading({
  path: '/v1/calendar',
  operationId: 'getCalendarHead',
  tag,
  summary: 'See how far the calendar has come, and the digest of its log',
  description: 'Who keeps the digest elsewhere can show later that nothing before it was changed.',
  scope: 'audit:read',
  params: Nothing,
  query: Nothing,
  successes: { ok: { description: 'The head.', schema: CalendarHead, example: examples.calendarHead } },
  hasEtag: true,
  async handle(useCases, { caller }) {
    const body = await useCases.getCalendarHead(caller)
    return seen({ body, etag: `${body.version}-${body.decisions}` })
  },
})

const listCalendarLog = reading({
  path: '/v1/calendar/log',
  operationId: 'listCalendarLog',
  tag,
  summary: 'List all that ever changed the calendar',
  description: 'In order. The calendar is what these operations leave, applied one after the other to an empty one.',
  scope: 'audit:read',
  params: Nothing,
  query: z.strictObject(pageMembers),
  successes: {
    ok: {
      description: 'A page of them.',
      schema: pageOf(CalendarEntry),
      example: examples.pageOf(examples.calendarEntry),
    },
  },
  hasEtag: false,
  handle: async (useCases, { caller, query }) =>
    paged(pageBody(LOG, await useCases.listCalendarLog(caller, pageRequest(LOG, query)))),
})

export const proofRoutes = [listDecisions, getDecision, getCalendarHead, listCalendarLog]
