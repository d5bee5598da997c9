/** Removes what is kept no longer: events, idempotency keys, deliveries of webhooks and the audit trail, each in its time. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { HOUR_MS, MINUTE_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { announcePruning } from '../app/prune-audit.ts'
import {
  type RemoveSome,
  removeAudit,
  removeDeliveries,
  removeEvents,
  removeIdempotencyKeys,
} from '../store/retention.ts'
import { type Loop, startLoop } from './loop.ts'

export interface RetentionTimes {
  readonly eventsMs: number
  readonly auditMs: number
  readonly idempotencyKeysMs: number
  readonly deliveriesMs: number
}

export interface RetentionOptions {
  readonly app: App
  readonly times: RetentionTimes
  readonly signal: AbortSignal
  readonly onError: (error: unknown) => void
}

/** A few ms of work for the database. */
const BATCH = 1_000
const PAUSE_MS = HOUR_MS

export function startRetention({ app, times, signal, onError }: RetentionOptions): Loop {
  const inBatches = async (removeSome: (limit: number) => Promise<number>): Promise<void> => {
    while (!signal.aborted && (await removeSome(BATCH)) === BATCH) await nextTurn()
  }
  const olderThan = (ms: number, remove: RemoveSome): Promise<void> => {
    const before = app.now() - ms
    return inBatches((limit) => remove(app.database.queries, before, limit))
  }
  return startLoop({
    pauseAfterErrorMs: MINUTE_MS,
    onError,
    async round() {
      await olderThan(times.eventsMs, removeEvents)
      await olderThan(times.idempotencyKeysMs, removeIdempotencyKeys)
      await olderThan(times.deliveriesMs, removeDeliveries)
      const through = await announcePruning(app, app.now() - times.auditMs)
      if (through !== null) await inBatches((limit) => removeAudit(app.database.queries, through, limit))
      return PAUSE_MS
    },
  })
}
