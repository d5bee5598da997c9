/**
 * Removes what node lives leave behind at providers (init scripts, fabric groups, addresses, volumes): soon after an
 * allocation became active or ended there, and every ten minutes anyway.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import { MINUTE_MS, SECOND_MS } from '../../shared/time.ts'
import type { Changes } from '../store/changes.ts'
import { endedAt } from '../store/looks.ts'
import { deletesHeld, findingsAt } from '../store/sweeps.ts'
import { recordLeftovers } from '../app/record-leftovers.ts'
import type { ProviderEntry } from '../providers/directory.ts'
import { type Loop, startLoop } from './loop.ts'
import { isFrozen, type LookContext } from './steps.ts'

export interface LeftoversWorker extends Loop {
  noticed(changes: Changes): void
}

const EVERY_MS = 10 * MINUTE_MS
const DEADLINE_MS = 2 * MINUTE_MS
/** What an operator would not let go yet is asked for again soon, a bounded number of times, then at the regular pace. */
const AGAIN_MS = SECOND_MS
const SOON_AGAIN_AT_MOST = 20

export function startLeftovers(
  context: LookContext,
  onError: (error: unknown, fields: Readonly<Record<string, unknown>>) => void,
): LeftoversWorker {
  const due = new Map(context.directory.entries.map((entry) => [entry.id, SOON_AGAIN_AT_MOST]))
  /** @returns whether it is due again soon */
  const sweepOnce = async (entry: ProviderEntry): Promise<boolean> => {
    const triesLeft = due.get(entry.id) ?? 0
    due.delete(entry.id)
    if ((await sweep(context, entry, triesLeft === 0)) || triesLeft === 0) return false
    due.set(entry.id, triesLeft - 1)
    return true
  }
  const loop = startLoop({
    pauseAfterErrorMs: MINUTE_MS,
    onError: (error) => onError(error, {}),
    async round() {
      const again = await Promise.all(context.directory.entries.map(sweepOnce))
      return again.includes(true) ? AGAIN_MS : EVERY_MS
    },
  })
  return {
    ...loop,
    noticed(changes) {
      for (const row of changes.allocations.values()) {
        if (row.providerId === null || !['active', 'released', 'cancelled', 'failed'].includes(row.status)) continue
        due.set(row.providerId, SOON_AGAIN_AT_MOST)
        loop.poke()
      }
    },
  }
}

/**
 * @param isLast whether what is kept now has been asked for often enough to be called a finding
 * @returns whether nothing was left that has to be asked for again
 */
async function sweep(context: LookContext, entry: ProviderEntry, isLast: boolean): Promise<boolean> {
  const { app, installationId, signal, log } = context
  const db = app.database.queries
  if ((await isFrozen(context, entry.id)) || (await deletesHeld(db))) return true
  const allocationsEnded = await endedAt(db, entry.id)
  const call = { operationId: `sweep-${entry.id}`, deadlineAt: app.now() + DEADLINE_MS, signal }
  try {
    const found = await entry.provider.sweepLeftovers({ installationId, allocationsEnded }, call)
    const kept = found.filter((one) => one.action === 'kept')
    if (found.length > 0)
      log('leftovers were swept', { providerId: entry.id, removed: found.length - kept.length, kept: kept.length })
    const known = (await findingsAt(db, entry.id)).some(({ what }) => what !== 'node')
    if (isLast ? known || kept.length > 0 : known && kept.length === 0)
      await app.writer.run(recordLeftovers(entry.id, kept))
    return kept.length === 0
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    log('leftovers could not be swept', { providerId: entry.id, kind: error.kind, code: error.code })
    return false
  }
}
