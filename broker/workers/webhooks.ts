/**
 * Sends events to the endpoints that asked for them. Each endpoint has a lane of its own, which one replica at a time
 * claims: events go out one after the other in the log's order, and an endpoint that hangs or fails delays no other. What
 * failed is tried again at its own pace, and what comes after it is not held up for longer than a minute.
 */
import { randomUUID } from 'node:crypto'
import { fullType } from '../../shared/event.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import type { DeliveryStatus } from '../../shared/webhook.ts'
import type { App } from '../app/app.ts'
import { newId } from '../app/ids.ts'
import { eventView } from '../app/read-events.ts'
import { MAX_WEBHOOKS, secretsOf } from '../app/webhooks.ts'
import type { EventFilter } from '../core/event-filter.ts'
import { endpointPauseMs, nextAttemptAt, RETRIED_FOR_MS } from '../core/webhook-retry.ts'
import type { Metrics } from '../metrics.ts'
import type { Posted, Poster } from '../outbound/post.ts'
import { signatureHeaders } from '../outbound/signature.ts'
import type { DeliveryRow, EventRow, WebhookRow } from '../store/changes.ts'
import { eventBounds, readEvents } from '../store/events.ts'
import { claimWebhooks, dueDeliveries, recordProgress } from '../store/webhooks.ts'
import { inSpan } from '../tracing.ts'
import { type Loop, startLoop } from './loop.ts'

export interface WebhookContext {
  readonly app: App
  readonly post: Poster
  readonly metrics: Pick<Metrics, 'webhookDeliveries' | 'webhookDeliverySeconds'>
  /** Ends what is being sent when the broker stops; it is sent again after the next start. */
  readonly signal: AbortSignal
}

/** Longer than an attempt lasts; renewed with each. */
const LEASE_MS = 30 * SECOND_MS
/** What another replica wrote is noticed within this. */
const POLL_MS = SECOND_MS
/** Sent to one endpoint before the claim is given back, so that replicas share the work. */
const BATCH = 50

export function startWebhooks(context: WebhookContext, onError: (error: unknown) => void): Loop {
  const lanes = new Set<Promise<void>>()
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      for (const lane of await openLanes(context, MAX_WEBHOOKS - lanes.size)) {
        const done = lane.catch(onError).finally(() => {
          lanes.delete(done)
          loop.poke()
        })
        lanes.add(done)
      }
      return POLL_MS
    },
  })
  context.app.writer.onCommit(({ events }) => {
    if (events.length > 0) loop.poke()
  })
  return {
    poke: loop.poke,
    async stop() {
      await loop.stop()
      await Promise.all(lanes)
    },
  }
}

/** Claims endpoints that have something to be sent. @returns for each, when its turn has ended */
export async function openLanes(context: WebhookContext, limit: number): Promise<readonly Promise<void>[]> {
  if (limit <= 0) return []
  const { app } = context
  const token = randomUUID()
  const rows = await claimWebhooks(app.database.queries, { now: app.now(), token, leaseMs: LEASE_MS, limit })
  return rows.map((row) => runLane(context, row, token))
}

interface Lane {
  readonly context: WebhookContext
  readonly webhook: WebhookRow
  readonly claim: { readonly id: string; readonly token: string }
  /** In a row, as of now. */
  failures: number
}

async function runLane(context: WebhookContext, webhook: WebhookRow, token: string): Promise<void> {
  const lane: Lane = { context, webhook, claim: { id: webhook.id, token }, failures: webhook.failures }
  const position = await sendAll(lane)
  // However its turn has ended, a stop included: whoever comes next need not wait for the lease to end.
  const progress = { ...(position === null ? {} : { position }), claimedUntil: null }
  await recordProgress(context.app.database, lane.claim, { progress, delivery: null })
}

/**
 * Due retries first, then what is new; ends with the first failure, when the claim is lost, or when the broker stops.
 *
 * @returns how far in the log the endpoint has come; null when it ended before that
 */
async function sendAll(lane: Lane): Promise<number | null> {
  const { webhook } = lane
  const { app, signal } = lane.context
  const db = app.database.queries
  for (const delivery of await dueDeliveries(db, { webhookId: webhook.id, now: app.now(), limit: BATCH })) {
    if (signal.aborted || !(await sendAgain(lane, delivery))) return null
  }
  const { last } = await eventBounds(db)
  const events = await readEvents(db, filterOf(webhook), { after: webhook.position, upTo: last, limit: BATCH })
  for (const event of events) {
    if (signal.aborted || !(await send(lane, event, firstDelivery(webhook, event, app.now())))) return null
  }
  return events.length < BATCH ? last : (events.at(-1)?.sequence ?? last)
}

const filterOf = ({ types, organizationId, providerId }: WebhookRow): EventFilter => ({
  types: types?.map(fullType) ?? null,
  allocationId: null,
  organizationId,
  providerId,
})

const firstDelivery = (webhook: WebhookRow, event: EventRow, now: EpochMs): DeliveryRow => ({
  id: newId('dlv'),
  webhookId: webhook.id,
  eventSequence: event.sequence,
  eventId: event.id,
  eventType: event.type,
  status: 'retrying',
  attempts: 0,
  createdAt: now,
  lastAttemptAt: null,
  nextAttemptAt: now,
  giveUpAt: now + RETRIED_FOR_MS,
  responseStatus: null,
  error: null,
})

async function sendAgain(lane: Lane, delivery: DeliveryRow): Promise<boolean> {
  const { database } = lane.context.app
  const span = { after: delivery.eventSequence - 1, upTo: delivery.eventSequence, limit: 1 }
  const [event] = await readEvents(database.queries, EVERYTHING, span)
  if (event !== undefined) return send(lane, event, delivery)
  const parked = { ...delivery, status: 'parked' as const, nextAttemptAt: null, error: 'the event is no longer kept' }
  return recordProgress(database, lane.claim, { progress: {}, delivery: parked })
}

const EVERYTHING: EventFilter = { types: null, allocationId: null, organizationId: null, providerId: null }

/** @returns whether the lane goes on */
async function send(lane: Lane, event: EventRow, delivery: DeliveryRow): Promise<boolean> {
  const { context, webhook, claim } = lane
  const { app, metrics, signal } = context
  const { status: responseStatus, error } = await post(lane, event)
  if (signal.aborted && error !== null) return false // it was we who ended it: no fault of the endpoint's
  const now = app.now()
  const attempts = delivery.attempts + 1
  const nextAt = error === null ? null : nextAttemptAt(attempts, { now, giveUpAt: delivery.giveUpAt })
  const status: DeliveryStatus = error === null ? 'delivered' : nextAt === null ? 'parked' : 'retrying'
  metrics.webhookDeliveries.inc({ outcome: status === 'retrying' ? 'failed' : status })
  if (status === 'delivered') metrics.webhookDeliverySeconds.observe(Math.max(0, now - event.at) / SECOND_MS)
  lane.failures = error === null ? 0 : lane.failures + 1
  const held = await recordProgress(app.database, claim, {
    delivery: { ...delivery, status, attempts, lastAttemptAt: now, nextAttemptAt: nextAt, responseStatus, error },
    progress: {
      position: Math.max(webhook.position, event.sequence),
      failures: lane.failures,
      ...(error === null
        ? { lastSuccessAt: now, claimedUntil: now + LEASE_MS }
        : { pausedUntil: now + endpointPauseMs(lane.failures), claimedUntil: null }),
    },
  })
  return held && error === null
}

function post(lane: Lane, event: EventRow): Promise<Posted> {
  const attributes = { 'gpu_broker.webhook.id': lane.webhook.id, 'cloudevents.event_type': event.type }
  const options = { name: 'deliver event', kind: 'producer', parent: event.traceparent, attributes } as const
  return inSpan(options, async (span) => {
    const posted = await postOnce(lane, event, span.traceparent)
    if (posted.status !== null) span.set({ 'http.response.status_code': posted.status })
    return posted
  })
}

function postOnce({ context, webhook }: Lane, event: EventRow, traceparent: string): Promise<Posted> {
  const { app, signal } = context
  const body = JSON.stringify(eventView(event, app.installationId))
  const timestampSeconds = Math.floor(app.now() / SECOND_MS)
  const headers = {
    'content-type': 'application/cloudevents+json; charset=utf-8',
    traceparent,
    ...signatureHeaders({ id: event.id, timestampSeconds, body }, secretsOf(webhook, app.now())),
  }
  return context.post({ url: webhook.url, headers, body, signal })
}
