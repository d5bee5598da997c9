/**
 * Removes what node lives leave behind at providers (init scripts, fabric groups, addresses, volumes): soon after an
 * allocation became active or ended there, and every ten minutes anyway.
 */
import { ProviderError } from '../../shared/provider-error.ts'
import type { Leftover } from '../../shared/provider.ts'
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
const DEADLINE_MS = 30 * SECOND_MS
/** What an operator would not let go yet is asked for again soon, a bounded number of times, then at the regular pace. */
const AGAIN_MS = SECOND_MS
const SOON_AGAIN_AT_MOST = 20
/** An operator that does not answer, or must not be asked now, has let go of nothing: it is asked when that may be over. */
const LATER_MS = 10 * SECOND_MS

type Swept = 'clean' | 'kept' | 'not asked'

/** Each provider for itself: one that does not answer keeps no other waiting. */
export function startLeftovers(
  context: LookContext,
  onError: (error: unknown, fields: Readonly<Record<string, unknown>>) => void,
): LeftoversWorker {
  const loops = new Map(context.directory.entries.map((entry) => [entry.id, startOne(context, entry, onError)]))
  return {
    poke() {
      for (const loop of loops.values()) loop.poke()
    },
    async stop() {
      await Promise.all([...loops.values()].map((loop) => loop.stop()))
    },
    noticed(changes) {
      for (const row of changes.allocations.values()) {
        if (row.providerId === null || !['active', 'released', 'cancelled', 'failed'].includes(row.status)) continue
        loops.get(row.providerId)?.poke()
      }
    },
  }
}

function startOne(
  context: LookContext,
  entry: ProviderEntry,
  onError: (error: unknown, fields: Readonly<Record<string, unknown>>) => void,
): Loop {
  let triesLeft = SOON_AGAIN_AT_MOST
  const loop = startLoop({
    pauseAfterErrorMs: MINUTE_MS,
    onError: (error) => onError(error, { providerId: entry.id }),
    async round() {
      const swept = await sweep(context, entry, triesLeft === 0)
      if (swept === 'not asked') return LATER_MS
      if (swept === 'clean' || triesLeft === 0) return EVERY_MS
      triesLeft -= 1
      return AGAIN_MS
    },
  })
  return {
    ...loop,
    poke() {
      triesLeft = SOON_AGAIN_AT_MOST
      loop.poke()
    },
  }
}

/** @param isLast whether what is kept now has been asked for often enough to be called a finding */
async function sweep(context: LookContext, entry: ProviderEntry, isLast: boolean): Promise<Swept> {
  const { app, hands, log } = context
  const db = app.database.queries
  try {
    const found = await hands.at(entry.id, context.signal, (signal) => ask({ ...context, signal }, entry))
    if (found === null) return 'not asked'
    const kept = found.filter((one) => one.action === 'kept')
    if (found.length > 0)
      log('leftovers were swept', { providerId: entry.id, removed: found.length - kept.length, kept: kept.length })
    const known = (await findingsAt(db, entry.id)).some(({ what }) => what !== 'node')
    if (isLast ? known || kept.length > 0 : known && kept.length === 0)
      await app.writer.run(recordLeftovers(entry.id, kept))
    return kept.length === 0 ? 'clean' : 'kept'
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    log('leftovers could not be swept', { providerId: entry.id, kind: error.kind, code: error.code })
    return 'not asked'
  }
}

/** Null: it must not be asked now. */
async function ask(context: LookContext, entry: ProviderEntry): Promise<readonly Leftover[] | null> {
  const { app, installationId, signal } = context
  const db = app.database.queries
  if ((await isFrozen(context, entry.id)) || (await deletesHeld(db))) return null
  const allocationsEnded = await endedAt(db, entry.id)
  const call = { operationId: `sweep-${entry.id}`, deadlineAt: app.now() + DEADLINE_MS, signal }
  return entry.provider.sweepLeftovers({ installationId, allocationsEnded }, call)
}
