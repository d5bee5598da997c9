/**
 * Removing what is kept no longer, the oldest first and few at a time: nobody waits for a long transaction, and whoever
 * is interrupted goes on later. Replicas may do it at the same time.
 */
import { sql } from 'kysely'
import type { EpochMs } from '../../shared/time.ts'
import type { Queries } from './database.ts'

/** Removes at most `limit` that are older than `before`. @returns how many */
export type RemoveSome = (db: Queries, before: EpochMs, limit: number) => Promise<number>

/** From the old end only: numbers go in the order of time, and what is kept has no gaps. */
export const removeEvents: RemoveSome = (db, before, limit) =>
  removed(
    sql`delete from events where sequence in (
    select sequence from (select sequence, at from events order by sequence limit ${limit}) as oldest where at < ${before}
  )`,
    db,
  )

export const removeIdempotencyKeys: RemoveSome = (db, before, limit) =>
  removed(
    sql`delete from idempotency_keys where (client_id, key) in (
    select client_id, key from idempotency_keys where at < ${before} order by at limit ${limit} for update skip locked
  )`,
    db,
  )

/** What is still to be tried stays, however old. */
export const removeDeliveries: RemoveSome = (db, before, limit) =>
  removed(
    sql`delete from webhook_deliveries where id in (
    select id from webhook_deliveries where created_at < ${before} and next_attempt_at is null
    order by created_at limit ${limit} for update skip locked
  )`,
    db,
  )

/** Up to a number, which a record of the trail has named before. */
export const removeAudit = (db: Queries, through: number, limit: number): Promise<number> =>
  removed(
    sql`delete from audit where sequence in (
    select sequence from audit where sequence <= ${through} order by sequence limit ${limit}
  )`,
    db,
  )

async function removed(statement: ReturnType<typeof sql>, db: Queries): Promise<number> {
  const { numAffectedRows } = await statement.execute(db)
  return Number(numAffectedRows ?? 0n)
}

/** The newest record that is older than `before`; null where there is none but records of earlier prunings. */
export async function prunableAudit(
  db: Queries,
  before: EpochMs,
  pruning: string,
): Promise<{ readonly sequence: number; readonly hash: string } | null> {
  const row = await db
    .selectFrom('audit')
    .select(['sequence', 'hash'])
    .where('at', '<', before)
    .where((where) =>
      where.exists(
        where
          .selectFrom('audit as old')
          .select('old.sequence')
          .where('old.at', '<', before)
          .where('old.action', '!=', pruning),
      ),
    )
    .orderBy('at', 'desc')
    .orderBy('sequence', 'desc')
    .limit(1)
    .executeTakeFirst()
  return row ?? null
}
