/**
 * Wake-ups between replicas, by pg-boss: sent in the transaction that made the work, so that they exist exactly if the
 * work does. Losing one costs time (the loops look by themselves every few seconds), never correctness.
 */
import { fromKysely, fromPglite, PgBoss } from 'pg-boss'
import { SECOND_MS } from '../../shared/time.ts'
import type { Database, Transaction } from '../store/database.ts'

export interface WakeUps {
  /** One wake-up, as part of the transaction. Many before anybody woke are one. */
  send(trx: Transaction): Promise<void>
  stop(): Promise<void>
}

const QUEUE = 'wake'
const STOP_WITHIN_MS = 2 * SECOND_MS

export async function startWakeUps(
  database: Database,
  { onWake, onError }: { readonly onWake: () => void; readonly onError: (error: unknown) => void },
): Promise<WakeUps> {
  const boss = new PgBoss({
    ...('pglite' in database.raw
      ? { db: fromPglite(database.raw.pglite), backend: 'pglite' as const }
      : { connectionString: database.raw.connectionString, max: 3, useListenNotify: true }),
    supervise: true,
    schedule: false,
  })
  boss.on('error', onError)
  await boss.start()
  await boss.createQueue(QUEUE, { policy: 'short', notify: database.engine === 'postgres' })
  await boss.work(QUEUE, { pollingIntervalSeconds: 2 }, async () => onWake())
  return {
    async send(trx) {
      await boss.send(QUEUE, {}, { db: fromKysely(trx.withoutPlugins()) })
    },
    stop: () => boss.stop({ graceful: true, timeout: STOP_WITHIN_MS }),
  }
}
