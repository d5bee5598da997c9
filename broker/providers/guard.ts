/**
 * What stands between the broker and an adapter: measured (prom-client) → circuit breaker (one per kind of call) →
 * adapter; and the provider's health, which is what these two saw last.
 */
import type { ProviderView } from '../../shared/cluster.ts'
import { ProviderError } from '../../shared/provider-error.ts'
import type { Call, Provider } from '../../shared/provider.ts'
import { type EpochMs, toIso, toIsoOrNull } from '../../shared/time.ts'
import type { Metrics } from '../metrics.ts'
import { type Circuit, type CircuitStateName, createCircuit } from './circuit.ts'
import { type Around, type CallKind, OPERATIONS, wrapProvider } from './wrap.ts'

export interface GuardedProvider {
  readonly provider: Provider
  health(): ProviderView['health']
  close(): void
}

export interface GuardOptions {
  readonly now: () => EpochMs
  readonly metrics: Metrics
  /** How long a circuit stays open before one call is let through, in ms. */
  readonly circuitResetMs: number
  readonly onCircuit: (change: { providerId: string; kind: CallKind; state: CircuitStateName }) => void
}

const KINDS = ['read', 'create', 'delete'] as const
const STATE_VALUE = { closed: 0, 'half-open': 1, open: 2 } as const

/** Only these say that the operator is ill; the others say that it is well and does not want what we asked. */
const counts = (error: unknown): boolean =>
  !(error instanceof ProviderError) ||
  error.kind === 'malformed' ||
  (error.kind === 'unreachable' && error.code !== 'QUEUED' && error.code !== 'DEADLINE')

interface Seen {
  since: EpochMs
  lastSuccessAt: EpochMs | null
  lastFailed: boolean
  lastError: { kind: string; code: string | null; message: string; at: string } | null
}

export function guardProvider(provider: Provider, options: GuardOptions): GuardedProvider {
  const { now, metrics } = options
  const seen: Seen = { since: now(), lastSuccessAt: null, lastFailed: false, lastError: null }
  const circuits = Object.fromEntries(
    KINDS.map((kind) => [kind, circuitOf({ kind, providerId: provider.id, seen, options })]),
  ) as Record<CallKind, Circuit>

  const around: Around = async (operation, call, run) => {
    const startedAt = performance.now()
    const measure = (outcome: string): void =>
      metrics.providerCallSeconds.observe(
        { provider: provider.id, operation, outcome },
        (performance.now() - startedAt) / 1_000,
      )
    try {
      const result = await circuits[OPERATIONS[operation]].run(run)
      measure('ok')
      noteSuccess(seen, now())
      return result
    } catch (error) {
      measure(error instanceof ProviderError ? error.kind : 'bug')
      if (!isOurOwnAbort(call)) noteFailure(seen, error, now())
      throw error
    }
  }
  return {
    provider: wrapProvider(provider, around),
    health: () => healthOf(seen, circuits),
    close() {
      for (const circuit of Object.values(circuits)) circuit.close()
    },
  }
}

const isOurOwnAbort = (call: Call): boolean => call.signal.aborted

function circuitOf(of: { kind: CallKind; providerId: string; seen: Seen; options: GuardOptions }): Circuit {
  const { kind, providerId, seen, options } = of
  const gauge = options.metrics.circuitState
  gauge.set({ provider: providerId, kind }, STATE_VALUE.closed)
  return createCircuit({
    name: `${providerId}/${kind}`,
    resetMs: options.circuitResetMs,
    counts,
    onChange(state) {
      seen.since = options.now()
      gauge.set({ provider: providerId, kind }, STATE_VALUE[state])
      options.onCircuit({ providerId, kind, state })
    },
  })
}

function noteSuccess(seen: Seen, at: EpochMs): void {
  if (seen.lastFailed) seen.since = at
  seen.lastFailed = false
  seen.lastSuccessAt = at
}

function noteFailure(seen: Seen, error: unknown, at: EpochMs): void {
  if (error instanceof ProviderError && error.code === 'CIRCUIT_OPEN') return // says nothing that the circuit does not
  if (counts(error) && !seen.lastFailed) {
    seen.lastFailed = true
    seen.since = at
  }
  seen.lastError =
    error instanceof ProviderError
      ? { kind: error.kind, code: error.code, message: error.message, at: toIso(at) }
      : { kind: 'malformed', code: null, message: 'the adapter failed; the log has the cause', at: toIso(at) }
}

function healthOf(seen: Seen, circuits: Readonly<Record<CallKind, Circuit>>): ProviderView['health'] {
  const states = { read: circuits.read.state(), create: circuits.create.state(), delete: circuits.delete.state() }
  const all = Object.values(states)
  const state = all.every((one) => one === 'open')
    ? 'down'
    : all.some((one) => one !== 'closed') || seen.lastFailed
      ? 'degraded'
      : 'up'
  return {
    state,
    circuits: states,
    since: toIso(seen.since),
    lastSuccessAt: toIsoOrNull(seen.lastSuccessAt),
    lastError: seen.lastError,
  }
}
