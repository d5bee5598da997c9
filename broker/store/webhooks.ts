/**
 * Endpoints and their deliveries. An endpoint's position says how far in the log of events it has come; it is moved by
 * whoever holds the endpoint's claim, with the row that says what became of the event.
 */
import { sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { DeliveryRow, WebhookRow } from './changes.ts'
import type { Database, Queries, Transaction } from './database.ts'
import { upsertRows } from './rows.ts'

/** What the worker keeps there; a caller's change leaves it as it is. */
const WORKER_COLUMNS = ['position', 'failures', 'paused_until', 'last_success_at', 'claim_token', 'claimed_until']

export async function saveWebhooks(trx: Transaction, changed: ReadonlyMap<string, WebhookRow | null>): Promise<void> {
  const rows = [...changed.values()].filter((row) => row !== null)
  await upsertRows(trx, 'webhooks', rows, { key: ['id'], keep: WORKER_COLUMNS })
  for (const [id, row] of changed) if (row === null) await trx.deleteFrom('webhooks').where('id', '=', id).execute()
}

export const saveDeliveries = (trx: Transaction, rows: readonly DeliveryRow[]): Promise<void> =>
  upsertRows(trx, 'webhook_deliveries', rows, { key: ['id'] })

interface Owner {
  readonly organizationId: string | null
  readonly providerId: string | null
}

export async function findWebhook(db: Queries, id: string): Promise<WebhookRow | null> {
  return (await db.selectFrom('webhooks').selectAll().where('id', '=', id).executeTakeFirst()) ?? null
}

/** Newest first. */
export function pageOfWebhooks(
  db: Queries,
  { owner, after, limit }: { readonly owner: Owner; readonly after: number | null; readonly limit: number },
): Promise<readonly WebhookRow[]> {
  let query = db.selectFrom('webhooks').selectAll().orderBy('sequence', 'desc').limit(limit)
  if (owner.organizationId !== null) query = query.where('organizationId', '=', owner.organizationId)
  if (owner.providerId !== null) query = query.where('providerId', '=', owner.providerId)
  if (after !== null) query = query.where('sequence', '<', after)
  return query.execute()
}

/** Of the newest events first. */
export function pageOfDeliveries(
  db: Queries,
  { webhookId, after, limit }: { readonly webhookId: string; readonly after: number | null; readonly limit: number },
): Promise<readonly DeliveryRow[]> {
  let query = db
    .selectFrom('webhookDeliveries')
    .selectAll()
    .where('webhookId', '=', webhookId)
    .orderBy('eventSequence', 'desc')
    .limit(limit)
  if (after !== null) query = query.where('eventSequence', '<', after)
  return query.execute()
}

export interface Claiming {
  readonly now: EpochMs
  readonly token: string
  readonly leaseMs: number
  readonly limit: number
}

/** Endpoints that have something to be sent, are not left alone just now, and are nobody's. */
export async function claimWebhooks(
  db: Queries,
  { now, token, leaseMs, limit }: Claiming,
): Promise<readonly WebhookRow[]> {
  const { rows } = await sql<WebhookRow>`
    update webhooks set claim_token = ${token}, claimed_until = ${now + leaseMs} where id in (
      select id from webhooks w
      where (claimed_until is null or claimed_until < ${now}) and paused_until <= ${now}
        and (position < (select event_sequence from calendar_head)
          or exists (select from webhook_deliveries d where d.webhook_id = w.id and d.next_attempt_at <= ${now}))
      order by paused_until limit ${limit} for update skip locked
    ) returning *`.execute(db)
  return rows
}

/** In the order of the log. */
export function dueDeliveries(
  db: Queries,
  { webhookId, now, limit }: { readonly webhookId: string; readonly now: EpochMs; readonly limit: number },
): Promise<readonly DeliveryRow[]> {
  return db
    .selectFrom('webhookDeliveries')
    .selectAll()
    .where('webhookId', '=', webhookId)
    .where('nextAttemptAt', '<=', now)
    .orderBy('eventSequence')
    .limit(limit)
    .execute()
}

export type Progress = Pick<WebhookRow, 'position' | 'failures' | 'pausedUntil' | 'lastSuccessAt' | 'claimedUntil'>

/** Stores what became of an attempt, if the claim still holds. @returns whether it did */
export function recordProgress(
  database: Database,
  claim: { readonly id: string; readonly token: string },
  { progress, delivery }: { readonly progress: Partial<Progress>; readonly delivery: DeliveryRow | null },
): Promise<boolean> {
  return database.transaction(async (trx) => {
    const { numUpdatedRows } = await trx
      .updateTable('webhooks')
      .set(progress)
      .where('id', '=', claim.id)
      .where('claimToken', '=', claim.token)
      .executeTakeFirst()
    if (numUpdatedRows === 0n) return false
    if (delivery !== null) await saveDeliveries(trx, [delivery])
    return true
  })
}
