import { z } from 'zod'
import { pageOf } from '../../../shared/text.ts'
import { Delivery, DeliveryId, Webhook, WebhookId, WebhookRequest, WebhookWithSecret } from '../../../shared/webhook.ts'
import type { Caller } from '../../app/command.ts'
import * as examples from '../examples.ts'
import { pageBody, pageMembers, pageRequest } from '../pagination.ts'
import { answered, paged, reading, route, seen } from '../route.ts'
import type { UseCases } from '../use-cases.ts'
import { Nothing } from './parts.ts'

const LIST = 'webhooks'
const tag = 'Events'
const scope = 'webhooks:write'
const params = z.strictObject({ id: WebhookId })
const deliveryParams = z.strictObject({ id: WebhookId, deliveryId: DeliveryId })
const find = (useCases: UseCases, caller: Caller, { id }: z.infer<typeof params>): Promise<unknown> =>
  useCases.getWebhook(caller, id)

const createWebhook = route({
  method: 'post',
  path: '/v1/webhooks',
  operationId: 'createWebhook',
  tag,
  summary: 'Have events sent to an endpoint from now on',
  description:
    'Each event is POSTed as a CloudEvent in structured JSON, signed as the Standard Webhooks specification says (`webhook-id` is the event’s id, the same in every attempt). Anything but a 2xx within 10 s is a failure: it is retried with growing pauses for 3 days, then parked. Events come in their order, but one that failed may be overtaken. A bound caller’s endpoint gets only what that caller may see. The secret is shown this once.',
  scope,
  params: Nothing,
  query: Nothing,
  body: { schema: WebhookRequest, required: true, example: examples.webhookRequest },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: {
    created: {
      description: 'The webhook, with its secret.',
      schema: WebhookWithSecret,
      example: examples.webhookWithSecret,
    },
  },
  hasEtag: true,
  problems: ['too-many-webhooks'],
  async handle(useCases, { command, body }) {
    const answer = await useCases.createWebhook(command, body)
    return { ...answered('created', answer), location: `/v1/webhooks/${answer.body.id}` }
  },
})

const listWebhooks = reading({
  path: '/v1/webhooks',
  operationId: 'listWebhooks',
  tag,
  summary: 'List webhooks',
  description: 'Newest first.',
  scope,
  params: Nothing,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(Webhook), example: examples.pageOf(examples.webhook) },
  },
  hasEtag: false,
  handle: async (useCases, { caller, query }) =>
    paged(pageBody(LIST, await useCases.listWebhooks(caller, pageRequest(LIST, query)))),
})

const getWebhook = reading({
  path: '/v1/webhooks/{id}',
  operationId: 'getWebhook',
  tag,
  summary: 'Look at one webhook',
  scope,
  params,
  query: Nothing,
  successes: { ok: { description: 'The webhook.', schema: Webhook, example: examples.webhook } },
  hasEtag: true,
  find,
  handle: async (useCases, { caller, params: { id } }) => seen(await useCases.getWebhook(caller, id)),
})

const deleteWebhook = route({
  method: 'delete',
  path: '/v1/webhooks/{id}',
  operationId: 'deleteWebhook',
  tag,
  summary: 'Send no more events to an endpoint',
  description: 'Its deliveries are forgotten with it.',
  scope,
  params,
  query: Nothing,
  body: null,
  takesIdempotencyKey: false,
  takesIfMatch: true,
  successes: { 'no-content': { description: 'It is gone.', schema: z.null(), example: null } },
  hasEtag: false,
  problems: [],
  find,
  handle: async (useCases, { command, params: { id } }) =>
    answered('no-content', await useCases.deleteWebhook(command, id)),
})

const rotateSecret = route({
  method: 'post',
  path: '/v1/webhooks/{id}/rotate-secret',
  operationId: 'rotateWebhookSecret',
  tag,
  summary: 'Give a webhook a new secret',
  description:
    'Needs no body. The new secret is shown this once; for 24 h deliveries carry the signatures of both. Rotated again meanwhile, each secret goes on for its own 24 h, at most 9 beside the newest. With an idempotency key, a repeat shows the same secret again.',
  scope,
  params,
  query: Nothing,
  body: { schema: Nothing, required: false, example: {} },
  takesIdempotencyKey: true,
  takesIfMatch: true,
  successes: {
    ok: {
      description: 'The webhook, with its new secret.',
      schema: WebhookWithSecret,
      example: examples.webhookWithSecret,
    },
  },
  hasEtag: true,
  problems: [],
  find,
  handle: async (useCases, { command, params: { id } }) =>
    answered('ok', await useCases.rotateWebhookSecret(command, id)),
})

const listDeliveries = reading({
  path: '/v1/webhooks/{id}/deliveries',
  operationId: 'listDeliveries',
  tag,
  summary: 'List what was sent to a webhook, and what became of it',
  description: 'The newest events first.',
  scope,
  params,
  query: z.strictObject(pageMembers),
  successes: {
    ok: { description: 'A page of them.', schema: pageOf(Delivery), example: examples.pageOf(examples.delivery) },
  },
  hasEtag: false,
  find,
  handle: async (useCases, { caller, params: { id }, query }) =>
    paged(
      pageBody(
        `deliveries to ${id}`,
        await useCases.listDeliveries(caller, id, pageRequest(`deliveries to ${id}`, query)),
      ),
    ),
})

const redeliver = route({
  method: 'post',
  path: '/v1/webhooks/{id}/deliveries/{deliveryId}/redeliver',
  operationId: 'redeliver',
  tag,
  summary: 'Send an event to a webhook once more',
  description: 'Needs no body. Whatever became of it before; it is retried as a new one is.',
  scope,
  params: deliveryParams,
  query: Nothing,
  body: { schema: Nothing, required: false, example: {} },
  takesIdempotencyKey: true,
  takesIfMatch: false,
  successes: { accepted: { description: 'The delivery.', schema: Delivery, example: examples.redelivery } },
  hasEtag: false,
  problems: [],
  find,
  handle: async (useCases, { command, params: { id, deliveryId } }) =>
    answered('accepted', await useCases.redeliver(command, { id, deliveryId })),
})

export const webhookRoutes = [
  createWebhook,
  listWebhooks,
  getWebhook,
  deleteWebhook,
  rotateSecret,
  listDeliveries,
  redeliver,
]
