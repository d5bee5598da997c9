/**
 * Watches the clock of those that are on their way out: whose nodes the provider has not been rid of in time is put into
 * quarantine. No provider is asked here, so that one that does not answer cannot keep its nodes from being held.
 */
import { SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { quarantineOverdue } from '../app/quarantine.ts'
import type { Changes } from '../store/changes.ts'
import { nextOverdueAt, overdueReleases, type Patience } from '../store/quarantines.ts'
import { type Loop, startLoop } from './loop.ts'

export interface QuarantineWorker extends Loop {
  /** To be called after each commit: pokes where somebody's end has moved. */
  noticed(changes: Changes): void
}

export interface QuarantineOptions {
  readonly app: App
  readonly releaseConfirmMs: number
  readonly onError: (error: unknown) => void
}

const IDLE_MS = 5 * SECOND_MS
/** Time to commit it before the place that was planned to be free is free. */
const MARGIN_MS = SECOND_MS
/** Each may have hundreds of nodes: few enough that others are not kept waiting for long. */
const AT_ONCE = 16

const patienceOf = (releaseConfirmMs: number): Patience => ({ releaseConfirmMs, marginMs: MARGIN_MS })

export function startQuarantine({ app, releaseConfirmMs, onError }: QuarantineOptions): QuarantineWorker {
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      await holdOverdue(app, releaseConfirmMs)
      const dueAt = await nextOverdueAt(app.database.queries, patienceOf(releaseConfirmMs))
      return dueAt === null ? IDLE_MS : Math.min(IDLE_MS, dueAt - app.now())
    },
  })
  return { ...loop, noticed: (changes) => (mayEndSooner(changes) ? loop.poke() : undefined) }
}

const mayEndSooner = ({ log }: Changes): boolean =>
  log.some(({ op }) => op.op === 'reserve' && op.reservation.phase === 'running')

/**
 * Quarantines all that are overdue. Once at start before anything is decided: while the broker was away, places that were
 * planned to be free may not have become so.
 */
export async function holdOverdue(app: App, releaseConfirmMs: number): Promise<void> {
  const patience = patienceOf(releaseConfirmMs)
  for (;;) {
    const ids = await overdueReleases(app.database.queries, patience, { now: app.now(), limit: AT_ONCE })
    if (ids.length === 0 || (await app.writer.run(quarantineOverdue(ids, patience))) === 0) return
  }
}
