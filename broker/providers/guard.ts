/**
 * What stands between the broker and an adapter: measured (prom-client) → retried within its budget → circuit breaker
 * (one per kind of call) → adapter; and what these saw last of the provider's health.
 */
import type { CircuitState } from '../../shared/cluster.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, Provider } from '../../shared/provider.ts'
import { type EpochMs, SECOND_MS, toIso, toIsoOrNull } from '../../shared/time.ts'
import type { Metrics } from '../metrics.ts'
import { inSpan } from '../tracing.ts'
import { type Circuit, createCircuit, type Verdict } from './circuit.ts'
import type { CallHealth } from './directory.ts'
import { createRetryBudget, withRetries } from './retry.ts'
import { type Around, type CallKind, OPERATIONS, type Operation, wrapProvider } from './wrap.ts'

export interface GuardedProvider {
  readonly provider: Provider
  health(): CallHealth
  /** Since when every call of the kind has failed, of those that say anything; null unless this replica has seen one fail. */
  failingSince(kind: CallKind): EpochMs | null
  /** Follows what another replica, or an earlier run, has found out of a circuit. */
  adopt(kind: CallKind, found: { readonly state: CircuitState; readonly failingSince: EpochMs | null }): void
  close(): void
}

export interface CircuitChange {
  readonly providerId: string
  readonly kind: CallKind
  readonly state: CircuitState
  /** The first failure since the last success of this kind; null when the last one was a success. */
  readonly failingSince: EpochMs | null
}

/** Something that no waiting mends: somebody has to look. */
export interface Page {
  readonly providerId: string
  readonly operation: Operation
  readonly kind: 'unauthenticated' | 'refused'
  readonly code: string | null
  readonly message: string
}

export interface GuardOptions {
  readonly now: () => EpochMs
  readonly metrics: Metrics
  /** How long a circuit stays open before one call is let through, in ms. */
  readonly circuitResetMs: number
  /** Whether this replica may be the one that tries an open circuit. */
  readonly mayTry: (circuit: { readonly providerId: string; readonly kind: CallKind }) => Promise<boolean>
  readonly onCircuit: (change: CircuitChange) => void
  readonly onPage: (page: Page) => void
}

const KINDS = ['read', 'create', 'delete'] as const
const STATE_VALUE = { closed: 0, 'half-open': 1, open: 2 } as const
/** Ended by ourselves or by our own queue: the operator has not been asked, or not been waited for. */
const OUR_OWN: ReadonlySet<string | null> = new Set(['ABORTED', 'QUEUED', 'QUEUE_FULL', 'CIRCUIT_OPEN'])

/** Only what is unreachable (a time-out included) or unreadable is ill; others are well and do not want what we asked. */
function verdict(error: unknown): Verdict {
  if (!(error instanceof ProviderError)) return 'ill'
  if (OUR_OWN.has(error.code)) return 'neither'
  return error.kind === 'unreachable' || error.kind === 'malformed' ? 'ill' : 'well'
}

interface Seen {
  since: EpochMs
  lastSuccessAt: EpochMs | null
  failing: boolean
  lastError: CallHealth['lastError']
  keyRefused: boolean
  readonly failingSince: Record<CallKind, EpochMs | null>
  /** What others say; it counts once a call from here has failed too. */
  readonly saidSince: Record<CallKind, EpochMs | null>
}

interface Guarded<T> {
  readonly run: (call: Call) => Promise<T>
  readonly traceId: string
}

const outcomeOf = (error: unknown): string => (error instanceof ProviderError ? error.kind : 'bug')

export function guardProvider(provider: Provider, options: GuardOptions): GuardedProvider {
  const { now, metrics } = options
  const { id } = provider
  const watchedSince = now()
  const seen: Seen = {
    since: watchedSince,
    lastSuccessAt: null,
    failing: false,
    lastError: null,
    keyRefused: false,
    failingSince: { read: null, create: null, delete: null },
    saidSince: { read: null, create: null, delete: null },
  }
  const circuits = Object.fromEntries(
    KINDS.map((kind) => [kind, circuitOf({ kind, providerId: id, seen, options })]),
  ) as Record<CallKind, Circuit>
  const budget = createRetryBudget()
  metrics.retryBudget.set({ provider: id }, budget.left())

  const around: Around = (operation, call, run) =>
    inSpan(
      {
        name: `provider ${operation}`,
        kind: 'client',
        attributes: { 'gpu_broker.provider.id': id, 'gpu_broker.operation.id': call.operationId },
        ...(call.traceparent !== undefined && { parent: call.traceparent }),
        failureOf: outcomeOf,
      },
      ({ traceparent, traceId }) => guarded(operation, { ...call, traceparent }, { run, traceId }),
    )

  const guarded = async <T>(operation: Operation, call: Call, { run, traceId }: Guarded<T>): Promise<T> => {
    const kind = OPERATIONS[operation]
    const startedAt = performance.now()
    const measure = (outcome: string): void => {
      metrics.providerCallSeconds.observe(
        { provider: id, operation, outcome },
        (performance.now() - startedAt) / SECOND_MS,
        traceId,
      )
      metrics.retryBudget.set({ provider: id }, budget.left())
    }
    const attempt = () =>
      circuits[kind].run(async () => {
        try {
          const result = await run(call)
          noteSuccess(seen, kind, now())
          return result
        } catch (error) {
          noteFailure(seen, { error, kind, at: now() })
          throw error
        }
      })
    const onRetry = (): void => metrics.providerRetries.inc({ provider: id, operation })
    try {
      const result = await withRetries(call, attempt, { budget, now, random: Math.random, onRetry })
      metrics.keyRefused.set({ provider: id }, 0)
      seen.keyRefused = false
      measure('ok')
      return result
    } catch (error) {
      measure(outcomeOf(error))
      if (error instanceof ProviderError) page(error, { operation, providerId: id, seen, options })
      throw error
    }
  }
  return {
    provider: wrapProvider(provider, around),
    failingSince: (kind) => seen.failingSince[kind],
    adopt(kind, { state, failingSince }) {
      seen.saidSince[kind] = failingSince
      if (state === 'closed') circuits[kind].adopt('closed')
      else if (circuits[kind].state() === 'closed') circuits[kind].adopt('open')
    },
    health: () => ({
      watchedSince,
      failing: seen.failing,
      since: toIso(seen.since),
      lastSuccessAt: toIsoOrNull(seen.lastSuccessAt),
      lastError: seen.lastError,
    }),
    close() {
      for (const circuit of Object.values(circuits)) circuit.close()
    },
  }
}

function circuitOf(of: { kind: CallKind; providerId: string; seen: Seen; options: GuardOptions }): Circuit {
  const { kind, providerId, seen, options } = of
  const gauge = options.metrics.circuitState
  gauge.set({ provider: providerId, kind }, STATE_VALUE.closed)
  return createCircuit({
    name: `${providerId}/${kind}`,
    resetMs: options.circuitResetMs,
    verdict,
    mayTry: () => options.mayTry({ providerId, kind }),
    onChange: (state) => options.onCircuit({ providerId, kind, state, failingSince: seen.failingSince[kind] }),
    onState: (state) => gauge.set({ provider: providerId, kind }, STATE_VALUE[state]),
  })
}

function noteSuccess(seen: Seen, kind: CallKind, at: EpochMs): void {
  if (seen.failing) seen.since = at
  seen.failing = false
  seen.failingSince[kind] = null
  seen.saidSince[kind] = null
  seen.lastSuccessAt = at
}

function noteFailure(seen: Seen, { error, kind, at }: { error: unknown; kind: CallKind; at: EpochMs }): void {
  const judged = verdict(error)
  if (judged === 'neither') return
  if (judged === 'ill') {
    if (!seen.failing) seen.since = at
    seen.failing = true
    seen.failingSince[kind] ??= seen.saidSince[kind] ?? at
  }
  seen.lastError =
    error instanceof ProviderError
      ? { kind: error.kind, code: error.code, message: error.message, at: toIso(at) }
      : { kind: 'malformed', code: null, message: 'the adapter failed; the log has the cause', at: toIso(at) }
}

/** A key that is not accepted pages once, until a call succeeds; each request that is refused for good pages. */
function page(
  error: ProviderError,
  of: { operation: Operation; providerId: string; seen: Seen; options: GuardOptions },
): void {
  const { operation, providerId, seen, options } = of
  const { kind, code } = error
  if (kind !== 'unauthenticated' && !(kind === 'refused' && OPERATIONS[operation] === 'create')) return
  if (kind === 'unauthenticated') {
    options.metrics.keyRefused.set({ provider: providerId }, 1)
    if (seen.keyRefused) return
    seen.keyRefused = true
  }
  options.onPage({ providerId, operation, kind, code, message: error.providerMessage ?? error.message })
}
