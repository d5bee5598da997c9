/**
 * Keeps this replica's circuits and the shared rows alike: what was found out here is written down, what others wrote is
 * taken over, within a second and at the start.
 */
import { SECOND_MS } from '../../shared/time.ts'
import type { App } from '../app/app.ts'
import { recordCircuit } from '../app/record-circuit.ts'
import type { CircuitChange } from '../providers/guard.ts'
import type { ProviderDirectory } from '../providers/directory.ts'
import { claimTrial, readCircuits } from '../store/circuits.ts'
import type { Queries } from '../store/database.ts'
import { type Loop, startLoop } from './loop.ts'

/** How long a circuit stays open before one call is let through. */
export const CIRCUIT_RESET_MS = 10 * SECOND_MS
/** Longer than the longest call: after it, whoever was let through is dead. */
const TRIAL_MS = 150 * SECOND_MS
const LOOK_EVERY_MS = SECOND_MS

export interface CircuitsWorker extends Loop {
  /** A circuit of this replica changed by what its own calls saw. */
  changed(change: CircuitChange): void
  /** Whether this replica may try an open circuit. */
  mayTry(of: Pick<CircuitChange, 'providerId' | 'kind'>): Promise<boolean>
}

export interface CircuitsOptions {
  readonly app: App
  readonly directory: ProviderDirectory
  readonly onError: (error: unknown) => void
}

export function startCircuits({ app, directory, onError }: CircuitsOptions): CircuitsWorker {
  const found = new Map<string, CircuitChange>()
  const adopted = new Map<string, number>()
  const loop = startLoop({
    pauseAfterErrorMs: SECOND_MS,
    onError,
    async round() {
      for (const [key, change] of found) {
        await app.writer.run(recordCircuit({ ...change, state: stateToTell(change) }, CIRCUIT_RESET_MS))
        if (found.get(key) === change) found.delete(key) // another may have come meanwhile
      }
      await adoptCircuits(app.database.queries, directory, { adopted, but: found })
      return LOOK_EVERY_MS
    },
  })
  return {
    ...loop,
    changed(change) {
      if (change.state === 'half-open') return // told by whoever is let through to try
      found.set(keyOf(change), change)
      loop.poke()
    },
    async mayTry({ providerId, kind }) {
      try {
        return await claimTrial(app.database.queries, { providerId, kind, now: app.now(), forMs: TRIAL_MS })
      } catch (error) {
        onError(error)
        return false // nobody knows whether another replica is trying
      }
    },
  }
}

const stateToTell = ({ state }: CircuitChange): 'open' | 'closed' => (state === 'closed' ? 'closed' : 'open')

const keyOf = ({ providerId, kind }: Pick<CircuitChange, 'providerId' | 'kind'>): string => `${providerId}/${kind}`

interface Adopting {
  /** Circuit → when the state that was taken over last was written. */
  readonly adopted: Map<string, number>
  /** Those that this replica has news of itself. */
  readonly but: ReadonlyMap<string, unknown>
}

/** Takes over what other replicas, or an earlier run, have written. */
export async function adoptCircuits(
  db: Queries,
  directory: ProviderDirectory,
  { adopted, but }: Adopting = { adopted: new Map(), but: new Map() },
): Promise<void> {
  for (const row of await readCircuits(db)) {
    const key = keyOf(row)
    const entry = directory.get(row.providerId)
    if (entry === null || but.has(key) || adopted.get(key) === row.changedAt) continue
    adopted.set(key, row.changedAt)
    entry.adopt(row.kind, row)
  }
}
