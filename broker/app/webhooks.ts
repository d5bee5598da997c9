/**
 * Who is sent events. An endpoint belongs to the organisation or the provider that its maker is bound to, and gets what
 * that caller may see; one made without a bound gets all.
 */
import { randomBytes } from 'node:crypto'
import { Refusal } from '../../shared/refusal.ts'
import { DAY_MS, type EpochMs, toIso, toIsoOrNull } from '../../shared/time.ts'
import type { Delivery, Webhook, WebhookRequest, WebhookWithSecret } from '../../shared/webhook.ts'
import { RETRIED_FOR_MS } from '../core/webhook-retry.ts'
import type { DeliveryRow, WebhookRow } from '../store/changes.ts'
import type { OlderSecret } from '../store/schema.ts'
import { findWebhook, pageOfDeliveries, pageOfWebhooks } from '../store/webhooks.ts'
import type { App } from './app.ts'
import { afterNumber, type Answer, type Caller, type Command, type Page, type PageRequest } from './command.ts'
import type { Draft } from './draft.ts'
import { assertFresh } from './fresh.ts'
import { newId } from './ids.ts'
import { etagOf } from './views.ts'

/** Each has a lane of its own when events are sent; more of them than this is a mistake. */
export const MAX_WEBHOOKS = 256
/** For so long deliveries carry the signatures of a secret that was replaced. */
const OVERLAP_MS = DAY_MS
/** Of those before the one before. Each makes the header longer; who rotates more often in a day loses the oldest. */
const MAX_OLDER_SECRETS = 8
const SECRET_BYTES = 32

const newSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`

/** It gets what happens from now on. */
export function createWebhook(app: App, command: Command, request: WebhookRequest): Promise<Answer<WebhookWithSecret>> {
  const { organizationId, providerId } = command.caller
  return app.writer.answer(command, {
    needs: { everyWebhook: true },
    decide(draft) {
      if (draft.webhookCount() >= MAX_WEBHOOKS)
        throw new Refusal('too-many-webhooks', `There are ${MAX_WEBHOOKS} webhooks already.`)
      const row: WebhookRow = {
        id: newId('whk'),
        sequence: draft.nextAllocationSequence(),
        url: request.url,
        types: request.types ?? null,
        description: request.description ?? null,
        organizationId,
        providerId,
        secret: newSecret(),
        previousSecret: null,
        previousUntil: null,
        olderSecrets: null,
        version: 1,
        createdAt: draft.now,
        updatedAt: draft.now,
        position: draft.lastEventSequence(),
        failures: 0,
        pausedUntil: 0,
        lastSuccessAt: null,
        claimToken: null,
        claimedUntil: null,
      }
      draft.saveWebhook(row)
      return withSecret(row)
    },
  })
}

const withSecret = (row: WebhookRow): { body: WebhookWithSecret; etag: string } => ({
  body: { ...webhookView(row), secret: row.secret },
  etag: etagOf(row),
})

export function deleteWebhook(app: App, command: Command, id: string): Promise<Answer<null>> {
  return app.writer.answer(command, {
    needs: { webhooks: [id] },
    decide(draft) {
      assertFresh(command, ownWebhook(draft.webhook(id), command.caller, id))
      draft.dropWebhook(id)
      return { body: null, etag: null }
    },
  })
}

/**
 * The secret before goes on being used beside the new one for a day, and so do those before it until theirs is over: who
 * rotates again because an answer was lost has a receiver that knows the first one only.
 */
export function rotateSecret(app: App, command: Command, id: string): Promise<Answer<WebhookWithSecret>> {
  return app.writer.answer(command, {
    needs: { webhooks: [id] },
    decide(draft) {
      const row = ownWebhook(draft.webhook(id), command.caller, id)
      assertFresh(command, row)
      const rotated: WebhookRow = {
        ...row,
        secret: newSecret(),
        previousSecret: row.secret,
        previousUntil: draft.now + OVERLAP_MS,
        olderSecrets: replacedSecrets(row, draft.now).slice(0, MAX_OLDER_SECRETS),
        version: row.version + 1,
        updatedAt: draft.now,
      }
      draft.saveWebhook(rotated)
      return withSecret(rotated)
    },
  })
}

/** What deliveries are signed with: the secret in use first, then those that were replaced not long ago. */
export const secretsOf = (row: WebhookRow, now: EpochMs): readonly string[] => [
  row.secret,
  ...replacedSecrets(row, now).map(({ secret }) => secret),
]

/** The newest first. */
function replacedSecrets({ previousSecret, previousUntil, olderSecrets }: WebhookRow, now: EpochMs): OlderSecret[] {
  const previous =
    previousSecret === null || previousUntil === null ? [] : [{ secret: previousSecret, until: previousUntil }]
  return [...previous, ...(olderSecrets ?? [])].filter(({ until }) => now < until)
}

/** Sends an event once more, whatever became of it before; it is retried as a new one is. */
export function redeliver(
  app: App,
  command: Command,
  { id, deliveryId }: { readonly id: string; readonly deliveryId: string },
): Promise<Answer<Delivery>> {
  return app.writer.answer(command, {
    needs: { webhooks: [id], deliveries: [deliveryId] },
    decide(draft: Draft) {
      ownWebhook(draft.webhook(id), command.caller, id)
      const row = draft.delivery(deliveryId)
      if (row === null || row.webhookId !== id) throw new Refusal('not-found', `There is no delivery ${deliveryId}.`)
      const again: DeliveryRow = {
        ...row,
        status: 'retrying',
        attempts: 0,
        nextAttemptAt: draft.now,
        giveUpAt: draft.now + RETRIED_FOR_MS,
      }
      draft.saveDelivery(again)
      return { body: deliveryView(again), etag: null }
    },
  })
}

export async function getWebhook(app: App, caller: Caller, id: string): Promise<{ body: Webhook; etag: string }> {
  const row = ownWebhook(await findWebhook(app.database.queries, id), caller, id)
  return { body: webhookView(row), etag: etagOf(row) }
}

export async function listWebhooks(app: App, caller: Caller, page: PageRequest): Promise<Page<Webhook>> {
  const rows = await pageOfWebhooks(app.database.queries, {
    owner: caller,
    after: afterNumber(page),
    limit: page.limit + 1,
  })
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return { items: shown.map(webhookView), next: last === undefined ? null : String(last.sequence) }
}

export async function listDeliveries(app: App, caller: Caller, id: string, page: PageRequest): Promise<Page<Delivery>> {
  await getWebhook(app, caller, id)
  const rows = await pageOfDeliveries(app.database.queries, {
    webhookId: id,
    after: afterNumber(page),
    limit: page.limit + 1,
  })
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return { items: shown.map(deliveryView), next: last === undefined ? null : String(last.eventSequence) }
}

/** @throws Refusal `not-found` also for what is somebody else's */
function ownWebhook(row: WebhookRow | null, caller: Caller, id: string): WebhookRow {
  const own =
    row !== null &&
    (caller.organizationId === null || row.organizationId === caller.organizationId) &&
    (caller.providerId === null || row.providerId === caller.providerId)
  if (!own) throw new Refusal('not-found', `There is no webhook ${id}.`)
  return row
}

const webhookView = (row: WebhookRow): Webhook => ({
  id: row.id,
  url: row.url,
  types: row.types === null ? null : [...row.types],
  description: row.description,
  status: row.failures === 0 ? 'healthy' : 'failing',
  previousSecretUntil: toIsoOrNull(row.previousUntil),
  lastSuccessAt: toIsoOrNull(row.lastSuccessAt),
  createdAt: toIso(row.createdAt),
  updatedAt: toIso(row.updatedAt),
})

const deliveryView = (row: DeliveryRow): Delivery => ({
  id: row.id,
  webhookId: row.webhookId,
  eventId: row.eventId,
  eventType: row.eventType,
  sequence: row.eventSequence,
  status: row.status,
  attempts: row.attempts,
  responseStatus: row.responseStatus,
  error: row.error,
  createdAt: toIso(row.createdAt),
  lastAttemptAt: toIsoOrNull(row.lastAttemptAt),
  nextAttemptAt: toIsoOrNull(row.nextAttemptAt),
})
