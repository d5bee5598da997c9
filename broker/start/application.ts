/** The application over its database: calendar, writer, wake-ups, and the catalogue as it is configured now. */
import type { Logger } from 'pino'
import type { EpochMs } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { createCalendarCache } from '../app/calendar-cache.ts'
import { install } from '../app/install.ts'
import { changeCatalogue } from '../app/reload-inventory.ts'
import { createWriter } from '../app/writer.ts'
import { clustersIn } from '../core/calendar-reads.ts'
import { catalogueChanges } from '../core/catalogue-change.ts'
import type { Cluster } from '../core/cluster.ts'
import { DEFAULT_POLICY } from '../core/placement/policy.ts'
import type { Metrics } from '../metrics.ts'
import { observeCommit } from '../observe/commit.ts'
import { findAllocations } from '../store/allocations.ts'
import type { Database } from '../store/database.ts'
import { lockHead } from '../store/head.ts'
import { shareByKey } from '../store/shared-read.ts'
import { dueSoon } from '../workers/reconcile.ts'
import { startWakeUps, type WakeUps } from '../workers/wake.ts'

export interface Application {
  readonly app: App
  readonly wakeUps: WakeUps
}

export interface ApplicationOptions {
  readonly database: Database
  readonly catalogue: readonly Cluster[]
  readonly metrics: Metrics
  readonly logger: Logger
  /** There is work to be done, here or at another replica. */
  readonly onWake: () => void
  readonly now: () => EpochMs
}

export async function startApplication(options: ApplicationOptions): Promise<Application> {
  const { database, catalogue, metrics, logger, onWake, now } = options
  const installationId = await install(database, catalogue, now())
  const wakeUps = await startWakeUps(database, {
    onWake,
    onError: (error) => logger.error({ err: error }, 'the queue of wake-ups failed'),
  })
  const cache = createCalendarCache(database, now)
  const calendar = await database.transaction(async (trx) => cache.lead(trx, await lockHead(trx)))
  const writer = createWriter({
    database,
    cache,
    policy: DEFAULT_POLICY,
    now,
    beforeCommit: async (trx, changes) => {
      if (dueSoon(changes, now()).length > 0) await wakeUps.send(trx)
    },
    observe: observeCommit(metrics),
  })
  // Mostly nothing differs, and who waits or is scheduled, some thousand rows, need not be read for that.
  if (catalogueChanges(clustersIn(calendar), catalogue).length > 0) {
    await writer.run(changeCatalogue({ catalogue, apply: true }))
  }
  const findAllocation = shareByKey((ids: readonly string[]) => findAllocations(database.queries, ids))
  return { app: { database, writer, cache, findAllocation, policy: DEFAULT_POLICY, installationId, now }, wakeUps }
}
