/** Claims allocations that are due and looks at each; a claim is renewed while its look lasts, and given back after it. */
import { randomUUID } from 'node:crypto'
import type { Metrics } from '../metrics.ts'
import { type EpochMs, SECOND_MS } from '../../shared/time.ts'
import { claimDue, type Lane, nextDue, releaseClaim, renewClaim } from '../store/allocations.ts'
import type { AllocationRow, Changes } from '../store/changes.ts'
import { keepLease, LEASE_MS } from './lease.ts'
import { look } from './look.ts'
import { type Loop, startLoop } from './loop.ts'
import type { LookContext } from './steps.ts'

/** Looks at once on one replica at one provider: they mostly wait for it. */
const LOOKS_AT_ONCE = 32
const IDLE_MS = 5 * SECOND_MS
const PAUSE_AFTER_ERROR_MS = SECOND_MS
/** A look that failed by our own fault is not tried again at once: it would most likely fail again. */
const PAUSE_AFTER_BUG_MS = 10 * SECOND_MS

/** What of a change is worth a poke: what is due later is found in time by the rounds that come anyway. */
export const dueSoon = ({ allocations }: Changes, now: EpochMs): readonly AllocationRow[] =>
  [...allocations.values()].filter(({ nextLookAt }) => nextLookAt !== null && nextLookAt <= now + IDLE_MS)

export interface ReconcileOptions extends LookContext {
  readonly metrics: Metrics
  readonly onError: (error: unknown, fields: Readonly<Record<string, unknown>>) => void
}

export interface Reconciler extends Loop {
  /** Something is due at this provider. */
  pokeAt(providerId: string | null): void
}

/** A lane for each provider, so that looks which wait for one of them never take the places of the others'. */
export function startReconciler(options: ReconcileOptions): Reconciler {
  const providerIds = options.directory.entries.map((entry) => entry.id)
  const rest = startLane(options, { notAt: providerIds })
  const lanes = new Map(providerIds.map((providerId) => [providerId, startLane(options, { providerId })]))
  const all = [...lanes.values(), rest]
  return {
    poke() {
      for (const lane of all) lane.poke()
    },
    pokeAt: (providerId) => (lanes.get(providerId ?? '') ?? rest).poke(),
    async stop() {
      await Promise.all(all.map((lane) => lane.stop()))
    },
  }
}

function startLane(options: ReconcileOptions, lane: Lane): Loop {
  const looking = new Set<Promise<void>>()
  const loop: Loop = startLoop({
    pauseAfterErrorMs: PAUSE_AFTER_ERROR_MS,
    onError: (error) => options.onError(error, {}),
    async round() {
      const { app } = options
      const room = LOOKS_AT_ONCE - looking.size
      if (room <= 0) return IDLE_MS // a look that ends pokes
      const token = randomUUID()
      const askedAt = performance.now()
      const taken = await claimDue(app.database.queries, {
        lane,
        now: app.now(),
        token,
        leaseMs: LEASE_MS,
        limit: room,
      })
      for (const { id, stolen } of taken) {
        if (stolen) options.metrics.claimsStolen.inc()
        const done = lookOnce(options, { id, token }, askedAt).finally(() => {
          looking.delete(done)
          loop.poke()
        })
        looking.add(done)
      }
      const dueAt = await nextDue(app.database.queries, lane)
      return dueAt === null ? IDLE_MS : Math.min(IDLE_MS, dueAt - app.now())
    },
  })
  return {
    poke: loop.poke,
    async stop() {
      await loop.stop()
      await Promise.all(looking)
    },
  }
}

async function lookOnce(
  options: ReconcileOptions,
  claim: { readonly id: string; readonly token: string },
  askedAt: number,
): Promise<void> {
  const { app, metrics } = options
  const db = app.database.queries
  const startedAt = performance.now()
  const lease = keepLease({
    askedAt,
    stopping: options.signal,
    renew: () => renewClaim(db, { ...claim, until: app.now() + LEASE_MS }),
    onError: (error) => options.onError(error, { allocationId: claim.id }),
  })
  let traceId: string | null = null
  try {
    traceId = await look({ ...options, signal: lease.signal }, claim)
    await releaseClaim(db, claim)
  } catch (error) {
    if (options.signal.aborted) return
    options.onError(error, { allocationId: claim.id })
    await releaseClaim(db, { ...claim, notBefore: app.now() + PAUSE_AFTER_BUG_MS }).catch(() => undefined) // its lease ends by itself
  } finally {
    lease.end()
    metrics.lookSeconds.observe({}, (performance.now() - startedAt) / SECOND_MS, traceId)
  }
}
