import { z } from 'zod'
import { WaitlistItem } from '../../../shared/allocation.ts'
import { Architecture } from '../../../shared/cluster.ts'
import { pageOf } from '../../../shared/text.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { paged, reading } from '../route.ts'
import { Nothing } from './parts.ts'

const LIST = 'waitlist'

const listWaitlist = reading({
  path: '/v1/waitlist',
  operationId: 'listWaitlist',
  tag: 'Allocations',
  summary: 'List who waits, in serving order',
  description: 'Positions are counted in the whole list, whoever asks.',
  scope: 'allocations:read',
  params: Nothing,
  query: z.strictObject({
    architecture: Architecture.optional().meta({ description: 'Only those that could run on it.' }),
    ...pageMembers,
  }),
  successes: {
    ok: {
      description: 'A page of them.',
      schema: pageOf(WaitlistItem),
      example: examples.pageOf(examples.waitlistItem),
    },
  },
  hasEtag: false,
  async handle(useCases, { caller, query: { architecture, ...page } }) {
    const filter = architecture === undefined ? {} : { architecture }
    return paged(pageBody(LIST, await useCases.listWaitlist(caller, filter, pageRequest(LIST, page))))
  },
})

export const waitlistRoutes = [listWaitlist]
