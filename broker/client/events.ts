/** Events, listed or streamed, and the endpoints that they are sent to. */
import type { CloudEvent, EventType } from '../../shared/event.ts'
import type { Delivery, Webhook, WebhookRequest, WebhookWithSecret } from '../../shared/webhook.ts'
import {
  type CallOptions,
  type Calls,
  type IfMatchOption,
  type ListOptions,
  type PostOptions,
  type ReadById,
  pathTo,
} from './calls.ts'
import { type StreamOptions, streamEvents } from './stream.ts'

/** Members left out do not filter. */
export interface EventFilter {
  /** Only what came after this number, or from now on; default: from the oldest that is kept. */
  readonly after?: number | 'latest'
  readonly types?: readonly EventType[]
  readonly allocationId?: string
}

export interface EventCalls {
  /** Oldest first, to the end of what there is. */
  listEvents(filter?: EventFilter, options?: ListOptions): AsyncGenerator<CloudEvent>
  /**
   * The same, and then what happens next, until the reader breaks off or its signal aborts. A connection that breaks is
   * opened again behind the event seen last, so that none is lost and none comes twice.
   *
   * @throws ProblemError `events-gone` when what comes next is no longer kept; `invalid-request`, with `last` in its
   *   problem, when the log ends before what was seen: it was restored from a backup
   */
  streamEvents(filter?: EventFilter, options?: StreamOptions): AsyncGenerator<CloudEvent>

  /** Its `secret` is shown this once. */
  createWebhook(request: WebhookRequest, options?: PostOptions): Promise<WebhookWithSecret>
  /** Newest first. */
  listWebhooks(options?: ListOptions): AsyncGenerator<Webhook>
  readonly getWebhook: ReadById<Webhook>
  deleteWebhook(id: string, options?: CallOptions & IfMatchOption): Promise<void>
  /** For 24 h deliveries carry the signatures of both secrets; rotated again meanwhile, each goes on for its own. */
  rotateWebhookSecret(id: string, options?: PostOptions & IfMatchOption): Promise<WebhookWithSecret>
  /** The newest events first. */
  listDeliveries(webhookId: string, options?: ListOptions): AsyncGenerator<Delivery>
  /** Sends an event once more. */
  redeliver(webhookId: string, deliveryId: string, options?: PostOptions): Promise<Delivery>
}

export const eventCalls = ({ exchange, readById, post, walk, ...calls }: Calls): EventCalls => ({
  listEvents: (filter, options) => walk(pathTo('events'), options, queryOf(filter)),
  streamEvents: (filter, options) =>
    streamEvents(exchange, { path: pathTo('events'), query: queryOf(filter) }, options),

  createWebhook: (request, options) => post(pathTo('webhooks'), request, options),
  listWebhooks: (options) => walk(pathTo('webhooks'), options),
  getWebhook: readById('webhooks'),
  deleteWebhook: (id, options) => calls.delete(pathTo('webhooks', id), { ...options, goneIsDone: true }),
  rotateWebhookSecret: (id, options) => post(pathTo('webhooks', id, 'rotate-secret'), {}, options),
  listDeliveries: (id, options) => walk(pathTo('webhooks', id, 'deliveries'), options),
  redeliver: (id, deliveryId, options) =>
    post(pathTo('webhooks', id, 'deliveries', deliveryId, 'redeliver'), {}, options),
})

const queryOf = ({ after, types, allocationId }: EventFilter = {}) => ({ after, types: types?.join(','), allocationId })
